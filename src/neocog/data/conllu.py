"""Sentences with tags in CoNLL-U, the format of Universal Dependencies: ten columns, comments, numbered words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from neocog.core.errors import DataError
from neocog.data.conll import TableRow, TaggedSentence, find_column, sentences
from neocog.data.text_lines import LONGEST, read_text, refuse_long, split_lines
from neocog.data.text_rows import Reading

COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
NEVER_UNSPECIFIED = ("upos", "xpos")  # an underscore there is a tag that is missing; elsewhere it is a value
_COLUMNS_NAMED = re.compile(r"#\s*global\.columns\s*=\s*(?P<names>.+)")
_ID = re.compile(r"(?P<word>[1-9][0-9]*)|(?P<first>[1-9][0-9]*)-(?P<last>[1-9][0-9]*)|[0-9]+\.[1-9][0-9]*")


def read_conllu(path: Path, reading: Reading, *, labelled: bool = True) -> tuple[list[TaggedSentence], list[str]]:
    """Returns the sentences of a CoNLL-U file in its order, and what is worth saying of how it was read.

    The words are the syntactic ones, numbered 1, 2, 3: a range ``1-2`` is how two of them are written together, and an
    empty node ``8.1`` is not written at all, so neither is a word. ``reading`` may name other columns than FORM and
    UPOS (XPOS, DEPREL), or give their number from 1. ``# global.columns`` (CoNLL-U Plus) names the columns.

    Raises DataError, with the line, for another number of columns, words out of order, a missing tag and an empty file;
    UsageError for a column that there is not.
    """
    names, blocks = _blocks(path, reading.encoding)
    if not blocks:
        raise DataError(f"{path} is empty; expected CoNLL-U, a word a line in ten columns parted by tabs")
    word = find_column(path, reading.text_column or "form", names, len(names), "text")
    tag = find_column(path, reading.label_column or "upos", names, len(names), "label") if labelled else None
    if tag is not None and names[tag] in NEVER_UNSPECIFIED:
        _refuse_unspecified(path, blocks, tag, names[tag])
    return sentences(path, blocks, word, tag), []


def _blocks(path: Path, encoding: str) -> tuple[tuple[str, ...], list[list[TableRow]]]:
    names: tuple[str, ...] = COLUMNS
    blocks: list[list[TableRow]] = [[]]
    for number, line in enumerate(split_lines(read_text(path, encoding)), 1):
        if len(line) > LONGEST:
            refuse_long(line, f"{path}, line {number}")
        if not line.strip(" \t"):
            blocks.append([])
        elif line.startswith("#") and not blocks[-1]:
            named = _COLUMNS_NAMED.fullmatch(line.strip())
            names = tuple(name.lower() for name in named["names"].split()) if named else names
        else:
            cells = line.split("\t")
            if len(cells) != len(names):
                raise DataError(
                    f"{path}, line {number}: {len(cells)} columns where CoNLL-U has {len(names)}, parted by tabs"
                )
            blocks[-1].append(TableRow(number, cells))
    return names, [words for words in (list(_words(path, block, names)) for block in blocks) if words]


def _words(path: Path, block: Iterable[TableRow], names: tuple[str, ...]) -> Iterable[TableRow]:
    """Yields the lines of words; raises DataError, with the line, where their numbers are not 1, 2, 3."""
    if "id" not in names:
        yield from block
        return
    column, following = names.index("id"), 1
    for row in block:
        number = row.cells[column]
        found = _ID.fullmatch(number)
        if found is None:
            raise DataError(f"{path}, line {row.line}: {number!r} is no word's number; expected 1, a range 1-2 or 8.1")
        wrong = found["word"] or found["first"]
        if wrong and int(wrong) != following:
            raise DataError(f"{path}, line {row.line}: word {number} where {following} is next; a line is missing")
        if found["word"]:
            following += 1
            yield row


def _refuse_unspecified(path: Path, blocks: list[list[TableRow]], tag: int, name: str) -> None:
    missing = [row.line for block in blocks for row in block if row.cells[tag].strip() == "_"]
    words = sum(map(len, blocks))
    if missing:
        lines = ", ".join(map(str, missing[:10])) + (", ..." if len(missing) > 10 else "")
        raise DataError(
            f"{path}, line {lines}: {len(missing)} of {words} words have no {name.upper()}; complete them, or name "
            "another --label-column"
        )
