"""How training went: loss, metric and learning rate by epoch, and the search for a learning rate before it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from neocog.report.charts import Line, RateSearch, line_chart, rate_search_chart
from neocog.report.markup import Column, Html, disclosure, join, number, paragraph, percent, plural, table, text
from neocog.report.page import Section

MOST_ROWS = 100
NAN = math.nan


@dataclass(frozen=True)
class Epoch:
    """One row of the run's history; what was not measured is NaN.

    ``number`` counts from 1 through all phases; ``metric`` is the validation metric, a fraction where the history
    says so; ``learning_rate`` that of the epoch's last step.
    """

    number: int
    train_loss: float
    val_loss: float = NAN
    metric: float = NAN
    train_metric: float = NAN
    learning_rate: float = NAN
    phase: str = ""


@dataclass(frozen=True)
class History:
    """The epochs in order; ``metric`` the name of the metric, ``best`` the number of the epoch that was kept."""

    epochs: Sequence[Epoch]
    metric: str
    best: int | None = None
    percents: bool = True


def history_section(history: History) -> Section:
    """Returns three charts and the figures behind them."""
    if not history.epochs:
        return Section("Training", paragraph("No epoch was trained: only the last layer was fitted, in one step."))
    charts = Html(f'<div class="charts">{join(_charts(history))}</div>')
    body = (paragraph(_summary(history), class_="lead"), charts, disclosure("The figures", _figures(history)))
    return Section("Training", join(body))


def _charts(history: History) -> list[Html]:
    rows = history.epochs
    x = [float(row.number) for row in rows]
    metric = history.metric
    wanted = (
        ("Loss", [Line("validation", x, [row.val_loss for row in rows]), _train(x, [row.train_loss for row in rows])]),
        (metric, [Line("validation", x, [row.metric for row in rows]), _train(x, [row.train_metric for row in rows])]),
        ("Learning rate", [Line("learning rate", x, [row.learning_rate for row in rows])]),
    )
    charts = []
    for title, lines in wanted:
        known = [line for line in lines if any(math.isfinite(y) for y in line.y)]
        if known:
            charts.append(_chart(history, title, known, percents=history.percents and title == metric))
    return charts


def _train(x: Sequence[float], y: Sequence[float]) -> Line:
    return Line("training", x, y, main=False)


def _chart(history: History, title: str, lines: Sequence[Line], *, percents: bool) -> Html:
    ringed = title != "Learning rate"
    drawn = line_chart(
        f"{title} by epoch",
        lines,
        boundaries=[start - 0.5 for _, start, _ in _phases(history)[1:]],
        marked=history.best if ringed else None,
        percents=percents,
    )
    return Html(f"<figure><figcaption>{text(title)}</figcaption>{drawn}</figure>")


def _phases(history: History) -> list[tuple[str, int, int]]:
    """The phases in order, each with its first and last epoch."""
    runs = ((phase, list(rows)) for phase, rows in groupby(history.epochs, key=lambda row: row.phase))
    return [(phase, rows[0].number, rows[-1].number) for phase, rows in runs]


def _summary(history: History) -> str:
    said = [f"{plural(len(history.epochs), 'epoch')}."]
    phases = _phases(history)
    if len(phases) > 1:
        spans = ", ".join(f"{phase} ({_span(first, last)})" for phase, first, last in phases)
        said.append(f"Phases, divided by dotted lines: {spans}.")
    best = next((row for row in history.epochs if row.number == history.best), None)
    if best is not None:
        value = f" (validation {history.metric} {_metric(history, best.metric)})" if math.isfinite(best.metric) else ""
        said.append(f"The ring is the epoch whose weights were kept: {best.number}{value}.")
    return " ".join(said)


def _span(first: int, last: int) -> str:
    return f"epoch {first}" if first == last else f"epochs {first} to {last}"


def _metric(history: History, value: float) -> str:
    return percent(value, 2) if history.percents else number(value)


def _figures(history: History) -> Html:
    every = math.ceil(len(history.epochs) / MOST_ROWS)
    last = history.epochs[-1].number
    rows = [row for at, row in enumerate(history.epochs) if at % every == 0 or row.number in (history.best, last)]
    columns = (
        Column("Epoch", True),
        Column("Phase"),
        Column("Training loss", True),
        Column("Validation loss", True),
        Column(f"Validation {history.metric}", True),
        Column("Learning rate", True),
    )
    caption = "Figures by epoch" + (f", one in {every}" if every > 1 else "")
    return table(caption, columns, [_row(history, row) for row in rows])


def _row(history: History, row: Epoch) -> tuple[Html, ...]:
    losses = (number(row.train_loss), number(row.val_loss), _metric(history, row.metric), number(row.learning_rate))
    return text(row.number), text(row.phase), *(text(value) for value in losses)


def rate_search_section(search: RateSearch) -> Section:
    """Returns the picture of the learning-rate finder with the rate it suggests."""
    found = f"Suggested: {number(search.suggestion)}." if search.suggestion is not None else "It suggests no rate."
    words = f"The rate was raised step by step while the loss was watched: it should still fall steeply. {found}"
    body = Html(f'<div class="charts one"><figure>{rate_search_chart(search)}</figure></div>')
    return Section("Learning-rate finder", join((paragraph(words, class_="lead"), body)))
