"""The zoo's tables as text: as many columns as a terminal has room for, all of them and whole lines in a pipe."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neocog.core.layers import LayerRow
    from neocog.core.memory import Memory
    from neocog.verbs.anatomy import Anatomy
    from neocog.verbs.catalogue import Entry

_COMPACT = "Window: kernel, /stride, +padding. Sees: the side of the receptive field in the input. "
_MORE = "A wider terminal, a pipe, --csv and --json show more."
LONGEST_NAME = 24  # of a layer, before it is broken at a dot on a narrow terminal


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, its cells and what stands below them; numbers are set flush right."""

    heading: str
    cells: tuple[str, ...]
    numeric: bool = False
    foot: str = ""

    @property
    def width(self) -> int:
        """The letters that its longest line takes."""
        return max(len(line) for text in (self.heading, self.foot, *self.cells) for line in (text.split("\n")))


def cell(value: Any) -> Any:
    """Returns a value as one cell: shapes as 3x224x224, names apart by a space, nothing for None and not a number."""
    if value is None or (isinstance(value, float) and isnan(value)):
        return ""
    if isinstance(value, tuple):
        return (" " if any(isinstance(part, str) for part in value) else "x").join(map(str, value))
    return value


def entries_text(entries: Sequence[Entry], width: int | None) -> str:
    """Returns the list of networks for a terminal ``width`` columns wide, or for a pipe."""
    number = short if width else "{:,}".format
    columns = [
        Column("name", tuple(entry.name for entry in entries)),
        Column("year", tuple(str(entry.year or "") for entry in entries), numeric=True),
        Column("paper", tuple(entry.paper for entry in entries)),
        Column("task", tuple(entry.task for entry in entries)),
        Column("params", tuple(number(entry.params) for entry in entries), numeric=True),
        Column("MACs", tuple(number(entry.macs) for entry in entries), numeric=True),
        Column("top-1" if width else "top-1 err", tuple(_percent(entry.top1_error) for entry in entries), numeric=True),
        Column("top-5" if width else "top-5 err", tuple(_percent(entry.top5_error) for entry in entries), numeric=True),
        Column("weights", tuple(" ".join(entry.weights) for entry in entries)),
    ]
    if not width:
        return _table(columns, None)
    drop = ["task"] if len({entry.task for entry in entries}) == 1 else []  # a screen need not say it on every line
    shown = _without(columns, drop)
    for heading in ("weights", "task"):
        if _width(shown) > width and heading not in drop:
            shown = _without(shown, [heading])
    return _table(shown, width)


def _percent(error: float | None) -> str:
    return f"{error:.1f} %" if error is not None else ""


def _without(columns: Sequence[Column], headings: Sequence[str]) -> list[Column]:
    return [column for column in columns if column.heading not in headings]


def anatomy_text(anatomy: Anatomy, width: int | None) -> str:
    """Returns what is known of a network and its table of layers, for a terminal ``width`` columns wide or a pipe."""
    full = _layer_columns(anatomy)
    shown, note = full, ""
    if width:
        # From all there is to what matters most: the narrow forms say more in a column.
        forms: tuple[Callable[[], list[Column]], ...] = (
            lambda: full,
            lambda: _without(full, ["input"]),
            lambda: _compact(anatomy, jumps=True, kinds=True),
            lambda: _compact(anatomy, jumps=True, kinds=False),
            lambda: _compact(anatomy, jumps=False, kinds=False),
        )
        shown = next((made for form in forms if _width(made := form()) <= width), full)
        if _width(shown) > width:
            shown = _narrow(_compact(anatomy, jumps=False, kinds=False))
        if shown is not full:
            compact = any(column.heading == "window" for column in shown)
            note = "\n" + textwrap.fill(f"{_COMPACT if compact else ''}{_MORE}", max(width, 40))
    return f"{_facts(anatomy, width)}\n\n{_table(shown, width)}{note}"


def _layer_columns(anatomy: Anatomy) -> list[Column]:
    rows = anatomy.layers

    def column(heading: str, of: Callable[[LayerRow], Any], **settings: Any) -> Column:
        return Column(heading, tuple(str(cell(of(row))) for row in rows), **settings)

    return [
        column("layer", lambda row: row.name, foot="total"),
        column("kind", lambda row: row.kind),
        column("input", lambda row: row.input_shape),
        column("output", lambda row: row.output_shape),
        column("kernel", lambda row: row.kernel),
        column("stride", lambda row: row.stride),
        column("padding", lambda row: row.padding),
        column("parameters", lambda row: row.arithmetic, foot=_total(anatomy)),
        column("MACs", lambda row: f"{row.macs:,}" if row.macs else "", numeric=True, foot=f"{anatomy.macs:,}"),
        column("receptive field", lambda row: row.receptive_field),
        column("jump", lambda row: row.jump),
        column("start", lambda row: row.start),
    ]


def _total(anatomy: Anatomy) -> str:
    if not anatomy.hidden_params:
        return f"{anatomy.params:,}"
    where = "transitions between tags" if anatomy.entry.task == "tagging" else "auxiliary heads (--auxiliary)"
    return f"{anatomy.params:,} with {anatomy.hidden_params:,} in {where}"


def _compact(anatomy: Anatomy, *, jumps: bool, kinds: bool) -> list[Column]:
    """Returns the columns of a narrower table: kernel, stride and padding as one, MACs short, squares by their side."""
    rows = anatomy.layers
    columns = _layer_columns(anatomy)
    kept = [
        column
        for column in columns
        if column.heading in ("layer", "output", "parameters") or (kinds and column.heading == "kind")
    ]
    window = Column("window", tuple(_window(row) for row in rows))
    macs = Column("MACs", tuple(short(row.macs) if row.macs else "" for row in rows), True, short(anatomy.macs))
    fields = [
        Column("sees", tuple(_side(row.receptive_field) for row in rows), True),
        Column("jump", tuple(_side(row.jump) for row in rows), True),
        Column("start", tuple(_side(row.start) for row in rows), True),
    ]
    return [*kept[:-1], window, kept[-1], macs, *(fields if jumps else fields[:1])]


def _window(row: LayerRow) -> str:
    if row.kernel is None:
        return ""
    stride, padding = row.stride or (), row.padding
    by = f" /{_side(stride)}" if set(stride) - {1} else ""
    around = "" if padding is None or padding == "valid" else padding if isinstance(padding, str) else _side(padding)
    return f"{cell(row.kernel)}{by}" + (f" +{around}" if around not in ("", "0") else "")


def _side(numbers: Sequence[int] | None) -> str:
    """Returns the one number of a square, or all of what is none."""
    if not numbers:
        return ""
    return str(numbers[0]) if len(set(numbers)) == 1 else "x".join(map(str, numbers))


def _narrow(columns: Sequence[Column]) -> list[Column]:
    """Returns the columns with long names broken at a dot."""
    first, *rest = columns
    return [Column(first.heading, tuple(map(_broken, first.cells)), foot=first.foot), *rest]


def _broken(name: str) -> str:
    lines = [""]
    for part in name.replace(".", ".\n").split("\n"):
        if lines[-1] and len(lines[-1]) + len(part) > LONGEST_NAME:
            lines.append("  ")
        lines[-1] += part
    return "\n".join(lines)


def _facts(anatomy: Anatomy, width: int | None) -> str:
    """Returns what the record says and what memory a batch takes, a line each."""
    entry = anatomy.entry
    published = (("top-1", entry.top1_error), ("top-5", entry.top5_error))
    errors = ", ".join(f"{name} {error:.2f} %" for name, error in published if error is not None)
    classes = f", {anatomy.classes} classes" if anatomy.classes else ""
    facts = {
        "network": f"{entry.name}: {entry.summary}" if entry.summary else entry.name,
        "paper": f"{entry.paper} ({entry.year})" if entry.paper else "",
        "task": f"{entry.task}{classes}" if entry.task else "",
        "input": str(cell(anatomy.input)),
        "error": f"{errors} ({entry.error_source})" if errors else "none published for ImageNet" if entry.paper else "",
        "weights": ", ".join(entry.weights) or ("none come with Neocog; another's by file" if entry.paper else ""),
        "deviations": entry.deviations,
        "also called": ", ".join(entry.aliases),
        **memory_facts(anatomy.memory),
    }
    return "\n".join(_fact(name, fact, width) for name, fact in facts.items() if fact)


def _fact(name: str, fact: str, width: int | None) -> str:
    if not width:
        return f"{name:<12}{fact}"
    return textwrap.fill(fact, max(width, 40), initial_indent=f"{name:<12}", subsequent_indent=" " * 12)


def memory_facts(memory: Memory | None) -> dict[str, str]:
    """Returns the memory of a batch in training and in inference, in words."""
    if memory is None:
        return {"memory": "cannot be told: the network needs numbers to run"}
    return {
        "training": (
            f"{amount(memory.training)} for a batch of {memory.batch} in {memory.precision}: "
            f"{amount(memory.parameters)} parameters + {amount(memory.gradients)} gradients + "
            f"{amount(memory.optimiser)} AdamW + {amount(memory.saved)} kept for the backward pass"
        ),
        "inference": (
            f"{amount(memory.inference)} for a batch of {memory.batch} in {memory.precision}: "
            f"{amount(memory.parameters)} parameters + {amount(memory.live)} most that is alive at once"
        ),
    }


def amount(size: int) -> str:
    """Returns bytes for people: ``44.6 MiB``."""
    for unit, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}" if size < 999.5 * unit else f"{size / unit:.0f} {name}"
    return f"{size} B"


def short(number: int) -> str:
    """Returns a number to three figures, for a narrow terminal: 11.7 M."""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= 0.9995 * size:
            return f"{number / size:#.3g}".rstrip(".") + f" {unit}"
    return str(number)


def _width(columns: Sequence[Column]) -> int:
    return sum(column.width for column in columns) + len(columns) - 1


def _table(columns: Sequence[Column], width: int | None) -> str:
    """Returns the columns side by side: folded to the width of a terminal, plain and unbroken in a pipe."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1 if width else 2, 0, 0))
    for index, column in enumerate(columns):
        whole = not width or column.numeric or index == 0 or column.heading in ("output", "window")
        table.add_column(column.heading, justify="right" if column.numeric else "left", no_wrap=whole, overflow="fold")
    for row in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*row)
    if any(column.foot for column in columns):
        table.add_row(*(column.foot for column in columns))
    wide = width or _width(columns) + 2 * len(columns) + 2
    console = Console(width=wide, force_terminal=bool(width), markup=False, highlight=False)
    with console.capture() as captured:
        console.print(table)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())
