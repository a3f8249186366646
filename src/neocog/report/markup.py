"""The few pieces of HTML that every section is made of; what comes from the user is escaped here and nowhere else."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NewType

Html = NewType("Html", str)
"""Markup that is safe to put on a page: every part of it was written here or went through `text`."""

LONGEST_NAME = 48
LONGEST_VALUE = 240  # paths, settings: what a person may want to copy
NOTHING = Html("–")

# Controls, lone surrogates (file names that are no Unicode) and non-characters have no place in an HTML document;
# what overrides the direction of writing would show "gpj.exe" as "exe.jpg".
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)


def text(value: object) -> Html:
    """Returns the value as escaped text; characters that no page may hold become U+FFFD."""
    return Html(html.escape(_UNPRINTABLE.sub("\ufffd", str(value))))


def shorten(value: str, longest: int = LONGEST_NAME) -> str:
    """Returns the string with its middle left out where it is longer than ``longest`` characters (at least 3)."""
    if len(value) <= longest:
        return value
    head = longest // 2
    return f"{value[:head]}…{value[head + 1 - longest :]}"


def name(value: str, longest: int = LONGEST_NAME) -> Html:
    """Returns a name from the user's data: shortened, escaped, its writing direction kept to itself."""
    return Html(f"<bdi>{text(shorten(value, longest))}</bdi>")


def join(parts: Iterable[Html], between: str = "") -> Html:
    """Returns the pieces one after the other."""
    return Html(between.join(parts))


def element(tag: str, body: Html, **attributes: str) -> Html:
    """Returns one element; attribute values are escaped, a trailing ``_`` of an attribute's name is dropped."""
    written = "".join(f' {key.rstrip("_").replace("_", "-")}="{text(value)}"' for key, value in attributes.items())
    return Html(f"<{tag}{written}>{body}</{tag}>")


def paragraph(words: str, **attributes: str) -> Html:
    """Returns a paragraph of plain words."""
    return element("p", text(words), **attributes)


def percent(fraction: float, digits: int = 1) -> str:
    """Returns ``0.986`` as ``98.6 %``, not a number as a dash; what is not all never reads as 100 %."""
    if not math.isfinite(fraction):
        return NOTHING
    step = 10**-digits
    shown = fraction * 100
    if 0 < fraction < 1:
        shown = min(max(shown, step), 100 - step)
    return f"{shown:.{digits}f}\N{NO-BREAK SPACE}%"


def fraction(value: float, digits: int = 3) -> str:
    """Returns a number in [0, 1] with a fixed number of digits, not a number as a dash."""
    return f"{value:.{digits}f}" if math.isfinite(value) else NOTHING


def number(value: float) -> str:
    """Returns a number as people write it: integers with thousands separators, others with four digits."""
    if not math.isfinite(value):
        return NOTHING
    return f"{int(value):,}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.4g}"


def plural(count: int, one: str, many: str = "") -> str:
    """Returns ``1 class`` or ``2 classes``; ``many`` is the plural where an s does not make it."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


@dataclass(frozen=True)
class Column:
    """One column of a table: its heading (plain text), and whether it holds numbers, set flush right."""

    heading: str
    numeric: bool = False


def table(
    caption: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Html]],
    *,
    footer: Sequence[Html] = (),
    kind: str = "",
) -> Html:
    """Returns a table in a frame that scrolls sideways by itself; the first cell of each row is its heading.

    Each row, and the footer where there is one, has one cell a column. ``caption`` is plain text; ``kind`` a CSS class.
    """
    head = join(_heading(column) for column in columns)
    body = join((_row(columns, row) for row in rows), "\n")
    foot = f"<tfoot>{_row(columns, footer)}</tfoot>" if footer else ""
    inner = f"<caption>{text(caption)}</caption><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody>{foot}"
    opening = f'<table class="{text(kind)}">' if kind else "<table>"
    return scroller(caption, Html(f"{opening}{inner}</table>"))


def _heading(column: Column) -> Html:
    return Html(f'<th scope="col"{_flush(column)}>{text(column.heading)}</th>')


def _row(columns: Sequence[Column], cells: Sequence[Html]) -> Html:
    first = f'<th scope="row"{_flush(columns[0])}>{cells[0]}</th>'
    rest = "".join(f"<td{_flush(column)}>{cell}</td>" for column, cell in zip(columns[1:], cells[1:], strict=True))
    return Html(f"<tr>{first}{rest}</tr>")


def _flush(column: Column) -> str:
    return " class=n" if column.numeric else ""


def scroller(label: str, body: Html) -> Html:
    """Returns a frame that scrolls sideways, by the keyboard too, so that the page never does."""
    return Html(f'<div class="scroll" role="region" tabindex="0" aria-label="{text(label)}">{body}</div>')


def disclosure(summary: str, body: Html) -> Html:
    """Returns a part of the page that opens on request."""
    return Html(f"<details><summary>{text(summary)}</summary>{body}</details>")


def bullets(items: Iterable[Html]) -> Html:
    """Returns a list, or nothing where there are no items."""
    inner = join(element("li", item) for item in items)
    return element("ul", inner) if inner else Html("")


def facts(pairs: Iterable[tuple[str, str]], kind: str = "facts") -> Html:
    """Returns labels with their values as a description list, or nothing where there are none."""
    inner = join(
        Html(f"<div><dt>{text(label)}</dt><dd>{name(value, LONGEST_VALUE)}</dd></div>") for label, value in pairs
    )
    return element("dl", inner, class_=kind) if inner else Html("")
