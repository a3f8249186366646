"""What a user names as inputs (files, folders, globs, lists, tables, stdin) as one stream of files."""

from __future__ import annotations

import csv
import glob
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO

from neocog.core.errors import NeocogError
from neocog.data.folder import SUFFIXES, is_ignored
from neocog.data.table import PATH_NAMES

PATH_COLUMNS = (*PATH_NAMES, "input")  # the last is what `neocog predict --csv` writes


@dataclass(frozen=True)
class Found:
    """One file to answer for: the name under which its row goes, and where it lies."""

    name: str
    path: Path


@dataclass(frozen=True)
class Nothing:
    """A folder, glob or list that led to no file, and why."""

    name: str
    reason: str


def expand(arguments: Iterable[str | Path], stdin: IO[bytes] | None = None) -> Iterator[Found | Nothing]:
    """Yields the files that the arguments name, in order; files of one folder or glob sorted by their path.

    A folder gives the picture files in and below it, hidden ones left out; a glob (``*``, ``?``, ``[...]``, ``**`` for
    any depth) the files that it matches; a ``.txt`` file the paths on its lines; a ``.csv`` or ``.tsv`` file those in
    its path column (the first where no header names one); ``-`` those on the lines of stdin. A path in a list is
    relative to the list's folder where there is such a file, else to the working folder. Any other argument is a
    file, whether or not there is one.
    """
    for argument in arguments:
        text = str(argument)
        if text == "-":
            yield from _or_nothing("-", _lines(stdin or sys.stdin.buffer, Path()), "no path came on stdin")
        else:
            yield from _named(text)


def _named(text: str) -> Iterator[Found | Nothing]:
    path = Path(text)
    reader = _LISTS.get(path.suffix.lower())
    if os.path.isdir(text):  # noqa: PTH112 - Path.is_dir raises for names that are too long
        yield from _or_nothing(text, _in_folder(path), "there are no picture files in this folder")
    elif not os.path.lexists(text) and glob.has_magic(text):
        yield from _or_nothing(text, _matches(text), "no file matches")
    elif reader and os.path.isfile(text):  # noqa: PTH113
        try:
            yield from _or_nothing(text, reader(path), "the list names no file")
        except (OSError, csv.Error, UnicodeError, ListError) as error:
            yield Nothing(text, f"the list cannot be read: {error}")
    else:
        yield Found(text, path)


def _or_nothing(name: str, files: Iterable[Found], reason: str) -> Iterator[Found | Nothing]:
    empty = True
    for file in files:
        empty = False
        yield file
    if empty:
        yield Nothing(name, reason)


def _in_folder(folder: Path) -> Iterator[Found]:
    files: list[Path] = []
    entered: set[tuple[int, int]] = set()
    _is_new(folder, entered)
    for parent, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not is_ignored(name) and _is_new(Path(parent, name), entered)]
        files += [Path(parent, name) for name in names if _is_picture(name)]
    return (Found(str(file), file) for file in sorted(files))


def _is_new(folder: Path, entered: set[tuple[int, int]]) -> bool:
    """Tells whether a folder has not been entered yet: links may lead in circles."""
    identity = folder.stat().st_dev, folder.stat().st_ino
    new = identity not in entered
    entered.add(identity)
    return new


def _is_picture(name: str) -> bool:
    return not is_ignored(name) and Path(name).suffix.lower() in SUFFIXES


def _matches(pattern: str) -> Iterator[Found]:
    paths = sorted(Path(match) for match in glob.iglob(pattern, recursive=True))  # noqa: PTH207 - ** as in the shell
    return (Found(str(path), path) for path in paths if not path.is_dir())


def _text_list(path: Path) -> Iterator[Found]:
    with path.open("rb") as file:
        yield from _lines(file, path.parent)


def _lines(file: IO[bytes], folder: Path) -> Iterator[Found]:
    """Yields the paths on a file's lines; bytes that are not UTF-8 stay what they are, as file names have it."""
    for number, line in enumerate(file):
        text = line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line
        name = os.fsdecode(text.rstrip(b"\r\n"))
        if name.strip():
            yield Found(name, _beside(folder, name))


def _table(path: Path) -> Iterator[Found]:
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        delimiter = max("\t,;", key=file.readline().count)
        file.seek(0)
        rows: Iterator[list[str]] = csv.reader(file, delimiter=delimiter)
        first = next(rows, [])
        header = [name.strip().lower() for name in first]
        column = next((header.index(name) for name in PATH_COLUMNS if name in header), None)
        if column is None:
            if not first or not os.path.lexists(_beside(path.parent, first[0])):
                raise ListError(f"expected a column called path, got {', '.join(header) or 'an empty file'}")
            column, rows = 0, chain([first], rows)
        for row in rows:
            if column < len(row) and row[column].strip():
                yield Found(row[column], _beside(path.parent, row[column]))


def _beside(folder: Path, name: str) -> Path:
    beside = folder / name
    return beside if os.path.lexists(beside) else Path(name)


class ListError(NeocogError):
    """A table without a column of paths."""


_LISTS: dict[str, Callable[[Path], Iterator[Found]]] = {".txt": _text_list, ".csv": _table, ".tsv": _table}
