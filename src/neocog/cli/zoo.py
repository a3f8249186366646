"""``neocog zoo``: the networks as a table, CSV or JSON; one network layer by layer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neocog.core.layers import LayerRow
    from neocog.verbs.zoo import Anatomy, Entry

ENTRY_COLUMNS = (
    "name", "year", "paper", "task", "params", "macs", "top1_error", "top5_error",
    "error_source", "input", "classes", "weights", "deviations",
)  # fmt: skip
LAYER_COLUMNS = (
    "name", "kind", "input_shape", "output_shape", "kernel", "stride", "padding",
    "params", "arithmetic", "macs", "receptive_field",
)  # fmt: skip

_NUMBERS = {"year", "params", "MACs", "top-1 err", "top-5 err"}


@click.command("zoo")
@click.argument("name", required=False)
@click.option("--task", metavar="TASK", help="Only networks for this task, e.g. image.")
@click.option("--max-params", metavar="N", help="Only networks with at most so many parameters, e.g. 5M.")
@click.option("--year", metavar="YEARS", help="Only networks of these years: 2015, 2012-2016, 2012-.")
@click.option(
    "--sort",
    type=click.Choice(["year", "name", "params", "macs", "top1_error"]),
    default="year",
    show_default=True,
    help="What to sort by, smallest first.",
)
@click.option("--input", metavar="CxHxW", help="The input shape to show NAME for, e.g. 3x160x160.")
@click.option("--csv", "form", flag_value="csv", help="Print comma-separated values.")
@click.option("--json", "form", flag_value="json", help="Print JSON.")
def command(name: str | None, form: str | None, input: str | None, **filters: Any) -> None:
    """List the networks, or show the network NAME layer by layer.

    Parameters and multiply-accumulates (MACs) are exact; top-1 and top-5 are published
    ImageNet validation errors.
    """
    from neocog.verbs.zoo import Anatomy, zoo

    shown: Any = zoo(name, input=input, **filters)
    terminal = sys.stdout.isatty()
    if form == "json":
        click.echo(_json(shown))
    elif isinstance(shown, Anatomy):
        click.echo(_csv(LAYER_COLUMNS, shown.layers) if form else _anatomy_text(shown, terminal=terminal))
    elif form:
        click.echo(_csv(ENTRY_COLUMNS, shown))
    elif shown:
        click.echo(_entries_text(shown, terminal=terminal))
    else:
        click.echo("No network passes these filters; `neocog zoo` lists all.", err=True)


def _json(shown: Any) -> str:
    import json
    from dataclasses import asdict

    plain = [asdict(entry) for entry in shown] if isinstance(shown, tuple) else asdict(shown)
    return json.dumps(plain, indent=2, ensure_ascii=False)


def _csv(columns: Sequence[str], rows: Sequence[object]) -> str:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(getattr(row, column)) for column in columns] for row in rows)
    return text.getvalue().rstrip("\n")


def _cell(value: Any) -> Any:
    """Returns a value as one cell: shapes as 3x224x224, names apart by a space, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return (" " if any(isinstance(part, str) for part in value) else "x").join(map(str, value))
    return value


def _entries_text(entries: Sequence[Entry], *, terminal: bool) -> str:
    number = _short if terminal else "{:,}".format
    columns: tuple[str, ...] = ("name", "year", "paper", "task", "params", "MACs", "top-1 err", "top-5 err", "weights")
    rows: list[tuple[str, ...]] = [
        (
            entry.name,
            str(entry.year),
            entry.paper,
            entry.task,
            number(entry.params),
            number(entry.macs),
            *(f"{error:.1f} %" if error is not None else "" for error in (entry.top1_error, entry.top5_error)),
            " ".join(entry.weights),
        )
        for entry in entries
    ]
    if terminal and len({entry.task for entry in entries}) == 1:  # a narrow screen need not read it on every line
        columns, rows = (*columns[:3], *columns[4:]), [(*row[:3], *row[4:]) for row in rows]
    return _table(columns, rows, terminal=terminal)


def _anatomy_text(anatomy: Anatomy, *, terminal: bool) -> str:
    columns = ("layer", "kind", "output", "kernel", "stride", "padding", "parameters", "MACs", "receptive field")
    rows = [_layer_cells(row) for row in anatomy.layers]
    total = ("total", "", "", "", "", "", f"{anatomy.params:,}", f"{anatomy.macs:,}", "")
    return f"{_facts(anatomy)}\n\n{_table(columns, [*rows, total], terminal=terminal)}"


def _layer_cells(row: LayerRow) -> tuple[str, ...]:
    return (
        row.name,
        row.kind,
        str(_cell(row.output_shape)),
        *(str(_cell(setting)) for setting in (row.kernel, row.stride, row.padding)),
        row.arithmetic,
        f"{row.macs:,}" if row.macs else "",
        str(_cell(row.receptive_field)),
    )


def _facts(anatomy: Anatomy) -> str:
    """Returns what the record says, a line each."""
    entry = anatomy.entry
    published = (("top-1", entry.top1_error), ("top-5", entry.top5_error))
    errors = ", ".join(f"{name} {error:.2f} %" for name, error in published if error is not None)
    facts = {
        "network": f"{entry.name}: {entry.summary}",
        "paper": f"{entry.paper} ({entry.year})",
        "task": f"{entry.task}, {entry.classes} classes as published",
        "input": str(_cell(anatomy.input)),
        "error": f"{errors} ({entry.error_source})" if errors else "none published for ImageNet",
        "weights": ", ".join(entry.weights) or "none come with Neocog; torchvision's or your own by file",
        "deviations": entry.deviations,
    }
    return "\n".join(f"{name:<12}{fact}" for name, fact in facts.items())


def _short(number: int) -> str:
    """Returns a number to three figures, for a narrow terminal: 11.7 M."""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= 0.9995 * size:
            return f"{number / size:#.3g}".rstrip(".") + f" {unit}"
    return str(number)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, terminal: bool) -> str:
    """Returns the rows under their headings: folded to the width of a terminal, plain and unbroken in a pipe."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1 if terminal else 2, 0, 0))
    for index, column in enumerate(columns):
        number = column in _NUMBERS
        whole = not terminal or number or index == 0
        table.add_column(column, justify="right" if number else "left", no_wrap=whole, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console = Console(width=None if terminal else 1000, force_terminal=terminal, markup=False, highlight=False)
    with console.capture() as captured:
        console.print(table)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())
