"""Neocog, the workbench for convolutional networks.

Every verb of the command line is a function here under the same name: ``neocog.train("photos")`` is
``neocog train photos``.  Importing the package loads no torch; the first use of a name does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from neocog.core.version import __version__

if TYPE_CHECKING:
    from neocog import explain as explain
    from neocog.architectures import create as create
    from neocog.architectures import networks as networks
    from neocog.core.errors import NeocogError as NeocogError
    from neocog.nn.convolutional import fully_convolutional as fully_convolutional
    from neocog.tasks.model import load as load
    from neocog.verbs.check import check as check
    from neocog.verbs.dream import dream as dream
    from neocog.verbs.export import export as export
    from neocog.verbs.generate import generate as generate
    from neocog.verbs.look import look as look
    from neocog.verbs.predict import predict as predict
    from neocog.verbs.test import test as test
    from neocog.verbs.train import train as train
    from neocog.verbs.zoo import zoo as zoo
    from neocog.web.explore import explore as explore


# Where each public name lives; it is imported when it is first asked for.
_HOMES = {
    "NeocogError": "neocog.core.errors",
    "check": "neocog.verbs.check",
    "create": "neocog.architectures",
    "explore": "neocog.web.explore",
    "dream": "neocog.verbs.dream",
    "export": "neocog.verbs.export",
    "fully_convolutional": "neocog.nn.convolutional",
    "generate": "neocog.verbs.generate",
    "load": "neocog.tasks.model",
    "look": "neocog.verbs.look",
    "networks": "neocog.architectures",
    "predict": "neocog.verbs.predict",
    "test": "neocog.verbs.test",
    "train": "neocog.verbs.train",
    "zoo": "neocog.verbs.zoo",
}

__all__ = [
    "NeocogError",
    "__version__",
    "check",
    "create",
    "dream",
    "explain",
    "explore",
    "export",
    "fully_convolutional",
    "generate",
    "load",
    "look",
    "networks",
    "predict",
    "test",
    "train",
    "zoo",
]


def __getattr__(name: str) -> Any:
    if name == "explain":
        return import_module("neocog.explain")
    if name not in _HOMES:
        raise AttributeError(f"module 'neocog' has no attribute {name!r}; it has {', '.join(sorted(__all__))}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
