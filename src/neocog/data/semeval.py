"""Sentences with two marked entities and their relation, in the format of SemEval-2010 task 8."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from neocog.core.errors import DataError
from neocog.data.text_lines import ENCODING, first_line, read_text, refuse_long, split_lines

MARKS = ("<e1>", "</e1>", "<e2>", "</e2>")
_SENTENCE = re.compile(r"(?P<number>[0-9]+)\t(?P<text>.*\S)\s*")
_RELATION = re.compile(r"[^\s()]+(\(e1,e2\)|\(e2,e1\))?")
_ENTITY = re.compile(r"<e(?P<which>[12])>(?P<text>.*?)</e(?P=which)>")

EXAMPLE = "a sentence with <e1>one</e1> and <e2>another</e2>"
EXPECTED = f'a number, a tab and "{EXAMPLE}"'


# Which of five pieces are those of the entity that begins first, and of the other: from one to before another.
Extents = tuple[tuple[int, int], tuple[int, int]]
APART: Extents = ((1, 2), (3, 4))
CROSSED: Extents = ((1, 3), (2, 4))
NESTED: Extents = ((1, 4), (2, 3))


@dataclass(frozen=True)
class RelationSentence:
    """A sentence in the five pieces between which its marks stand.

    ``relation`` is as in the file (``Cause-Effect(e2,e1)``, ``Other``), empty where it was read without;
    ``turned`` tells that ``e2`` stands before ``e1``. The entities are the second piece and the fourth, unless
    ``extents`` says that they share words.
    """

    number: int
    pieces: tuple[str, str, str, str, str]
    relation: str
    comment: str
    line: int
    turned: bool = False
    extents: Extents = APART

    @property
    def content(self) -> str:
        """Returns the pieces, a line each, which entity is first, and how they share words if they do."""
        shared = [] if self.extents == APART else [str(self.extents)]
        return "\n".join([*self.pieces, "e2" if self.turned else "e1", *shared])

    @property
    def text(self) -> str:
        """Returns the sentence without its marks."""
        return "".join(self.pieces)

    @property
    def marked(self) -> str:
        """Returns the sentence with its marks."""
        marks: dict[int, str] = {}
        for name, (start, end) in zip(("e2", "e1") if self.turned else ("e1", "e2"), self.extents, strict=True):
            marks |= {start: f"<{name}>", end: f"</{name}>"}
        return "".join(marks.get(place, "") + piece for place, piece in enumerate(self.pieces))

    @property
    def entities(self) -> tuple[str, str]:
        """Returns the texts of ``e1`` and ``e2``."""
        first, second = ("".join(self.pieces[start:end]) for start, end in self.extents)
        return (second, first) if self.turned else (first, second)


@dataclass(frozen=True)
class MarkedTokens:
    """The tokens of a sentence; ``e1`` and ``e2`` are from a token to before another, never empty."""

    tokens: tuple[str, ...]
    e1: tuple[int, int]
    e2: tuple[int, int]


def read_semeval(path: Path, encoding: str = ENCODING, *, labelled: bool = True) -> list[RelationSentence]:
    """Returns the sentences of a file in its order.

    A sentence is a line with number, tab and text (in quotes or without), a line with the relation, and a line with a
    comment, which may be missing; blank lines part them. Without ``labelled`` the relation may be missing too.
    Hendrickx et al. 2010. Raises DataError, with the line, for what is not so: marks that are missing, doubled, empty
    or crossed, no relation, a number that was there before, an empty file.
    """
    blocks = _blocks(path, encoding)
    if not blocks:
        raise DataError(f"{path} is empty; expected {EXPECTED}, and its relation in the line below")
    found: list[RelationSentence] = []
    lines: dict[int, int] = {}
    for block in blocks:
        sentence = _sentence(path, block, labelled=labelled)
        if sentence.number in lines:
            raise DataError(
                f"{path}, line {sentence.line}: number {sentence.number} is that of line {lines[sentence.number]} too"
            )
        lines[sentence.number] = sentence.line
        found.append(sentence)
    return found


def holds_relations(path: Path, encoding: str = ENCODING) -> bool:
    """Tells whether a file is of this format, by its first line that is not blank."""
    first = first_line(path, encoding)
    return _SENTENCE.fullmatch(first) is not None and all(mark in first for mark in MARKS)


def marked_sentence(text: str, where: str, *, line: int = 1) -> RelationSentence:
    """Returns a text with its two marked entities as a sentence without relation; ``where`` is what an error names.

    Raises DataError for marks that are missing, doubled, empty or crossed.
    """
    refuse_long(text, where)
    pieces, turned = _pieces(where, text, f'"{EXAMPLE}"')
    return RelationSentence(line, pieces, "", "", line, turned)


def marked_tokens(sentence: RelationSentence, tokenise: Callable[[str], Iterable[str]]) -> MarkedTokens:
    """Returns the tokens of a sentence and where its entities are among them.

    Each piece is tokenised by itself, so that an entity begins and ends with a token whatever stands beside it. An
    entity of which the tokeniser leaves nothing is parted by its spaces instead.
    """
    own = [list(tokenise(piece)) for piece in sentence.pieces]
    for start, end in sentence.extents:
        if not any(own[start:end]):
            own[start:end] = [piece.split() for piece in sentence.pieces[start:end]]
    begins = [0, *accumulate(map(len, own))]  # the first token of each piece
    first, second = ((begins[start], begins[end]) for start, end in sentence.extents)
    tokens = tuple(token for tokens in own for token in tokens)
    return MarkedTokens(tokens, *((second, first) if sentence.turned else (first, second)))


def _blocks(path: Path, encoding: str) -> list[list[tuple[int, str]]]:
    blocks: list[list[tuple[int, str]]] = [[]]
    for number, line in enumerate(split_lines(read_text(path, encoding)), 1):
        refuse_long(line, f"{path}, line {number}")
        if line.strip():
            blocks[-1].append((number, line))
        else:
            blocks.append([])
    return [block for block in blocks if block]


def _sentence(path: Path, block: list[tuple[int, str]], *, labelled: bool) -> RelationSentence:
    line, first = block[0]
    where = f"{path}, line {line}"
    head = _SENTENCE.fullmatch(first)
    if head is None:
        raise DataError(f"{where}: expected {EXPECTED}; got {first[:60]!r}")
    pieces, turned = _pieces(where, _unquoted(head["text"]))
    relation, rest = _relation(path, block, labelled=labelled)
    return RelationSentence(int(head["number"]), pieces, relation, _comment(path, rest), line, turned)


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _pieces(where: str, text: str, expected: str = EXPECTED) -> tuple[tuple[str, str, str, str, str], bool]:
    for mark in MARKS:
        if text.count(mark) != 1:
            raise DataError(f"{where}: {mark} is there {text.count(mark)} times; expected {expected}")
    found = list(_ENTITY.finditer(text))
    if len(found) != 2 or any("<e" in each["text"] or "</e" in each["text"] for each in found):
        raise DataError(f"{where}: the marks of e1 and e2 cross or stand the wrong way round; expected {expected}")
    for each in found:
        if not each["text"].strip():
            raise DataError(f"{where}: there is no word between the marks of e{each['which']}")
    first, second = found
    pieces = (
        text[: first.start()],
        first["text"],
        text[first.end() : second.start()],
        second["text"],
        text[second.end() :],
    )
    return pieces, first["which"] == "2"


def _relation(path: Path, block: list[tuple[int, str]], *, labelled: bool) -> tuple[str, list[tuple[int, str]]]:
    """Returns the relation and the lines behind it."""
    line, text = block[1] if len(block) > 1 else (block[0][0], "")
    relation = text.strip()
    if _RELATION.fullmatch(relation) and not _is_comment(relation):
        return relation, block[2:]
    if relation and not _is_comment(relation):
        raise DataError(f"{path}, line {line}: expected a relation such as Cause-Effect(e1,e2) or Other; got {text!r}")
    if labelled:
        raise DataError(f"{path}, line {block[0][0]}: the sentence has no relation in the line below")
    return "", block[1:]


def _comment(path: Path, lines: list[tuple[int, str]]) -> str:
    if not lines:
        return ""
    for line, text in lines[1:] if _is_comment(lines[0][1]) else lines:
        raise DataError(
            f"{path}, line {line}: expected a blank line between sentences, or one line of Comment:; got {text[:60]!r}"
        )
    return lines[0][1].split(":", 1)[1].strip()


def _is_comment(text: str) -> bool:
    return text.lstrip().lower().startswith("comment:")
