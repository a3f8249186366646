"""What measuring a model leaves, whatever its task is: all that summaries, reports, tables and commands read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from neocog.core.contract import ModelContract
from neocog.tasks.statistics import Interval

Table = list[list[Any]]


@dataclass(frozen=True)
class Refused:
    """A sample that could not be read: its own name and the reason."""

    name: str
    reason: str


@dataclass(frozen=True)
class Occasion:
    """What is measured on: the data as the user named them, the part, a sentence about both, and what is doubtful."""

    data: str
    part: str
    statement: str
    warnings: tuple[str, ...] = ()


class Result(Protocol):
    """What a model answered for one part of a data set, and the figures that follow."""

    @property
    def contract(self) -> ModelContract:
        """The model's contract."""

    @property
    def data(self) -> str:
        """The data as the user named them."""

    @property
    def part(self) -> str:
        """The part that was measured on, or ``"all"``."""

    @property
    def statement(self) -> str:
        """A sentence that says what was measured on."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes the figures doubtful."""

    @property
    def refused(self) -> Sequence[Refused]:
        """The samples that could not be read."""

    @property
    def samples(self) -> int:
        """Number of samples that were answered."""

    @property
    def what(self) -> str:
        """The word for the samples: samples, sentences, bags, characters, words."""

    @property
    def metrics(self) -> Mapping[str, float]:
        """The figures under the field's names, as fractions but for losses."""

    @property
    def intervals(self) -> Mapping[str, Interval]:
        """95 % intervals of some of the figures."""

    def verdict(self, which: str = "") -> str:
        """Returns the figure that matters most in a clause for people; ``which`` stands before the samples' word."""

    def to_json(self) -> dict[str, Any]:
        """Returns everything as plain values; NaN, for what has no meaning, as None."""

    def tables(self) -> dict[str, Table]:
        """Returns tables by name, each with its header: ``classes`` a row a class, ``answers`` a row a sample, ..."""


def number(value: float) -> float | None:
    """Returns a figure as JSON has it: None for NaN."""
    return None if value != value else float(value)  # noqa: PLR0124 - NaN
