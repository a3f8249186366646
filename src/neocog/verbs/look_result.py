"""What `neocog.look` returns: each picture with its answers and its figures, as tensors and as files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from neocog.report.thumbnails import Pixels
from neocog.verbs.look_trust import Trust


@dataclass(frozen=True, eq=False)
class Figure:
    """What one method shows, of one picture or, where it needs none, of the network.

    ``layer`` and ``unit`` (channel, or channel and place) are those that were looked at, ``target`` the class that is
    explained, with its ``score`` (logit) and its ``probability``. ``values`` is the method's result without the batch;
    ``drawn`` the sheet, uint8 (H, W, 3), and ``file`` where it was written. A method that refused has its reason in
    ``error`` and neither. ``note`` is a sentence about this result; ``trust`` None where it was not asked for.
    """

    method: str
    title: str
    layer: str | None = None
    unit: tuple[int, ...] | None = None
    target: str | None = None
    score: float | None = None
    probability: float | None = None
    values: Tensor | None = None
    drawn: Pixels | None = None
    file: Path | None = None
    trust: Trust | None = None
    seconds: float = 0.0
    note: str = ""
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        """Returns all but the numbers and the sheet themselves as plain values."""
        plain = {name: getattr(self, name) for name in _PLAIN}
        return {
            **plain,
            "unit": None if self.unit is None else list(self.unit),
            "file": None if self.file is None else self.file.as_posix(),
            "trust": None if self.trust is None else finite(asdict(self.trust)),
            "error": self.error or None,
        }


_PLAIN = ("method", "title", "layer", "target", "score", "probability", "seconds", "note")


@dataclass(frozen=True, eq=False)
class Looked:
    """One picture: its name, what the network saw of it (``picture``, uint8 (C, H, W)), its answers, its figures.

    ``answers`` are the most probable classes with their probabilities. A picture that could not be read has the reason
    in ``error`` and nothing else.
    """

    input: str
    picture: Tensor | None = None
    answers: tuple[tuple[str, float], ...] = ()
    figures: tuple[Figure, ...] = ()
    error: str = ""

    @property
    def shown(self) -> tuple[Figure, ...]:
        """The figures that are not refusals."""
        return tuple(figure for figure in self.figures if not figure.error)

    def to_json(self) -> dict[str, Any]:
        """Returns all but the pixels as plain values."""
        return {
            "input": self.input,
            "error": self.error or None,
            "prediction": [{"class": name, "probability": chance} for name, chance in self.answers],
            "figures": [figure.to_json() for figure in self.figures],
        }


@dataclass(frozen=True, eq=False)
class Look:
    """All pictures, and the figures of the network alone (its filters); ``folder`` is where they were written."""

    model: str
    network: str
    classes: tuple[str, ...]
    pictures: tuple[Looked, ...]
    figures: tuple[Figure, ...] = ()
    folder: Path | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def report(self) -> Path | None:
        """The report page."""
        return None if self.folder is None else self.folder / "report.html"

    @property
    def refused(self) -> tuple[Looked, ...]:
        """The pictures that could not be read."""
        return tuple(each for each in self.pictures if each.error)

    @property
    def all_figures(self) -> tuple[Figure, ...]:
        """The figures of the network and of all pictures, refusals included."""
        return (*self.figures, *(figure for each in self.pictures for figure in each.figures))

    def to_json(self) -> dict[str, Any]:
        """Returns everything but pixels as plain values; files are relative to the folder."""
        return {
            "model": self.model,
            "network": self.network,
            "notes": list(self.notes),
            "figures": [figure.to_json() for figure in self.figures],
            "pictures": [each.to_json() for each in self.pictures],
        }


def finite(values: dict[str, Any]) -> dict[str, Any]:
    """Returns the values with None for numbers that JSON does not have."""
    return {
        name: None if isinstance(each, float) and not math.isfinite(each) else each for name, each in values.items()
    }


def refusals(figures: Sequence[Figure]) -> tuple[tuple[str, str], ...]:
    """Returns the methods that refused, each with its reason, each pair once."""
    return tuple(dict.fromkeys((figure.title, figure.error) for figure in figures if figure.error))
