"""The networks, one file a paper; each is known to the rest by its record."""

from __future__ import annotations

import copy
import inspect
import pkgutil
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from torch import nn

from neocog.core import registry
from neocog.core.errors import NetworkError, UsageError, near_names
from neocog.core.registry import Record, Weights
from neocog.core.weights import State, classes_in, fit, read_state, renamed

TORCHVISION = "torchvision:"


@cache
def _import_all() -> None:
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")


def records() -> tuple[Record, ...]:
    """Returns the records of all networks, by year and name."""
    _import_all()
    return registry.records()


def record(name: str) -> Record:
    """Returns one network's record.

    Raises NetworkError, with near names, when there is none.
    """
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
    **options: Any,
) -> nn.Module:
    """Builds a network, freshly initialised from torch's generator or with trained weights.

    ``classes`` and ``channels`` are the published ones unless given; with weights from a file, ``classes`` is what
    the file has unless given. ``weights`` is ``"imagenet"`` for those that come with a dependency,
    ``"torchvision:FILE"`` for a file in torchvision's naming, or a file in our own, such as a run's
    ``model.safetensors``. Where ``classes`` differs from the weights', the head stays freshly initialised; with
    ``channels=1`` and weights for three, the kernels of the first layer are summed over the channels. ``options`` are
    the network's own: ``dropout`` where it has any; ``size``, the input's height and width, where its dense layers
    depend on it (a network that takes any size ignores it). ``None`` stands for what was published.

    Raises NetworkError for an unknown network or option, and for weights that do not fit; ModelFileError for a weights
    file that cannot be read.
    """
    entry = record(name)
    state, source = _state(entry, weights)
    if classes is None:
        classes = (classes_in(state) if state else None) or entry.classes
    channels = entry.input[0] if channels is None else channels
    _refuse_below_one(classes=classes, channels=channels)
    network = entry.build(classes=classes, channels=channels, **_checked(entry, options))
    return fit(network, state, source=source) if state else network


def weights_of(name: str, weights: str = "imagenet") -> Weights:
    """Returns the record of a network's weights and of the preprocessing that they expect.

    Raises NetworkError when the network has none of that name.
    """
    for entry in record(name).weights:
        if entry.name == weights:
            return entry
    holders = ", ".join(each.name for each in records() if any(entry.name == weights for entry in each.weights))
    raise NetworkError(
        f"no {weights!r} weights come with {name}; networks that have some: {holders or 'none'}. "
        "Give a file, or torchvision:FILE for one in torchvision's naming."
    )


def replace_head(network: nn.Module, classes: int) -> nn.Module:
    """Gives the network, in place, a freshly initialised ``head`` for another number of classes, and returns it.

    A dense head starts at zero bias and small weights (normal, deviation 0.01), so that the first steps of
    fine-tuning do not upset the layers below.

    Raises NetworkError when the network has no ``head``.
    """
    head = _head(network)
    _refuse_below_one(classes=classes)
    features: Any = getattr(head, "in_features", None)
    if not isinstance(features, int):
        raise NetworkError(
            f"the head is a {type(head).__name__} without in_features, so no other head can take its place."
        )
    fresh = type(head)(features, classes)
    if isinstance(fresh, nn.Linear):
        nn.init.normal_(fresh.weight, std=0.01)
        nn.init.zeros_(fresh.bias)
    network.add_module("head", fresh)
    return network


def headless(network: nn.Module) -> nn.Module:
    """Returns a copy of the network that ends before its ``head``: it gives features (B, F) instead of logits.

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


def _state(entry: Record, weights: str | Path | None) -> tuple[State, str]:
    """Returns the weights in our naming, empty for none, and a word on where they come from."""
    if weights is None:
        return {}, ""
    text = str(weights)
    if text.startswith(TORCHVISION):
        table = entry.renames.get("torchvision")
        if table is None:
            raise NetworkError(f"torchvision has no {entry.name}, so there is no translation of its names.")
        return renamed(read_state(Path(text.removeprefix(TORCHVISION))), table), text
    if isinstance(weights, Path) or "." in text or "/" in text:
        return read_state(Path(text)), text
    return dict(weights_of(entry.name, text).load()), f"{entry.name}'s {text} weights"


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


def _refuse_below_one(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise NetworkError(f"{name} should be 1 or more, got {number}.")
