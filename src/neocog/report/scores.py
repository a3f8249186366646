"""How good each class is, and whether the network knows when it is right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neocog.report.charts import Floats, calibration_chart
from neocog.report.markup import Column, Html, disclosure, fraction, join, name, paragraph, percent, table, text
from neocog.report.page import Section

SHOWN_CLASSES = 20
MOST_CLASSES = 1000


def accuracy_verdict(
    right: float, count: int, interval: tuple[float, float], *, what: str = "held-out pictures"
) -> str:
    """Returns ``98.6 % of 360 held-out pictures right (95 % interval 96.8 to 99.4 %)``; ``right`` is a fraction."""
    low, high = (percent(end).removesuffix("\N{NO-BREAK SPACE}%") for end in interval)
    ends = f"95\N{NO-BREAK SPACE}% interval {low} to {high}\N{NO-BREAK SPACE}%"
    return f"{percent(right)} of {count:,} {what} right ({ends})"


@dataclass(frozen=True)
class ClassRow:
    """One class: its scores as fractions (NaN: undefined), its samples, and the ends of the interval of its recall."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int
    low: float
    high: float


_COLUMNS = (
    Column("Class"),
    Column("Precision", True),
    Column("Recall", True),
    Column("F1", True),
    Column("Samples", True),
    Column("Recall, 95 % interval"),
)


def classes_section(rows: Sequence[ClassRow]) -> Section:
    """Returns the table of classes, the worst F1 first; beyond 20 they are folded away, beyond 1000 left out."""
    ordered = sorted(rows, key=_badness)
    lead = paragraph(
        "Worst first. Precision: of those called so, the share that is. Recall: of those that are, the share that was "
        "found. F1: their harmonic mean. The bar is the range in which the true recall lies.",
        class_="lead",
    )
    head = table("Scores by class", _COLUMNS, [_cells(row) for row in ordered[:SHOWN_CLASSES]])
    rest = ordered[SHOWN_CLASSES:MOST_CLASSES]
    if not rest:
        return Section("Classes", join((lead, head)))
    folded = table("Scores by class, the others", _COLUMNS, [_cells(row) for row in rest])
    return Section(
        "Classes", join((lead, head, disclosure(f"The next {len(rest):,} of {len(rows):,} classes", folded)))
    )


def _badness(row: ClassRow) -> tuple[bool, float, int]:
    """Classes without a score come last; among equals, the one with more samples first."""
    missing = not math.isfinite(row.f1)
    return missing, 0.0 if missing else row.f1, -row.support


def _cells(row: ClassRow) -> tuple[Html, ...]:
    scores = (row.precision, row.recall, row.f1)
    return (name(row.label), *(text(fraction(score)) for score in scores), text(f"{row.support:,}"), _interval(row))


def _interval(row: ClassRow) -> Html:
    if not (row.support and math.isfinite(row.low) and math.isfinite(row.high)):
        return Html("–")
    at = "".join(
        f"--{key}:{value * 100:.1f};" for key, value in zip("lmh", (row.low, row.recall, row.high), strict=True)
    )
    return Html(f'<i class=iv style="{at[:-1]}"></i><span>{row.low:.2f} to {row.high:.2f}</span>')


@dataclass(frozen=True)
class Calibration:
    """The reliability curve in M bins: ``edges`` (M + 1,); ``counts``, ``confidence``, ``accuracy`` (M,); ``error``
    the expected calibration error (Guo et al. 2017, equation 3), a fraction.
    """

    edges: Floats
    counts: NDArray[np.integer[Any]]
    confidence: Floats
    accuracy: Floats
    error: float


def calibration_section(calibration: Calibration) -> Section:
    """Returns the curve with a sentence that says how to read it."""
    words = (
        f"Expected calibration error {percent(calibration.error)}: so far, on average, the stated probability is from "
        "the share of answers that were right. On the dashed line the two agree; below it the network is too sure of "
        "itself, above it too modest. The bars are the share of answers at each confidence."
    )
    chart = calibration_chart(calibration.edges, calibration.counts, calibration.confidence, calibration.accuracy)
    body = Html(f'<div class="charts one"><figure>{chart}</figure></div>')
    return Section("Calibration", join((paragraph(words, class_="lead"), body)))
