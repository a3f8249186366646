"""Labelled texts in one file: ``label text`` lines, tables with a header or without, and JSON lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from neocog.core.errors import DataError, UsageError, near_names
from neocog.data.text_columns import LABEL_NAMES, PART_NAMES, TEXT_NAMES, Columns, named, table_columns
from neocog.data.text_lines import ENCODING, numbered_lines, read_text, refuse_long, split_lines


@dataclass(frozen=True)
class Reading:
    """How the user says the files are to be read; a column is a name in the header, or a number from 1.

    ``trees`` is how the labels of trees are taken, ``fine`` or ``binary``; ``phrases`` whether their phrases are
    learned too (None: where the data have parts of their own).
    """

    encoding: str = ENCODING
    text_column: str | None = None
    label_column: str | None = None
    trees: str | None = None
    phrases: bool | None = None


@dataclass(frozen=True)
class Row:
    """One labelled text: its line in the file, and the part that the file names for it (empty where it names none)."""

    line: int
    text: str
    label: str
    part: str = ""


def read_rows(path: Path, reading: Reading, *, labelled: bool = True) -> tuple[list[Row], list[str]]:
    """Returns the rows of a file in its order, and what is worth saying of how they were read.

    Without ``labelled`` a table or JSON lines need no labels, which are then empty.
    Raises DataError, with the line, for what cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix in (".jsonl", ".ndjson"):
        return _json_rows(path, reading, labelled=labelled), []
    if suffix in (".csv", ".tsv"):
        return _table_rows(path, reading, labelled=labelled)
    lines = numbered_lines(path, reading.encoding)
    if lines and all(line.count("\t") == lines[0][1].count("\t") > 0 for _, line in lines):
        return _table_rows(path, reading, labelled=labelled)
    _refuse_columns(path, reading)
    return _label_lines(path, lines), []


def _refuse_columns(path: Path, reading: Reading) -> None:
    for option, value in (("text", reading.text_column), ("label", reading.label_column)):
        if value is not None:
            raise UsageError(f"--{option}-column {value}: {path} has `label text` lines and no columns; leave it out")


def _label_lines(path: Path, lines: list[tuple[int, str]]) -> list[Row]:
    rows = []
    for number, line in lines:
        label, *rest = line.split(None, 1)
        if line[0].isspace():
            label, rest = "", [line.strip()]
        rows.append(Row(number, rest[0].rstrip() if rest else "", label))
    different = len({row.label for row in rows})
    if len(rows) >= 20 and different > len(rows) / 2:
        raise DataError(
            f"{path}: expected `label text` lines, a label before the first space; found {different:,} different first "
            f"words in {len(rows):,} lines, in line {rows[0].line} {rows[0].label[:40]!r}"
        )
    return rows


def _table_rows(path: Path, reading: Reading, *, labelled: bool) -> tuple[list[Row], list[str]]:
    lines = table_lines(path, reading.encoding)
    if not lines:
        return [], []
    columns = table_columns(path, lines, reading.text_column, reading.label_column, labelled=labelled)
    width = len(lines[0][1])
    rows = []
    for number, cells in lines[columns.header :]:
        if len(cells) != width:
            raise DataError(
                f"{path}, line {number}: {len(cells)} cells where the first line has {width}; "
                "put quotes around a text that holds the separator"
            )
        rows.append(_row(path, number, cells, columns))
    return rows, list(columns.notes)


def _row(path: Path, number: int, cells: Sequence[str], columns: Columns) -> Row:
    text = cells[columns.text]
    refuse_long(text, f"{path}, line {number}")
    label = cells[columns.label].strip() if columns.label is not None else ""
    return Row(number, text.strip(), label, cells[columns.part].strip() if columns.part is not None else "")


def table_lines(path: Path, encoding: str) -> list[tuple[int, list[str]]]:
    """Returns (first line, cells) of each row of a CSV or TSV that is not blank.

    Raises DataError, with the line, for quotes that do not close.
    """
    text = read_text(path, encoding)
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count) if path.suffix.lower() == ".csv" else "\t"
    csv.field_size_limit(max(csv.field_size_limit(), 1 << 30))  # a long text gets our own message
    quoting: Literal[0, 3] = csv.QUOTE_NONE if delimiter == "\t" and _has_stray_quotes(text) else csv.QUOTE_MINIMAL
    lines = split_lines(text)
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


def _has_stray_quotes(text: str) -> bool:
    """Tells whether a cell of a TSV begins with a quote and does not end with it: then quotes are only characters."""
    cells = (cell.strip("\r") for line in text.split("\n") for cell in line.split("\t"))
    return any(cell.startswith('"') and (len(cell) == 1 or not cell.endswith('"')) for cell in cells)


def _json_rows(path: Path, reading: Reading, *, labelled: bool) -> list[Row]:
    rows = []
    for number, line in numbered_lines(path, reading.encoding):
        where = f"{path}, line {number}"
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{where}: not JSON ({error}); expected one object a line") from error
        if not isinstance(entry, dict):
            raise DataError(f"{where}: expected a JSON object, got {type(entry).__name__}")
        text = _key(where, entry, reading.text_column, TEXT_NAMES, "text")
        label = _key(where, entry, reading.label_column, LABEL_NAMES, "label", needed=labelled)
        part = next((key for key in entry if key.lower() in PART_NAMES), None)
        if not isinstance(entry[text], str):
            raise DataError(f"{where}: {text!r} should be a text, got {json.dumps(entry[text])[:40]}")
        own = "" if label is None else _json_label(where, label, entry[label])
        rows.append(Row(number, entry[text].strip(), own, str(entry[part]) if part else ""))
    return rows


def _json_label(where: str, key: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (str, bool, int)):
        return str(value).strip()
    raise DataError(f"{where}: {key!r} should be one label, a text or a whole number; got {json.dumps(value)[:40]}")


def _key(
    where: str, entry: dict[str, Any], asked: str | None, names: Sequence[str], what: str, *, needed: bool = True
) -> Any:
    if asked is not None:
        if asked not in entry:
            raise DataError(f"{where}: no field {asked!r} (--{what}-column); it has {', '.join(entry)}."
                            f"{near_names(asked, entry)}")  # fmt: skip
        return asked
    found = named(list(entry), names)
    if found is not None:
        return list(entry)[found]
    if needed:
        raise DataError(f"{where}: no field called {names[0]}; it has {', '.join(entry)}; say --{what}-column NAME")
    return None
