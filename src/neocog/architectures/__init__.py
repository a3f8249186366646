"""The networks, one file a paper; each is known to the rest by its record."""

from __future__ import annotations

import copy
import inspect
import logging
import pkgutil
from collections.abc import Callable
from functools import cache
from importlib import import_module
from numbers import Integral
from pathlib import Path
from typing import Any

import torch
from torch import nn

from neocog.core import registry
from neocog.core.errors import NetworkError, UsageError, near_names
from neocog.core.foreign import Opened, open_named, open_weights, options_for
from neocog.core.own import is_own, own_record
from neocog.core.registry import Record, Weights
from neocog.core.weights import HEAD, fit

MOST_NAMED = 5


@cache
def _import_all() -> None:
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")


def records() -> tuple[Record, ...]:
    """Returns the records of all networks, by year and name."""
    _import_all()
    return registry.records()


def record(name: str) -> Record:
    """Returns one network's record; ``module:function`` is a network of the user's own, whose code is then imported.

    Raises NetworkError, with near names, when there is none.
    """
    if not isinstance(name, str):
        raise NetworkError(f"a network is called by its name, such as 'resnet18'; got {name!r:.60}.")
    if is_own(name):
        return own_record(name)
    _import_all()
    return registry.find(name)


def networks(task: str | None = None) -> tuple[str, ...]:
    """Returns the names of the networks, by year; of one task, if it is named in full or by its first word.

    Raises UsageError, with near names, for a task that no network is for.
    """
    found = tuple(each.name for each in records() if task is None or f"{each.task} ".startswith(f"{task} "))
    if not found:
        tasks = sorted({each.task for each in records()})
        raise UsageError(
            f"no network is for the task {task!r}.{near_names(task or '', tasks)} Tasks: {', '.join(tasks)}."
        )
    return found


def create(
    name: str,
    *,
    classes: int | None = None,
    channels: int | None = None,
    weights: str | Path | None = None,
    say: Callable[[str], None] | None = None,
    **options: Any,
) -> nn.Module:
    """Builds a network, freshly initialised from torch's generator or with trained weights.

    ``name`` is one of `networks`, or ``module:function`` for a network of the user's own. ``classes`` and ``channels``
    are the published ones unless given; with weights from a file, ``classes`` is what the file has unless given.
    ``weights`` is ``"imagenet"`` (those that come with a dependency, else downloaded to the cache and verified); a file
    in our own naming, such as a run's ``model.safetensors``, or in another that is recognised;
    ``"torchvision:FILE"``, ``"timm:FILE"`` or ``"keras:FILE"``; or an https address in the place of a file, which has
    the SHA-256 in its name or behind it (``#sha256=HEX``). Where ``classes`` differs from the weights', the head stays
    freshly initialised; with ``channels=1`` and weights for three, the kernels of the first layer are summed over the
    channels. What was left out of a file is told to ``say``, which logs it unless given. ``options`` are the network's
    own: ``dropout`` where it has any; ``size``, the input's height and width, where its dense layers depend on it (a
    network that takes any size ignores it). ``None`` stands for what was published, and for
    the padding that Keras's weights need.

    Raises NetworkError for an unknown network or option, and for weights that do not fit; ModelFileError for a weights
    file that cannot be read; ResourceError for one that cannot be fetched or has another hash.
    """
    entry = record(name)
    channels = entry.input[0] if channels is None else channels
    known = _checked(entry, options)
    if weights is not None:
        known = {**options_for(entry, weights), **known}
    opened = None if weights is None else _opened(entry, weights, known)
    chosen = ((opened.classes if opened else None) or entry.classes) if classes is None else classes
    size = {"size": options["size"]} if options.get("size") is not None and not is_own(name) else {}
    _refuse_below_one(classes=chosen, channels=channels, **size)
    network = _made(entry, classes=chosen, channels=channels, **known)
    if opened is not None:
        notes = _filled(entry, network, opened, channels, known, headless=classes is not None)
        for line in notes:
            (say or _log)(line)
    return network


def weights_of(name: str, weights: str = "imagenet") -> Weights:
    """Returns the record of a network's weights and of the preprocessing that they expect.

    Raises NetworkError when the network has none of that name.
    """
    entry = record(name)
    for each in entry.weights:
        if each.name == weights:
            return each
    holders = [each.name for each in records() if any(own.name == weights for own in each.weights)]
    if not holders:
        near = near_names(weights, {own.name for each in records() for own in each.weights})
        raise NetworkError(
            f"no weights are called {weights!r}.{near} Or give a file, torchvision:FILE, timm:FILE or keras:FILE."
        )
    shown = ", ".join(holders[:MOST_NAMED]) + (f" and {len(holders) - MOST_NAMED} more" * (len(holders) > MOST_NAMED))
    raise NetworkError(
        f"no {weights!r} weights are known for {entry.name}; networks that have some: {shown} (`neocog zoo`). "
        "Give a file, or torchvision:FILE for one in torchvision's naming."
    )


def replace_head(network: nn.Module, classes: int) -> nn.Module:
    """Gives the network, in place, a freshly initialised ``head`` for another number of classes, and returns it.

    So get its auxiliary heads, any layer called ``head``. A dense head, or a 1x1 convolution as a head, starts at zero
    bias and small weights (normal, deviation 0.01), so that the first steps of fine-tuning do not upset the layers
    below.

    Raises NetworkError when the network has no ``head``, or one of another kind.
    """
    _head(network)
    _refuse_below_one(classes=classes)
    heads = [name for name, _ in network.named_modules() if name.rsplit(".", 1)[-1] == HEAD]
    fresh = {name: _fresh_head(network.get_submodule(name), classes) for name in heads}
    for name, head in fresh.items():
        network.get_submodule(name.rpartition(".")[0]).add_module(HEAD, head)
    return network


def _fresh_head(head: nn.Module, classes: int) -> nn.Module:
    if isinstance(head, nn.Conv2d):
        if head.kernel_size != (1, 1):
            raise NetworkError("the head is a convolution of more than 1x1, so no other head can take its place.")
        fresh: nn.Module = nn.Conv2d(head.in_channels, classes, 1, bias=head.bias is not None)
    else:
        features: Any = getattr(head, "in_features", None)
        if not isinstance(features, int):
            raise NetworkError(
                f"the head is a {type(head).__name__} without in_features, so no other head can take its place."
            )
        fresh = type(head)(features, classes)
    if isinstance(fresh, (nn.Linear, nn.Conv2d)):
        nn.init.normal_(fresh.weight, std=0.01)
        if fresh.bias is not None:
            nn.init.zeros_(fresh.bias)
    return fresh


def headless(network: nn.Module) -> nn.Module:
    """Returns a copy of the network without its ``head``: it gives features (B, F) instead of logits.

    Where the head is a convolution, the layers behind it, pooling at least, go over the features in its place.

    Raises NetworkError when the network has no ``head``.
    """
    _head(network)
    body = copy.deepcopy(network)
    body.add_module("head", nn.Identity())
    return body


def _head(network: nn.Module) -> nn.Module:
    head = dict(network.named_children()).get("head")
    if head is None:
        raise NetworkError("the network has no layer called 'head'; networks made by neocog.create have one.")
    return head


def _opened(entry: Record, weights: str | Path, options: dict[str, Any]) -> Opened:
    """Reads the weights, whose naming is recognised by the names that the network has."""
    text = str(weights)
    if isinstance(weights, str) and not any(sign in text for sign in "./:"):
        return open_named(entry, weights_of(entry.name, text))
    return open_weights(entry, weights, lambda: _names(entry, options))


def _names(entry: Record, options: dict[str, Any]) -> tuple[str, ...]:
    """Returns the names in the network's state, which is built without memory for its numbers."""
    with torch.device("meta"):
        return tuple(entry.build(classes=entry.classes, channels=entry.input[0], **options).state_dict())


def _filled(
    entry: Record, network: nn.Module, opened: Opened, channels: int, options: dict[str, Any], *, headless: bool
) -> tuple[str, ...]:
    """Fits the weights to the network and returns the lines on what was done with them."""
    sides = (options["size"],) * (len(entry.input) - 1) if "size" in options else entry.input[1:]
    state = opened.state(network, (channels, *sides))
    return (*opened.notes, *fit(network, state, source=opened.source, headless=headless))


def _log(line: str) -> None:
    logging.getLogger("neocog").warning(line)


def _checked(entry: Record, options: dict[str, Any]) -> dict[str, Any]:
    """Returns the options that are set, and refuses those that the network does not have."""
    known = [name for name in inspect.signature(entry.build).parameters if name not in ("classes", "channels")]
    chosen = {name: value for name, value in options.items() if value is not None}
    if "size" not in known:
        chosen.pop("size", None)  # networks that end in a global pooling take any size
    for name in chosen:
        if name not in known:
            has = f"has the options {', '.join(known)}" if known else "has no options"
            raise NetworkError(f"{entry.name} has no {name!r}; it {has}.{near_names(name, known)}")
    return chosen


def _made(entry: Record, **arguments: Any) -> nn.Module:
    """Builds the network; a builder of the zoo that stumbles over an option's value says so in our words."""
    try:
        return entry.build(**arguments)
    except (TypeError, ValueError) as error:
        given = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        said = " ".join(str(error).split())[:120]
        raise NetworkError(f"{entry.name} cannot be built with {given}: {said}; give other values.") from error


def _refuse_below_one(**numbers: Any) -> None:
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, Integral):
            raise NetworkError(f"{name} should be a whole number, 1 or more, got {number!r:.60}.")
        if number < 1:
            raise NetworkError(f"{name} should be 1 or more, got {number}.")
