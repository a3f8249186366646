"""A CSV or TSV table of picture paths and labels, with or without a header, with or without a column of parts."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from neocog.core.errors import DataError
from neocog.data.dataset import PARTS, DataSet, Part
from neocog.data.decode import Picture
from neocog.data.folder import PART_FOLDERS
from neocog.data.items import FileItems
from neocog.data.labels import class_list, indexed

PATH_NAMES = ("path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "img", "picture")
LABEL_NAMES = ("label", "class", "target", "category", "class_name", "label_name", "y")
PART_NAMES = ("split", "part", "set", "subset", "partition")


@dataclass(frozen=True)
class Row:
    """One line of the table: where it stands, and what it says."""

    line: int
    path: str
    label: str
    part: str


@dataclass(frozen=True)
class Columns:
    """Which columns hold what; ``header`` tells whether the first line names them."""

    path: int
    label: int
    part: int | None
    header: bool


def read_table(table: Path) -> DataSet[Picture]:
    """Reads a table of pictures; relative paths are relative to the table's folder.

    A header may name the columns (``path,label`` and optionally ``split``); without one the first column is the path,
    the second the label, and a third the part where each of its values names one. Order is that of the table.
    Raises DataError, with line numbers, for missing labels or paths, unknown parts, and one file with two labels.
    """
    lines = _lines(table)
    columns = _columns(lines[0][1], lines, table)
    rows = [_row(number, cells, columns) for number, cells in lines[columns.header :]]
    if not rows:
        raise DataError(f"{table} has a header and no rows; expected a path and a label in each line")
    _refuse(table, rows, [row for row in rows if not row.label], "have no label")
    _refuse(table, rows, [row for row in rows if not row.path], "have no path")
    _refuse(table, rows, [row for row in rows if row.part not in PARTS], f"name no part ({', '.join(PARTS)})")
    rows, notes = _without_repeats(table, rows)
    if not any((table.parent / row.path).exists() for row in rows):
        first = table.parent / rows[0].path
        raise DataError(f"{table}: none of its {len(rows)} files exists, e.g. {first}; paths are relative to the table")
    parts = {name: [row for row in rows if row.part == name] for name in PARTS}
    parts = {name: chosen for name, chosen in parts.items() if chosen}
    classes = class_list(row.label for row in rows)
    labels = indexed({name: [row.label for row in chosen] for name, chosen in parts.items()}, classes)
    items = {
        name: FileItems([table.parent / row.path for row in chosen], [row.path for row in chosen])
        for name, chosen in parts.items()
    }
    read = {name: Part[Picture](items[name], labels[name]) for name in parts}
    return DataSet(str(table), classes, read, tuple(notes))


def _lines(table: Path) -> list[tuple[int, list[str]]]:
    """Returns (line number, cells) of every line that is not blank."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            text = file.read()
    except UnicodeDecodeError as error:
        raise DataError(
            f"{table} is not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8"
        ) from error
    except OSError as error:
        raise DataError(f"{table} cannot be read: {error.strerror or error}") from error
    first = text.split("\n", 1)[0]
    delimiter = max("\t,;", key=first.count)
    reader = csv.reader(text.splitlines(), delimiter=delimiter)
    try:
        lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader if any(map(str.strip, cells))]
    except csv.Error as error:
        raise DataError(f"{table}, line {reader.line_num}: {error}") from error
    if not lines:
        raise DataError(f"{table} is empty; expected lines of path and label")
    if all(len(cells) < 2 for _, cells in lines):
        raise DataError(f"{table} has one column; expected path and label, separated by a comma, semicolon or tab")
    return lines


def _columns(first: list[str], lines: list[tuple[int, list[str]]], table: Path) -> Columns:
    lowered = [cell.lower().replace(" ", "_") for cell in first]
    path, label, part = (
        next((lowered.index(name) for name in names if name in lowered), None)
        for names in (PATH_NAMES, LABEL_NAMES, PART_NAMES)
    )
    if path is not None and label is not None:
        return Columns(path, label, part, header=True)
    if (table.parent / first[0]).is_file() or len(lines) == 1 or not (table.parent / lines[1][1][0]).is_file():
        third = {cells[2].lower() for _, cells in lines if len(cells) > 2}
        return Columns(0, 1, 2 if third and third <= set(PART_FOLDERS) else None, header=False)
    raise DataError(
        f"{table}: the header names {', '.join(first)}; expected columns path (or file, image) and label (or class)"
    )


def _row(line: int, cells: list[str], columns: Columns) -> Row:
    def cell(column: int | None) -> str:
        return cells[column] if column is not None and column < len(cells) else ""

    part = "train" if columns.part is None else cell(columns.part)
    return Row(line, cell(columns.path), cell(columns.label), PART_FOLDERS.get(part.lower(), part))


def _refuse(table: Path, rows: list[Row], faulty: list[Row], what: str) -> None:
    if faulty:
        lines = ", ".join(str(row.line) for row in faulty[:10]) + (", ..." if len(faulty) > 10 else "")
        raise DataError(f"{table}: {len(faulty)} of {len(rows)} rows {what}: line {lines}; complete or remove them")


def _without_repeats(table: Path, rows: list[Row]) -> tuple[list[Row], list[str]]:
    first: dict[str, Row] = {}
    repeats = 0
    for row in rows:
        known = first.setdefault(row.path, row)
        if (known.label, known.part) != (row.label, row.part):
            raise DataError(
                f"{table}: {row.path} is {known.label} ({known.part}) in line {known.line} "
                f"and {row.label} ({row.part}) in line {row.line}; keep one of them"
            )
        repeats += known is not row
    return list(first.values()), [f"{repeats} repeated rows passed over"] if repeats else []
