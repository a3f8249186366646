"""Labelled texts in one file: ``label text`` lines, tables with a header or without, and JSON lines."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from neocog.core.errors import DataError, UsageError
from neocog.data.text_columns import Columns, table_columns
from neocog.data.text_files import JSON_LINES
from neocog.data.text_json import json_rows
from neocog.data.text_lines import numbered_lines, read_text, refuse_long, split_lines
from neocog.data.text_reading import Reading, Row

__all__ = ["Reading", "Row", "read_rows", "table_lines"]

DELIMITERS = (",", ";", "\t", "|")
LOOKED_AT = 50  # lines by which a delimiter is known
MOST_ODD = 10  # one line in so many may lack a tab, or have one too many: the reader then names it


def read_rows(path: Path, reading: Reading, *, labelled: bool = True) -> tuple[list[Row], list[str]]:
    """Returns the rows of a file in its order, and what is worth saying of how they were read.

    Without ``labelled`` a table or JSON lines need no labels, which are then empty, and a row that cannot be read is
    there with the reason. Raises DataError, with the line, for what cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix in JSON_LINES:
        return json_rows(path, reading, labelled=labelled)
    if suffix in (".csv", ".tsv"):
        return _table_rows(path, reading, labelled=labelled)
    lines = numbered_lines(path, reading.encoding)
    if _parted_by_tabs([line for _, line in lines]):
        return _table_rows(path, reading, labelled=labelled)
    _refuse_columns(path, reading)
    return _label_lines(path, lines), []


def _refuse_columns(path: Path, reading: Reading) -> None:
    for option, value in (("text", reading.text_column), ("label", reading.label_column)):
        if value is not None:
            raise UsageError(f"--{option}-column {value}: {path} has `label text` lines and no columns; leave it out")


def _parted_by_tabs(lines: Sequence[str]) -> bool:
    """Tells whether lines are rows of a table: equally many tabs in all, or in most where no label is before them."""
    [(usual, rows)] = Counter(line.count("\t") for line in lines).most_common(1) or [(0, 0)]
    if not usual or (len(lines) - rows) * MOST_ODD > len(lines):
        return False
    return rows == len(lines) or any(" " in line.split("\t", 1)[0].strip() for line in lines if "\t" in line)


def _label_lines(path: Path, lines: list[tuple[int, str]]) -> list[Row]:
    rows = []
    for number, line in lines:
        label, *rest = line.split(None, 1)
        if line[0].isspace():
            label, rest = "", [line.strip()]
        rows.append(Row(number, rest[0].rstrip() if rest else "", label))
    counts = Counter(row.label for row in rows)
    if len(rows) >= 20 and _are_words(counts):
        raise DataError(
            f"{path}: expected `label text` lines, a label before the first space; found {len(counts):,} different "
            f"first words in {len(rows):,} lines, in line {rows[0].line} {rows[0].label[:40]!r}"
        )
    return rows


def _are_words(counts: Counter[str]) -> bool:
    """Tells whether first words are no labels: nearly as many as lines, or many of them once where others are often."""
    once, lines = sum(count == 1 for count in counts.values()), counts.total()
    return 2 * len(counts) > lines or (once > 10 and 3 * once > len(counts) and 3 * len(counts) <= lines)


def _table_rows(path: Path, reading: Reading, *, labelled: bool) -> tuple[list[Row], list[str]]:
    lines = table_lines(path, reading.encoding)
    if not lines:
        return [], []
    columns = table_columns(path, lines, reading.text_column, reading.label_column, labelled=labelled)
    width = len(lines[0][1])
    rows = []
    for number, cells in lines[columns.header :]:
        try:
            rows.append(_row(path, number, cells, columns, width))
        except DataError as error:
            if labelled:
                raise
            rows.append(Row(number, "", "", why=str(error)))
    return rows, list(columns.notes)


def _row(path: Path, number: int, cells: Sequence[str], columns: Columns, width: int) -> Row:
    if len(cells) != width:
        raise DataError(
            f"{path}, line {number}: {len(cells)} cells where the first line has {width}; "
            "put quotes around a text that holds the separator"
        )
    text = cells[columns.text]
    refuse_long(text, f"{path}, line {number}")
    label = cells[columns.label].strip() if columns.label is not None else ""
    return Row(number, text.strip(), label, cells[columns.part].strip() if columns.part is not None else "")


def table_lines(path: Path, encoding: str) -> list[tuple[int, list[str]]]:
    """Returns (first line, cells) of each row of a CSV or TSV that is not blank.

    Raises DataError, with the line, for quotes that do not close.
    """
    csv.field_size_limit(max(csv.field_size_limit(), 1 << 30))  # a long text gets our own message
    text = read_text(path, encoding)
    lines = split_lines(text)
    delimiter = _delimiter(lines) if path.suffix.lower() == ".csv" else "\t"
    quoting: Literal[0, 3] = csv.QUOTE_NONE if delimiter == "\t" and _has_stray_quotes(text) else csv.QUOTE_MINIMAL
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter, quoting=quoting, strict=True)
    rows, begins = [], 1
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                rows.append((begins, cells))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{path}, line {begins}: {error}; a text that holds quotes doubles them") from error
    return rows


def _delimiter(lines: Sequence[str]) -> str:
    """Returns what parts the cells of a CSV: what parts its first lines into equally many, else what there is most of.

    Of several what the first line has most of.
    """
    first = [line for line in lines[:LOOKED_AT] if line.strip()]
    even = [each for each in DELIMITERS if len(widths := _widths(first, each)) == 1 and 1 not in widths]
    return max(even or DELIMITERS, key=(first[0] if first else "").count)


def _widths(lines: Sequence[str], delimiter: str) -> set[int]:
    """Returns how many cells rows have; the last row may be cut off and is left out of several."""
    rows = [len(cells) for cells in csv.reader((f"{line}\n" for line in lines), delimiter=delimiter)]
    return set(rows[:-1] or rows)


def _has_stray_quotes(text: str) -> bool:
    """Tells whether a cell of a TSV begins with a quote and does not end with it: then quotes are only characters."""
    cells = (cell.strip("\r") for line in text.split("\n") for cell in line.split("\t"))
    return any(cell.startswith('"') and (len(cell) == 1 or not cell.endswith('"')) for cell in cells)
