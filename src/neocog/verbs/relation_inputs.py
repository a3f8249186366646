"""What a user names as sentences with marked entities (files, folders, stdin, the sentence itself) as one stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from neocog.core.errors import DataError, UnreadableInput
from neocog.data.bags import Bag, holds_bags, read_bags
from neocog.data.relation_open import JSONL, relation_files
from neocog.data.semeval import MARKS, RelationSentence, holds_relations, read_semeval
from neocog.data.text_lines import ENCODING
from neocog.data.text_rows import Reading
from neocog.verbs.text_inputs import expand_texts

# The name under which an answer's row goes, and what it is of: a text still has its marks in it.
Named = tuple[str, str | RelationSentence | Bag | UnreadableInput]


def expand_relations(
    arguments: Iterable[str | Path], stdin: IO[bytes] | None = None, encoding: str = ENCODING, *, bags: bool = False
) -> Iterator[Named]:
    """Yields the sentences, or with ``bags`` the bags, that the arguments name, in order.

    A file in SemEval's format gives its sentences, each under itself with its marks; JSONL its bags, each under file
    and line, or without ``bags`` their sentences; a folder what its files of these formats give. All else is as for
    texts: a file gives its lines, a glob the files that it matches, ``-`` the lines of stdin; any other argument is a
    sentence itself.
    """
    for argument in arguments:
        path = Path(argument)
        try:
            files = _files(path, encoding) if str(argument) else []  # an empty text is not the working folder
            for file in files:
                yield from _of_file(file, encoding, bags=bags)
        except (DataError, OSError, ValueError) as error:
            yield str(argument), UnreadableInput(str(error))
            continue
        if not files and all(mark in str(argument) for mark in MARKS):
            yield str(argument), str(argument)  # without a space between its marks it looks like a file's name
        elif not files:
            yield from expand_texts([argument], stdin, Reading(encoding))


def _files(path: Path, encoding: str) -> list[Path]:
    """Returns the files of a known format that a path is or holds."""
    try:
        if path.is_dir():
            return list(relation_files(path, encoding).values())
        known = path.is_file() and (holds_relations(path, encoding) or _of_bags(path, encoding))
    except (OSError, ValueError):  # a sentence is no path: it may be too long, or hold a NUL
        return []
    return [path] if known else []


def _of_bags(path: Path, encoding: str) -> bool:
    return path.suffix.lower() in JSONL or holds_bags(path, encoding)


def _of_file(path: Path, encoding: str, *, bags: bool) -> Iterator[Named]:
    if not _of_bags(path, encoding):
        yield from ((each.marked, each) for each in read_semeval(path, encoding, labelled=False))
        return
    for bag in read_bags(path, encoding, labelled=False):
        if bags:
            yield f"{path}:{bag.line}", bag
        else:
            yield from ((each.marked, each) for each in bag.sentences)
