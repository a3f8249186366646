"""The picture that the courses show: accuracy against multiply-accumulates, a bubble's area the parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neocog.report import svg
from neocog.report.labels import Frame, Label, freeze, write_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Distinct and dark enough for words on white; more families than colours take them again.
COLOURS = (
    "#1f5fae", "#a85400", "#2e7d32", "#b3261e", "#6a4bb5", "#8c5a3c", "#b02a7b", "#4f5b66", "#7a7300", "#00788a",
    "#3949ab", "#5d7a1f", "#d81b60", "#00695c", "#9c6b00", "#7b1fa2", "#c0512f", "#0277bd",
)  # fmt: skip
FILLED = 0.2  # how opaque a bubble is
_LARGEST = 28.0  # radius of the largest bubble, in points
_SHOWN = (1, 5, 25, 60, 140)  # millions of parameters in the legend
_ACCURACIES = (*range(0, 70, 10), 55, 65, 70, 72.5, 75, 77.5, 80, 82, 84, 86, 88, 90, 92, 94, 96, 98, 99)


@dataclass(frozen=True)
class Bubble:
    """One network: ``accuracy`` in percent, ``macs`` and ``params`` as counted; a family has one colour."""

    name: str
    family: str
    macs: int
    accuracy: float
    params: int


def save_comparison(bubbles: Sequence[Bubble], path: Path, *, left_out: int = 0) -> None:
    """Writes the picture as an ``.svg`` or ``.png`` file; ``left_out`` networks had no figure to draw.

    Raises UsageError for another ending, ResourceError where the file cannot be written.
    """
    with svg.drawing():
        svg.save(_figure(bubbles, left_out), path)


def _figure(bubbles: Sequence[Bubble], left_out: int) -> Figure:
    drawn = svg.figure(1180, 800)
    axes = drawn.add_subplot()
    scale = _LARGEST**2 / max(bubble.params for bubble in bubbles)
    radii = [(bubble.params * scale) ** 0.5 for bubble in bubbles]
    colours = _colours(bubbles)
    for bubble, radius in sorted(zip(bubbles, radii, strict=True), key=lambda pair: -pair[1]):
        at, colour, area = (bubble.macs, bubble.accuracy), colours[bubble.family], (2 * radius) ** 2
        axes.scatter(*at, area, colour, alpha=FILLED, linewidths=0)
        axes.scatter(*at, area, "none", edgecolors=colour, alpha=0.6, linewidths=0.7)
        axes.scatter(*at, 7, colour, linewidths=0)
    _axes(axes, bubbles)
    note = "" if not left_out else f"; {left_out} without a published ImageNet error are left out"
    axes.set_title(
        f"ImageNet accuracy and cost of {len(bubbles)} networks{note}", loc="left", fontsize=13, color=svg.INK, pad=12
    )
    freeze(drawn)
    legend = _size_legend(axes, scale, max(bubble.params for bubble in bubbles))
    labels = [
        Label(bubble.name, bubble.macs, bubble.accuracy, radius, colours[bubble.family])
        for bubble, radius in zip(bubbles, radii, strict=True)
    ]
    write_labels(axes, labels, obstacles=[legend])
    return drawn


def _colours(bubbles: Sequence[Bubble]) -> dict[str, str]:
    families = dict.fromkeys(bubble.family for bubble in bubbles)
    return {family: COLOURS[place % len(COLOURS)] for place, family in enumerate(families)}


def _axes(axes: Axes, bubbles: Sequence[Bubble]) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    macs = [bubble.macs for bubble in bubbles]
    accuracies = [bubble.accuracy for bubble in bubbles]
    axes.set(xscale="log", xlabel="multiply-accumulates of one forward pass")
    axes.set_ylabel("top-1 accuracy (scale: logarithm of the error)")
    axes.set_xlim(min(macs) / 1.6, max(macs) * 1.7)
    axes.set_yscale("function", functions=(_to_scale, _from_scale))
    errors = [100 - accuracy for accuracy in accuracies]
    axes.set_ylim(100 - min(1.09 * max(errors), 99.0), 100 - min(errors) / 1.12)
    ticks = [digit * 10.0**power for power in range(3, 12) for digit in (1, 2, 5)]
    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in ticks if low <= tick <= high]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(_macs_tick))
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(FixedLocator([tick for tick in _ACCURACIES if low <= tick <= high]))
    axes.yaxis.set_major_formatter(FuncFormatter(_percent_tick))
    axes.grid(visible=True, axis="both")


def _to_scale(accuracy: Any) -> Any:
    return -np.log(np.maximum(100 - np.asarray(accuracy, float), 1e-3))


def _from_scale(value: Any) -> Any:
    return 100 - np.exp(-np.asarray(value, float))


def _macs_tick(value: float, _position: Any = None) -> str:
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}\N{NO-BREAK SPACE}{unit}"
    return f"{value:g}"


def _percent_tick(value: float, _position: Any = None) -> str:
    return f"{value:g}\N{NO-BREAK SPACE}%"


def _size_legend(axes: Axes, scale: float, largest: int) -> Frame:
    """Draws the bubbles of some round numbers of parameters, lower right, where no network is; returns their box.

    The figure must be frozen: the box, in points, is what labels keep clear of.
    """
    sizes = [(millions, (millions * 1e6 * scale) ** 0.5) for millions in _SHOWN if millions * 1e6 <= 1.1 * largest]
    frame = axes.get_window_extent()
    gap, tall = 22.0, 2 * max((radius for _, radius in sizes), default=0.0)
    right, bottom = frame.width - 24.0, 40.0
    x = right
    words: dict[str, Any] = {"transform": axes.transAxes, "ha": "center", "fontsize": 10, "color": svg.MUTED}
    for millions, radius in reversed(sizes):
        x -= max(radius, 12.0)
        place = (x / frame.width, (bottom + radius) / frame.height)
        axes.scatter(
            *place, (2 * radius) ** 2, svg.MUTED, alpha=0.35, linewidths=0, transform=axes.transAxes, clip_on=False
        )
        axes.text(x / frame.width, (bottom - 14) / frame.height, f"{millions}\N{NO-BREAK SPACE}M", **words)
        x -= max(radius, 12.0) + gap
    title = (bottom + tall + 12) / frame.height
    axes.text((right + x + gap) / 2 / frame.width, title, "parameters", **words)
    return frame.x0 + x, frame.y0 + bottom - 20, frame.x0 + right + 10, frame.y0 + bottom + tall + 28
