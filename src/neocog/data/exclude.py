"""The list of samples to leave out, as `neocog check` writes it and ``train --exclude`` takes it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from neocog.core.errors import DataError
from neocog.data.dataset import DataSet, Part
from neocog.data.items import FileItems

T = TypeVar("T")

COLUMNS = ("path", "reason")


def read_list(file: Path) -> tuple[str, ...]:
    """Returns the samples that a list names: the column ``path`` of a CSV file, or one name a line.

    Raises DataError where the file cannot be read.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the list of exclusions {file} cannot be read: {error}") from error
    rows = [row for row in csv.reader(text.splitlines()) if row and row[0].strip()]
    column = rows[0].index("path") if rows and "path" in rows[0] else None
    if column is None:
        return tuple(row[0].strip() for row in rows)
    return tuple(row[column].strip() for row in rows[1:] if len(row) > column and row[column].strip())


def list_text(rows: Iterable[tuple[str, str]]) -> str:
    """Returns the text of a list of (path, reason) rows, under a header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return text.getvalue()


def leave_out(dataset: DataSet[T], names: Iterable[str]) -> DataSet[T]:
    """Returns the data set without these samples, named as the data set names them or by their paths on disk.

    The notes say how many were left out and how many of the names fit nothing.
    """
    wanted = set(names)
    matched: set[str] = set()
    parts: dict[str, Part[T]] = {}
    for name, part in dataset.parts.items():
        kept = []
        for index in range(len(part)):
            hits = wanted.intersection(_known_as(part, index))
            matched |= hits
            if not hits:
                kept.append(index)
        parts[name] = part.subset(kept)
    left_out = sum(len(part) for part in dataset.parts.values()) - sum(len(part) for part in parts.values())
    notes = [f"{left_out} samples left out by the list of exclusions"]
    if wanted - matched:
        notes.append(f"{len(wanted - matched)} excluded names fit no sample, e.g. {min(wanted - matched)}")
    return replace(dataset, parts=parts, notes=(*dataset.notes, *notes))


def _known_as(part: Part[T], index: int) -> set[str]:
    items: object = part.items
    names = {part.items.name(index)}
    if isinstance(items, FileItems):
        names |= {str(items.paths[index]), str(items.paths[index].absolute())}
    return names
