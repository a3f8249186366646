"""What a race between networks leaves: a table in Markdown, and accuracy by year, size, cost and time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neocog.report import svg
from neocog.report.comparison import COLOURS
from neocog.report.labels import Label, freeze, write_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Finish:
    """How one network did: fractions of the ``n`` test pictures, with the ends of the 95 % interval.

    ``macs`` are counted at the race's input, ``seconds`` those in the training loop. With several ``runs``, of as many
    seeds, figures are their means and ``spread`` is the largest top-1 less the smallest. A network that failed has its
    ``error`` and nothing else.
    """

    network: str
    year: int | None
    params: int | None = None
    macs: int | None = None
    epochs: int | None = None
    seconds: float = nan
    top1: float = nan
    low: float = nan
    high: float = nan
    spread: float = nan
    n: int | None = None
    runs: int = 0
    error: str = ""


def race_page(protocol: Mapping[str, Any], results: Sequence[Finish], *, picture: str | None = None) -> str:
    """Returns the page: the protocol, the table with the best network first, and the ``picture``'s link."""
    done = sorted((each for each in results if not each.error), key=lambda each: -each.top1)
    failed = [each for each in results if each.error]
    several = any(each.runs > 1 for each in done)
    heads = ["network", "year", "parameters", "MACs", "epochs", "training", "test top-1", "95 % interval"]
    rows = [[*_cells(each), *([_spread(each)] if several else [])] for each in done]
    rows += [[each.network, str(each.year or ""), *[""] * 4, "failed", *[""] * (1 + several)] for each in failed]
    lines = [f"# A race on {protocol['data']}", ""]
    lines += [f"- {line}" for line in protocol_lines(protocol)]
    lines += ["", *_table([*heads, *(["spread of seeds"] if several else [])], rows), ""]
    lines += [
        "The interval is Wilson's for one run on these test pictures: it says nothing of other seeds or other data. "
        "Training is the time in the training loop on this machine, validation included; MACs are at this input."
    ]
    if failed:
        lines += ["", *(f"- {each.network} failed: {each.error}" for each in failed)]
    if picture:
        lines += ["", f"![Accuracy by year, parameters, multiply-accumulates and training time]({picture})"]
    return "\n".join(lines) + "\n"


def protocol_lines(protocol: Mapping[str, Any]) -> list[str]:
    """Returns what holds for all networks of a race, a line each."""
    return [f"{key}: {_in_words(value)}" for key, value in protocol.items() if value is not None]


def _cells(each: Finish) -> list[str]:
    return [
        each.network,
        str(each.year or ""),
        f"{each.params:,}",
        f"{each.macs:,}",
        str(each.epochs),
        f"{each.seconds:.1f} s",
        f"{100 * each.top1:.2f} %",
        f"{100 * each.low:.1f} to {100 * each.high:.1f} %",
    ]


def _spread(each: Finish) -> str:
    return f"{100 * each.spread:.2f} points over {each.runs}" if each.runs > 1 else ""


def _in_words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{count:,} {name}" for name, count in value.items())
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    words = [[cell.replace("|", "\\|") for cell in row] for row in [heads, *rows]]
    widths = [max(len(row[column]) for row in words) for column in range(len(heads))]
    written = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in words
    ]
    return [written[0], "| " + " | ".join("-" * width for width in widths) + " |", *written[1:]]


def save_race(protocol: Mapping[str, Any], results: Sequence[Finish], path: Path) -> None:
    """Writes accuracy against year, parameters, multiply-accumulates and time as one ``.svg`` or ``.png`` file.

    Raises UsageError for another ending, ResourceError where the file cannot be written.
    """
    done = [each for each in results if not each.error]
    with svg.drawing():
        svg.save(_figure(str(protocol["data"]), done), path)


_PANELS: tuple[tuple[str, Callable[[Finish], float | None], bool], ...] = (
    ("year of the paper", lambda each: each.year, False),
    ("parameters", lambda each: each.params, True),
    ("multiply-accumulates a picture", lambda each: each.macs, True),
    ("seconds in training", lambda each: each.seconds, True),
)


def _figure(data: str, done: Sequence[Finish]) -> Figure:
    drawn = svg.figure(1180, 900)
    panels = drawn.subplots(2, 2, sharey=True).flat
    colours = {each.network: COLOURS[place % len(COLOURS)] for place, each in enumerate(done)}
    for axes, (title, value, logarithmic) in zip(panels, _PANELS, strict=True):
        _panel(axes, done, value, title, logarithmic=logarithmic, colours=colours)
    n = max((each.n or 0 for each in done), default=0)
    drawn.suptitle(
        f"Test accuracy on {data} under one protocol, with 95 % intervals ({n:,} test pictures)",
        x=0.01, ha="left", fontsize=13, color=svg.INK,
    )  # fmt: skip
    freeze(drawn)
    for axes, (_, value, _) in zip(drawn.axes, _PANELS, strict=True):
        known = [(each, x) for each in done if (x := value(each)) is not None]
        write_labels(
            axes, [Label(each.network, x, 100 * each.top1, 3.0, colours[each.network], 8.5) for each, x in known]
        )
    return drawn


def _panel(
    axes: Axes,
    done: Sequence[Finish],
    value: Callable[[Finish], float | None],
    title: str,
    *,
    logarithmic: bool,
    colours: Mapping[str, str],
) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    known = [(each, x) for each in done if (x := value(each)) is not None]
    for each, x in known:
        colour, top1 = colours[each.network], 100 * each.top1
        ends = [[max(top1 - 100 * each.low, 0.0)], [max(100 * each.high - top1, 0.0)]]
        axes.errorbar(x, top1, ends, fmt="o", color=colour, markersize=4.5, elinewidth=1, alpha=0.9)
    axes.set(xlabel=title)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:g}\N{NO-BREAK SPACE}%"))
    if logarithmic and known:
        _logarithmic(axes, [x for _, x in known])
    else:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
        axes.margins(x=0.12)
    axes.margins(y=0.08)


def _logarithmic(axes: Axes, values: Sequence[float]) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_xscale("log")
    low, high = min(values) / 1.8, max(values) * 2.2
    axes.set_xlim(low, high)
    few = high / low > 300
    ticks = [digit * 10.0**power for power in range(-3, 13) for digit in ((1,) if few else (1, 2, 5))]
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in ticks if low <= tick <= high]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(_short))


def _short(value: float, _position: Any = None) -> str:
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}\N{NO-BREAK SPACE}{unit}"
    return f"{value:g}"
