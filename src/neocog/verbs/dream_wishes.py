"""What is to be dreamt of: ``LAYER``, ``LAYER:CHANNEL``, ``LAYER:CHANNEL,ROW,COLUMN``, a class; read and checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from torch import nn

from neocog.core.errors import UsageError, near_names
from neocog.core.trace import find_layer
from neocog.explain import objectives
from neocog.explain.objectives import Objective

MOST_OF_A_RANGE = 64


@dataclass(frozen=True)
class Wish:
    """One dream's aim: a layer, its unit (a channel, or a channel and its place), or a class by number and name."""

    layer: str | None = None
    unit: tuple[int, ...] | None = None
    label: int | None = None
    name: str = ""

    @property
    def words(self) -> str:
        """How a person would say it: ``c3:5``, ``c3:5,2,4``, ``c3``, ``class cat``."""
        if self.layer is None:
            return f"class {self.name}"
        return self.layer + ("" if self.unit is None else f":{','.join(map(str, self.unit))}")

    @property
    def objective(self) -> Objective:
        """What is to be made large."""
        if self.layer is None:
            assert self.label is not None
            return objectives.logit(self.label)
        if self.unit is None:
            return objectives.layer(self.layer)
        if len(self.unit) == 1:
            return objectives.channel(self.layer, self.unit[0])
        return objectives.unit(self.layer, self.unit[0], self.unit[1:])


def read_wishes(layers: Iterable[str], labels: Iterable[str], network: nn.Module, classes: Sequence[str]) -> list[Wish]:
    """Returns the wishes in order, layers before classes; ``c3:0-8`` are nine.

    A class is told by its name, or by its number where no class is called so.

    Raises NetworkError for a layer that is not there and UsageError for the rest, with near names.
    """
    wishes = [wish for text in layers for wish in _of_layer(text, network)]
    wishes += [_of_class(text, classes) for text in labels]
    if not wishes:
        raise UsageError("nothing to dream of: name a layer, as in c3:5 (`neocog zoo NAME` lists them), or a --class.")
    return list(dict.fromkeys(wishes))


def _of_layer(text: str, network: nn.Module) -> list[Wish]:
    layer, told, unit = text.partition(":")
    find_layer(network, layer)
    if not told:
        return [Wish(layer)]
    if found := re.fullmatch(r"(\d+)-(\d+)", unit):
        first, last = int(found[1]), int(found[2])
        if not first <= last < first + MOST_OF_A_RANGE:
            raise UsageError(f"a range of channels goes up, {MOST_OF_A_RANGE} at most, as in 0-8; got {text!r}.")
        return [Wish(layer, (channel,)) for channel in range(first, last + 1)]
    if not re.fullmatch(r"\d+(,\d+)*", unit):
        raise UsageError(
            f"a unit is a channel, as in {layer}:5, channels {layer}:0-8, or a channel and its place, as in "
            f"{layer}:5,2,4; got {text!r}."
        )
    return [Wish(layer, tuple(int(number) for number in unit.split(",")))]


def _of_class(text: str, classes: Sequence[str]) -> Wish:
    if text in classes:
        return Wish(label=classes.index(text), name=text)
    if text.isdecimal() and int(text) < len(classes):
        return Wish(label=int(text), name=classes[int(text)])
    raise UsageError(
        f"the model has no class {text!r}.{near_names(text, classes)} It has {len(classes)}, or give a number from 0."
    )
