"""The charts of a report, each from plain numbers to an SVG; what a chart shows is said in words beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neocog.report import svg
from neocog.report.markup import Html, number, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """One line of a chart: ``y`` against ``x``, points that are not finite left out; the main line is drawn solid."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    main: bool = True


def line_chart(
    title: str,
    lines: Sequence[Line],
    *,
    x_label: str = "epoch",
    boundaries: Sequence[float] = (),
    marked: float | None = None,
    percents: bool = False,
) -> Html:
    """Returns lines over epochs.

    ``boundaries`` are drawn as dotted uprights (where a phase begins); at ``marked`` each main line has a ring;
    ``percents`` writes fractions as percentages.
    """
    with svg.drawing():
        drawn = svg.figure(340, 230)
        axes = drawn.add_subplot()
        finite = [_finite(line) for line in lines]
        for line, (x, y) in zip(lines, finite, strict=True):
            _draw_line(axes, line, x, y, marked)
        for boundary in boundaries:
            axes.axvline(boundary, color=svg.MUTED, linewidth=0.8, linestyle=(0, (1, 3)))
        _epoch_axes(axes, np.concatenate([x for x, _ in finite] or [np.empty(0)]), x_label, percents)
        if len(lines) > 1:
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(lines), borderaxespad=0.2)
        return svg.to_svg(drawn, title, _described(lines, finite, percents))


def _draw_line(axes: Axes, line: Line, x: Floats, y: Floats, marked: float | None) -> None:
    colour = svg.ACCENT if line.main else svg.MUTED
    style = "-" if line.main else (0, (4, 2))
    dots = "o" if len(x) < 3 else ""
    axes.plot(x, y, color=colour, linestyle=style, label=line.label, marker=dots, markersize=4)
    ringed = (x == marked) & line.main
    if ringed.any():
        axes.plot(
            x[ringed],
            y[ringed],
            "o",
            markersize=7,
            markerfacecolor=svg.PAPER,
            markeredgecolor=colour,
            markeredgewidth=1.8,
        )


def _epoch_axes(axes: Axes, x: Floats, x_label: str, percents: bool) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_xlabel(x_label)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
    axes.yaxis.set_major_formatter(FuncFormatter(_percent_tick if percents else _tick))
    if len(x) and x.min() == x.max():
        axes.set_xlim(x[0] - 0.5, x[0] + 0.5)


def _finite(line: Line) -> tuple[Floats, Floats]:
    x, y = np.asarray(line.x, float), np.asarray(line.y, float)
    kept = np.isfinite(x) & np.isfinite(y)
    return x[kept], y[kept]


def _described(lines: Sequence[Line], finite: Sequence[tuple[Floats, Floats]], percents: bool) -> str:
    write = percent if percents else number
    said = [
        f"{line.label}: from {write(float(y[0]))} to {write(float(y[-1]))}, "
        f"lowest {write(float(y.min()))}, highest {write(float(y.max()))}."
        for line, (_, y) in zip(lines, finite, strict=True)
        if len(y)
    ]
    return " ".join(said) or "No points."


def _tick(value: float, _position: Any = None) -> str:
    return f"{value:.6g}"


def _percent_tick(value: float, _position: Any = None) -> str:
    return f"{value * 100:.6g}\N{NO-BREAK SPACE}%"


def calibration_chart(edges: Floats, counts: NDArray[Any], confidence: Floats, accuracy: Floats) -> Html:
    """Returns the reliability curve over the histogram of confidence.

    ``edges`` (M + 1,), ``counts``, ``confidence`` and ``accuracy`` (M,), fractions; bins without samples are left out.
    """
    with svg.drawing():
        drawn = svg.figure(340, 330)
        curve, histogram = drawn.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        filled = (np.asarray(counts) > 0) & np.isfinite(confidence) & np.isfinite(accuracy)
        curve.plot((0, 1), (0, 1), color=svg.MUTED, linewidth=1, linestyle=(0, (4, 2)))
        curve.plot(confidence[filled], accuracy[filled], color=svg.ACCENT, marker="o", markersize=5)
        shares = np.asarray(counts) / max(int(np.sum(counts)), 1)
        histogram.bar(edges[:-1], shares, np.diff(edges), align="edge", color=svg.ACCENT, alpha=0.35, linewidth=0)
        _calibration_axes(curve, histogram)
        said = [
            f"At confidence {percent(float(c))}, {percent(float(a))} right."
            for c, a in zip(confidence[filled], accuracy[filled], strict=True)
        ]
        return svg.to_svg(drawn, "Share of right answers by confidence", " ".join(said) or "No points.")


def _calibration_axes(curve: Axes, histogram: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    curve.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="right")
    curve.yaxis.set_major_formatter(FuncFormatter(_percent_tick))
    histogram.set(xlabel="confidence", ylabel="share")
    histogram.yaxis.set_major_locator(MaxNLocator(2))
    histogram.yaxis.set_major_formatter(FuncFormatter(_percent_tick))
    histogram.xaxis.set_major_formatter(FuncFormatter(_percent_tick))


@dataclass(frozen=True)
class RateSearch:
    """What the learning-rate finder saw: ``losses`` at rising ``rates``, and the rate it suggests (None: no advice)."""

    rates: Sequence[float]
    losses: Sequence[float]
    suggestion: float | None


def rate_search_chart(search: RateSearch) -> Html:
    """Returns the loss against the learning rate, for a page."""
    with svg.drawing():
        found = number(search.suggestion) if search.suggestion is not None else "none"
        described = f"{_described(*_one(search), percents=False)} Suggested learning rate: {found}."
        return svg.to_svg(_rate_search_figure(search), "Loss against learning rate", described)


def save_rate_search(search: RateSearch, path: Path) -> None:
    """Writes the same picture as an ``.svg`` or ``.png`` file.

    Raises UsageError for another ending, ResourceError where the file cannot be written.
    """
    with svg.drawing():
        svg.save(_rate_search_figure(search), path)


def _one(search: RateSearch) -> tuple[list[Line], list[tuple[Floats, Floats]]]:
    line = Line("Loss", search.rates, search.losses)
    return [line], [_finite(line)]


def _rate_search_figure(search: RateSearch) -> Figure:
    from matplotlib.ticker import FuncFormatter, LogLocator

    drawn = svg.figure(420, 260)
    axes = drawn.add_subplot()
    axes.set(xscale="log", xlabel="learning rate", ylabel="loss")
    axes.xaxis.set_major_locator(LogLocator(numticks=7))
    axes.xaxis.set_major_formatter(FuncFormatter(_tick))
    [(x, y)] = _one(search)[1]
    x, y = x[x > 0], y[x > 0]
    if len(x):
        axes.plot(x, y, color=svg.ACCENT, marker="o" if len(x) < 3 else "", markersize=4)
        axes.set_ylim(*_readable_losses(y))
    if search.suggestion is not None:
        axes.axvline(
            search.suggestion, color=svg.SECOND, linewidth=1.4, label=f"suggested: {number(search.suggestion)}"
        )
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)
    return drawn


def _readable_losses(losses: Floats) -> tuple[float, float]:
    """Where the loss explodes at the end, the axis stops above the start: the valley is what matters."""
    low, start = float(losses.min()), float(losses[0])
    room = max(start - low, 0.05 * abs(low), 1e-6)
    return low - 0.1 * room, min(float(losses.max()), low + 1.6 * room) + 0.1 * room
