"""A network of the user's own, named ``module:function``: code from the current folder, run when it is asked for."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from torch import nn
from torch.nn.parameter import UninitializedParameter

from neocog.core.errors import NetworkError, near_names
from neocog.core.inputs import TRIAL_BATCH
from neocog.core.registry import Record

PUBLISHED_CLASSES, CHANNELS, SIDE = 1000, 3, 224


def is_own(name: str) -> bool:
    """Tells whether a network's name is that of a user's own function."""
    return ":" in name


def own_record(name: str) -> Record:
    """Imports ``module:function`` and returns its record; the module may lie in the current folder.

    The function takes ``classes``, and where it has them ``channels``, ``size`` and options of its own; it returns a
    module that maps (B, C, H, W) to logits (B, classes). Without published numbers, the input is 3x224x224 unless the
    function's defaults say otherwise.

    Raises NetworkError, one line, when there is no such module or function or it cannot be imported.
    """
    _refuse_spelling(name)
    build = _imported(name)
    try:
        signature = inspect.signature(build)
    except (TypeError, ValueError) as error:
        raise NetworkError(f"{name}: expected a function that returns a network, got {build!r:.60}.") from error
    if not ({"classes"} <= set(signature.parameters) or _takes_any(signature)):
        raise NetworkError(
            f"{name} should take classes=, the number of classes, and channels=; it takes {_names(signature)}."
        )
    side = _default(signature, "size", SIDE)
    return Record(
        name=name,
        build=_checked(name, build, signature),
        paper="your own network",
        year=0,
        task="image classification",
        input=(_default(signature, "channels", CHANNELS), side, side),
        classes=_default(signature, "classes", PUBLISHED_CLASSES),
        params=0,
        macs=0,
    )


def _refuse_spelling(name: str) -> None:
    module, _, function = name.partition(":")
    if module.endswith(".py") or "/" in module:
        dotted = ".".join(part for part in module.removesuffix(".py").split("/") if part not in ("", "."))
        raise NetworkError(f"{name}: write the module as Python imports it, e.g. {dotted}:{function or 'build'}.")
    if not (module and function) or module.startswith("."):
        raise NetworkError(f"{name!r} should be module:function, e.g. mymodule:build.")


def _imported(name: str) -> Callable[..., Any]:
    module_name, _, function = name.partition(":")
    folder = str(Path.cwd())
    if folder not in sys.path:  # as python itself has it, which the command neocog has not
        sys.path.insert(0, folder)
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name != module_name.partition(".")[0]:
            raise _not_imported(module_name, error) from error
        raise NetworkError(
            f"{name}: there is no module {module_name!r} in {folder}, and none is installed; write {module_name}.py "
            "there, or change to its folder."
        ) from error
    except (Exception, SystemExit) as error:  # whatever a user's module raises
        raise _not_imported(module_name, error) from error
    found = getattr(module, function, None)
    if not callable(found):
        public = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise NetworkError(f"{name}: {module_name} has no function {function!r}.{near_names(function, public)}")
    return found  # type: ignore[no-any-return]


def _not_imported(module: str, error: BaseException) -> NetworkError:
    return NetworkError(f"{module} cannot be imported: {_said(error)}")


def _checked(name: str, build: Callable[..., Any], signature: inspect.Signature) -> Callable[..., nn.Module]:
    """Returns a builder that passes on what the function takes and refuses what is no network."""

    def built(**arguments: Any) -> nn.Module:
        taken = {key: value for key, value in arguments.items() if key in signature.parameters or _takes_any(signature)}
        try:
            network = build(**taken)
        except Exception as error:
            raise NetworkError(f"{name} failed: {_said(error)}") from error
        if not isinstance(network, nn.Module):
            raise NetworkError(f"{name} should return a torch.nn.Module, got {type(network).__name__}.")
        if any(isinstance(each, UninitializedParameter) for each in network.parameters()):
            raise NetworkError(
                f"{name} has lazy layers, whose sizes are not known yet; run the network once on an input before "
                "returning it, or give the sizes."
            )
        vars(network)[TRIAL_BATCH] = 1
        return network

    built.__doc__ = inspect.getdoc(build) or "A network of your own."
    built.__signature__ = signature  # type: ignore[attr-defined]
    return built


def _takes_any(signature: inspect.Signature) -> bool:
    return any(each.kind is inspect.Parameter.VAR_KEYWORD for each in signature.parameters.values())


def _default(signature: inspect.Signature, name: str, otherwise: int) -> int:
    value = signature.parameters[name].default if name in signature.parameters else None
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise


def _names(signature: inspect.Signature) -> str:
    return ", ".join(signature.parameters) or "nothing"


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]
