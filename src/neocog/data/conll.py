"""Sentences with a tag for each word: columns as of the CoNLL shared tasks, a word a line, a blank line between."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from neocog.core.errors import DataError, UsageError, near_names
from neocog.data.text_lines import LONGEST, read_text, refuse_long, split_lines
from neocog.data.text_rows import Reading

MOST_WORDS = 10_000  # of one sentence; a file without blank lines is one sentence
DOCUMENT = "-DOCSTART-"  # the beginning of a document in CoNLL-2003
WORD_NAMES = ("word", "words", "token", "tokens", "form", "text")
TAG_NAMES = (
    "tag",
    "tags",
    "label",
    "labels",
    "pos",
    "upos",
    "xpos",
    "chunk",
    "ner",
    "ner_tag",
    "ner_tags",
    "iob",
    "bio",
)
# What files say of a sentence in the line before it: ``# sent_id = 1``, ``# id 7f3a domain=en``.
_SAID_BEFORE = re.compile(r"#\s*((sent_)?id|text|newdoc|newpar|doc(_id)?|[\w.]+\s*=)\s")
# The names that the shared tasks of 2000 and 2003 give to their columns.
NAMES = {1: ("word",), 2: ("word", "tag"), 3: ("word", "pos", "chunk"), 4: ("word", "pos", "chunk", "ner")}


@dataclass(frozen=True)
class TaggedSentence:
    """Words, a tag for each (none where the file was read without), and the line of the first word."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    line: int

    def __len__(self) -> int:
        return len(self.words)

    @property
    def content(self) -> str:
        """Returns the words, a line each."""
        return "\n".join(self.words)


class TableRow(NamedTuple):
    """The cells of one word, and its line."""

    line: int
    cells: Sequence[str]


def read_columns(path: Path, reading: Reading, *, labelled: bool = True) -> tuple[list[TaggedSentence], list[str]]:
    """Returns the sentences of a file of columns in its order, and what is worth saying of how it was read.

    Columns are parted by tabs where the first word's line has one, else by spaces. The word is the first column and its
    tag the last, unless ``reading`` names columns, by a number from 1 or by name: those of a header, or of CoNLL-2000
    and 2003. Without ``labelled`` there need be no tags. Lines that begin with ``-DOCSTART-`` begin a document; where
    tabs part columns, a line without one that begins with ``#`` before a sentence is a comment.

    Raises DataError, with the line, for another number of columns, an empty word or tag, a sentence of more words than
    `MOST_WORDS` and an empty file; UsageError for a column that there is not.
    """
    blocks, notes = column_blocks(path, reading.encoding)
    rows = [row for block in blocks for row in block]
    if not rows[1 if rows and _header(rows[0]) else 0 :]:
        raise DataError(f"{path} is empty; expected a word and its tag a line, and a blank line between sentences")
    width, header = len(rows[0].cells), _header(rows[0])
    for row in rows:
        if len(row.cells) != width:
            raise DataError(
                f"{path}, line {row.line}: {_counted(len(row.cells))} where line {rows[0].line} has {width}"
            )
    names = header or NAMES.get(width, ())
    if header:
        notes.append(f"{path.name}: line {rows[0].line} names the columns: {', '.join(rows[0].cells)}")
        blocks = [block for block in (blocks[0][1:], *blocks[1:]) if block]
    word = _column(path, reading.text_column, names, width, "text", 0)
    tag = _tag_column(path, reading, names, width, word) if labelled else None
    return sentences(path, blocks, word, tag), notes


def column_blocks(path: Path, encoding: str) -> tuple[list[list[TableRow]], list[str]]:
    """Returns the lines between blank lines as cells, and a note of lines that are comments only by their columns.

    Documents' beginnings and comments are left out.

    Raises DataError, with the line, for bytes that are not of the encoding and for a line that is too long.
    """
    blocks: list[list[TableRow]] = [[]]
    comments: list[int] = []
    lines = split_lines(read_text(path, encoding))
    first = next((line for line in lines if not _is_between(line) and not line.startswith("#")), "")
    parted = _separator(first)
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST:
            refuse_long(line, f"{path}, line {number}")
        if _is_between(line):
            blocks.append([])
        elif blocks[-1] or not _is_comment(line, parted, len(parted(first))):
            blocks[-1].append(TableRow(number, parted(line)))
        elif not _says_so(line, parted):
            comments.append(number)
    return [block for block in blocks if block], _note(path, comments)


def _is_between(line: str) -> bool:
    bare = line.strip(" \t")
    return not bare or (bare.startswith(DOCUMENT) and _by_spaces(bare)[0] == DOCUMENT)


def _is_comment(line: str, parted: Callable[[str], list[str]], width: int) -> bool:
    """Tells whether a line before a sentence is a comment: a word ``#`` has as many columns as other words."""
    if not line.startswith("#") or not width:
        return False
    cells = parted(line)
    return _says_so(line, parted) or (len(cells) not in (1, width) and cells[0] == "#")


def _says_so(line: str, parted: Callable[[str], list[str]]) -> bool:
    """Tells whether a line with ``#`` before it can be nothing but a comment."""
    return _SAID_BEFORE.match(line) is not None or (parted is _by_tabs and "\t" not in line)


def _note(path: Path, comments: Sequence[int]) -> list[str]:
    if not comments:
        return []
    lines = ", ".join(map(str, comments[:5])) + (", ..." if len(comments) > 5 else "")
    return [f"{path.name}: taken for comments, as they begin with # and have other columns: line {lines}"]


def _separator(first: str) -> Callable[[str], list[str]]:
    """Returns how the first word's line is parted: one that begins with ``#`` may be a comment, and does not say."""
    return _by_tabs if "\t" in first.strip(" \t") else _by_spaces


def sentences(path: Path, blocks: Sequence[Sequence[TableRow]], word: int, tag: int | None) -> list[TaggedSentence]:
    """Returns two columns of each block; raises DataError, with the line, for an empty one and for too many words."""
    found = []
    for block in blocks:
        if len(block) > MOST_WORDS:
            raise DataError(
                f"{path}, line {block[0].line}: a sentence of {len(block):,} words, more than {MOST_WORDS:,}; "
                "put a blank line between sentences"
            )
        words = tuple(_cell(path, row, word, "word") for row in block)
        tags = () if tag is None else tuple(_cell(path, row, tag, "tag") for row in block)
        found.append(TaggedSentence(words, tags, block[0].line))
    return found


def _cell(path: Path, row: TableRow, column: int, what: str) -> str:
    cell = row.cells[column].strip(" \t")
    if not cell:
        raise DataError(f"{path}, line {row.line}: the {what} in column {column + 1} is empty")
    return cell


def _by_tabs(line: str) -> list[str]:
    return line.split("\t")


def _by_spaces(line: str) -> list[str]:
    # No other blank parts them: a no-break space may be in a word.
    return [cell for cell in line.replace("\t", " ").split(" ") if cell]


def _header(row: TableRow) -> tuple[str, ...]:
    """Returns the names of columns where the first line has names of a word and of a tag, and none otherwise."""
    names = tuple(cell.strip().lower() for cell in row.cells)
    named = any(name in WORD_NAMES for name in names) and any(name in TAG_NAMES for name in names)
    return names if named and len(set(names)) == len(names) else ()


def _tag_column(path: Path, reading: Reading, names: Sequence[str], width: int, word: int) -> int:
    if width < 2:
        raise DataError(f"{path}: {_counted(width)}; expected a word and its tag a line, parted by tabs or spaces")
    tag = _column(path, reading.label_column, names, width, "label", width - 1)
    if tag == word:
        raise UsageError(f"{path}: column {tag + 1} cannot be both word and tag; say --text-column and --label-column")
    return tag


def _column(path: Path, asked: str | None, names: Sequence[str], width: int, what: str, otherwise: int) -> int:
    """Returns the position of the column that was asked for, or the usual one."""
    if asked is None:
        if what == "text" and any(name in WORD_NAMES for name in names):
            return next(place for place, name in enumerate(names) if name in WORD_NAMES)
        return otherwise
    return find_column(path, asked, names, width, what)


def find_column(path: Path, asked: str, names: Sequence[str], width: int, what: str) -> int:
    """Returns the position of a column by its number from 1 or by its name; raises UsageError where there is none."""
    if asked.lower() in names:
        return list(names).index(asked.lower())
    if re.fullmatch(r"[0-9]+", asked) and 1 <= int(asked) <= width:
        return int(asked) - 1
    called = f", called {', '.join(names)}" if names else ""
    raise UsageError(
        f"--{what}-column {asked}: {path} has {_counted(width)}{called}; say a number from 1 to {width}."
        f"{near_names(asked, names)}"
    )


def _counted(width: int) -> str:
    return f"{width} column{'' if width == 1 else 's'}"
