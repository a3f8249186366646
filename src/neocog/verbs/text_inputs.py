"""What a user names as texts (files of lines, tables, folders, stdin, the text itself) as one stream of texts."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from neocog.core.errors import DataError, UnreadableInput, UsageError
from neocog.data.folder import is_ignored
from neocog.data.text_files import JSON_LINES, SUFFIXES
from neocog.data.text_folder import ONE_TEXT
from neocog.data.text_lines import check_encoding, decoded, read_text
from neocog.data.text_rows import Reading, read_rows
from neocog.data.text_trees import holds_trees, tree_rows

# The name under which an answer's row goes, and the text or why there is none.
Named = tuple[str, str | UnreadableInput]

TABLES = (".csv", ".tsv", *JSON_LINES)


def expand_texts(
    arguments: Iterable[str | Path],
    stdin: IO[bytes] | None = None,
    reading: Reading = Reading(),  # noqa: B008 - frozen
) -> Iterator[Named]:
    """Yields the texts that the arguments name, in order, each under itself; a file that is one text under its path.

    A file gives the texts on its lines, a file of trees its sentences; a CSV, TSV or JSONL those of its text column; a
    folder each of its text files as one text; a glob the files that it matches; ``-`` the lines of stdin. Any other
    argument is a text itself, unless it looks like a file's name. A blank line, or one that is not of the encoding, has
    its row and the reason. Raises UsageError for a text column where there are lines.
    """
    for argument in arguments:
        text = str(argument)
        if text == "-":
            _refuse_column("the lines of stdin have", reading)
            yield from _or_nothing("-", _lines("stdin", stdin or sys.stdin.buffer, reading), "no text came on stdin")
        elif _exists(text):
            yield from _of_path(Path(text), reading)
        elif glob.has_magic(text) and (found := sorted(glob.iglob(text, recursive=True))):  # noqa: PTH207
            yield from (named for path in found for named in _of_path(Path(path), reading))
        elif _looks_like_a_file(argument):
            yield text, UnreadableInput("there is no such file")
        else:
            yield text, text


def said(entries: Iterable[tuple[str, object]]) -> str:
    """Returns why each of some inputs was refused, each named once."""
    return "; ".join(str(why) if str(why).startswith(name) else f"{name}: {why}" for name, why in entries)


def _refuse_column(whose: str, reading: Reading) -> None:
    if reading.text_column is not None:
        raise UsageError(f"--text-column {reading.text_column}: {whose} a text a line and no columns; leave it out")


def _exists(text: str) -> bool:
    try:
        return os.path.lexists(text)
    except ValueError:  # a NUL
        return False


def _looks_like_a_file(argument: str | Path) -> bool:
    if isinstance(argument, Path):
        return True
    words = argument.split()
    return len(words) == 1 and (Path(argument).suffix.lower() in SUFFIXES or os.sep in argument)


def _of_path(path: Path, reading: Reading) -> Iterator[Named]:
    try:
        if path.is_dir():
            yield from _or_nothing(str(path), _in_folder(path, reading), "there are no text files in this folder")
        elif path.suffix.lower() in TABLES or holds_trees(path):
            rows = tree_rows(path, reading) if holds_trees(path) else read_rows(path, reading, labelled=False)[0]
            yield from _or_nothing(
                str(path), (_row(row.text, f"{path}:{row.line}", row.why) for row in rows), "it holds no text"
            )
        else:
            _refuse_column(f"{path} has", reading)
            with path.open("rb") as file:
                yield from _or_nothing(str(path), _lines(str(path), file, reading), "it holds no text")
    except DataError as error:
        yield str(path), UnreadableInput(str(error))
    except OSError as error:
        yield str(path), UnreadableInput(f"cannot be read: {error.strerror or error}")


def _or_nothing(name: str, found: Iterable[Named], reason: str) -> Iterator[Named]:
    empty = True
    for each in found:
        empty = False
        yield each
    if empty:
        yield name, UnreadableInput(reason)


def _row(text: str, place: str, why: str = "") -> Named:
    return (text, text) if text.strip() else (place, UnreadableInput(why or "the text is empty"))


def _lines(name: str, file: IO[bytes], reading: Reading) -> Iterator[Named]:
    codec = check_encoding(reading.encoding)
    if codec.startswith(("utf-16", "utf-32")):
        lines: Iterable[bytes] = (line.encode() for line in decoded(file.read(), name, codec).splitlines())
        codec = "utf-8"
    else:
        lines = file
    for number, line in enumerate(lines, 1):
        content = line.rstrip(b"\r\n")
        try:
            text = (content.removeprefix(b"\xef\xbb\xbf") if number == 1 else content).decode(codec).strip()
        except UnicodeDecodeError as error:
            byte = content[error.start]
            yield f"{name}:{number}", UnreadableInput(f"the byte 0x{byte:02x} is not {reading.encoding}")
        else:
            yield _row(text, f"{name}:{number}")


def _in_folder(folder: Path, reading: Reading) -> Iterator[Named]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix.lower() in ONE_TEXT and not is_ignored(path.name):
            try:
                yield str(path), read_text(path, reading.encoding)
            except DataError as error:
                yield str(path), UnreadableInput(str(error))
