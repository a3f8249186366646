"""Bags of sentences for distant supervision, from JSONL: what is written of a pair of entities, and their relation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neocog.core.errors import DataError
from neocog.data.semeval import APART, CROSSED, NESTED, RelationSentence, marked_sentence
from neocog.data.text_lines import ENCODING, first_line, numbered_lines, refuse_long

EXPECTED = (
    'a bag a line, {"head": "A", "tail": "B", "relation": "R", "sentences": ["<e1>A</e1> and <e2>B</e2>"]}, or a '
    'sentence a line, {"text": "A and B", "h": {"name": "A", "pos": [0, 1]}, "t": {"name": "B", "pos": [6, 7]}, '
    '"relation": "R"}'
)


@dataclass(frozen=True)
class Bag:
    """The sentences that name one pair of entities, in the file's order, and the relations of that pair.

    ``relations`` is empty where the bag was read without; ``line`` is that of its first sentence.
    """

    head: str
    tail: str
    relations: tuple[str, ...]
    sentences: tuple[RelationSentence, ...]
    line: int

    @property
    def content(self) -> str:
        """Returns the sentences' contents, without the relations: two of equal content are the same bag."""
        return "\n\n".join(each.content for each in self.sentences)

    @property
    def text(self) -> str:
        """Returns the sentences without their marks, a line each."""
        return "\n".join(each.text for each in self.sentences)


def holds_bags(path: Path, encoding: str = ENCODING) -> bool:
    """Tells whether a file is of one of the two formats, by its first line that is not blank."""
    first = first_line(path, encoding)
    if not first.lstrip().startswith("{"):
        return False
    try:
        row = json.loads(first)
    except ValueError:
        return False
    return isinstance(row, dict) and ("sentences" in row or {"h", "t"} <= row.keys())


def read_bags(path: Path, encoding: str = ENCODING, *, labelled: bool = True) -> list[Bag]:
    """Returns the bags of a file, in the order of their first lines.

    A line is a bag: ``head`` and ``tail``, ``relation`` or a list ``relations``, and ``sentences``, each a text with
    marks ``<e1>..</e1>`` (the head) and ``<e2>..</e2>``, or ``{"tokens": [...], "e1": [from, to], "e2": [from, to]}``,
    ``to`` behind the last token. Or a line is a sentence, as OpenNRE has them: ``text`` or ``token``, ``h`` and ``t``
    with ``name`` (and ``id``) and ``pos`` (from, to: in characters of the text, or in tokens), and ``relation``; these
    are put into bags by head, tail and relation, or without ``labelled`` by head and tail.

    The two entities may share words (``York`` and ``New York``), as sentences that a machine tagged have them; marks in
    a text may not cross. Raises DataError, with the line, for a row that is not so, an entity outside its sentence, a
    missing relation, an empty file.
    """
    rows = [(number, _row(path, number, line)) for number, line in numbered_lines(path, encoding)]
    if not rows:
        raise DataError(f"{path} is empty; expected {EXPECTED}")
    if "sentences" in rows[0][1]:
        return [_bag(f"{path}, line {number}", number, row, labelled=labelled) for number, row in rows]
    return _grouped(path, rows, labelled=labelled)


def _row(path: Path, number: int, line: str) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise DataError(f"{path}, line {number}: this is no JSON ({error}); expected {EXPECTED}") from error
    if not isinstance(row, dict):
        raise DataError(f"{path}, line {number}: expected {EXPECTED}; got {line[:60]!r}")
    return row


def _bag(where: str, number: int, row: Mapping[str, Any], *, labelled: bool) -> Bag:
    given = row.get("sentences")
    if not isinstance(given, list) or not given:
        raise DataError(f"{where}: `sentences` should be a list of at least one sentence; got {given!r:.60}")
    sentences = tuple(_sentence(where, number, place, each) for place, each in enumerate(given, 1))
    head, tail = (_name(where, row.get(key), key) for key in ("head", "tail"))
    return Bag(head, tail, _relations(where, row, labelled=labelled), sentences, number)


def _sentence(where: str, number: int, place: int, given: Any) -> RelationSentence:
    where = f"{where}: sentence {place}"
    if isinstance(given, str):
        return marked_sentence(given, where, line=number)
    if not isinstance(given, dict) or "tokens" not in given:
        raise DataError(f"{where}: expected a text with marks, or tokens with e1 and e2; got {given!r:.60}")
    return _of_tokens(where, number, given["tokens"], (given.get("e1"), given.get("e2")))


def _grouped(path: Path, rows: Sequence[tuple[int, Mapping[str, Any]]], *, labelled: bool) -> list[Bag]:
    """Returns the sentences of a file by head, tail and relation."""
    bags: dict[tuple[str, ...], Bag] = {}
    for number, row in rows:
        where = f"{path}, line {number}"
        ends = [row.get(key) for key in ("h", "t")]
        if not all(isinstance(end, dict) for end in ends):
            raise DataError(f"{where}: h and t should be objects with name and pos; expected {EXPECTED}")
        head, tail = (_name(where, end, key) for end, key in zip(ends, "ht", strict=True))
        spans = tuple(end.get("pos") for end in ends if isinstance(end, dict))
        if "token" in row:
            sentence = _of_tokens(where, number, row["token"], spans)
        else:
            sentence = _of_text(where, number, row.get("text"), spans)
        relations = _relations(where, row, labelled=labelled)
        key = (*(str(end.get("id", name)) for end, name in zip(ends, (head, tail), strict=True)), *relations)  # type: ignore[union-attr]
        had = bags.get(key, Bag(head, tail, relations, (), number))
        bags[key] = Bag(had.head, had.tail, relations, (*had.sentences, sentence), had.line)
    return list(bags.values())


def _name(where: str, given: Any, key: str) -> str:
    name = given.get("name", given.get("id")) if isinstance(given, dict) else given
    if not isinstance(name, str) or not name.strip():
        raise DataError(f"{where}: {key!r} should name an entity; got {given!r:.60}")
    return name


def _relations(where: str, row: Mapping[str, Any], *, labelled: bool) -> tuple[str, ...]:
    given = row.get("relations", row.get("relation"))
    found = [given] if isinstance(given, str) else given
    if found in (None, [], [""]):
        if labelled:
            raise DataError(f"{where}: there is no `relation`; complete the row")
        return ()
    if not isinstance(found, list) or not all(isinstance(each, str) and each.strip() for each in found):
        raise DataError(f"{where}: `relation` should be a name, or `relations` a list of names; got {given!r:.60}")
    return tuple(dict.fromkeys(found)) if labelled else ()


def _of_text(where: str, number: int, text: Any, spans: Sequence[Any]) -> RelationSentence:
    if not isinstance(text, str):
        raise DataError(f"{where}: there is neither `text` nor `token`; expected {EXPECTED}")
    return _cut(where, number, text, _checked(where, spans, len(text)))


def _of_tokens(where: str, number: int, tokens: Any, spans: Sequence[Any]) -> RelationSentence:
    """Returns the tokens as a text with a space between any two."""
    if not isinstance(tokens, list) or not all(isinstance(each, str) for each in tokens):
        raise DataError(f"{where}: the tokens should be a list of words; got {tokens!r:.60}")
    places = []
    for start, end in _checked(where, spans, len(tokens)):
        before = sum(len(each) + 1 for each in tokens[:start])
        places.append((before, before + len(" ".join(tokens[start:end]))))
    return _cut(where, number, " ".join(tokens), places)


def _checked(where: str, spans: Sequence[Any], length: int) -> list[tuple[int, int]]:
    """Returns the places of head and tail; raises DataError for what is none, or is outside."""
    for name, span in zip(("head", "tail"), spans, strict=True):
        if not (isinstance(span, list) and len(span) == 2 and all(type(each) is int for each in span)):
            raise DataError(f"{where}: the place of the {name} should be [from, to]; got {span!r:.60}")
        if not 0 <= span[0] < span[1] <= length:
            raise DataError(f"{where}: the {name} at {span} is not inside the sentence, which is {length} long")
    return [(span[0], span[1]) for span in spans]


def _cut(where: str, number: int, text: str, places: Sequence[tuple[int, int]]) -> RelationSentence:
    """Returns the text cut at the ends of its two entities; of two that begin together the longer is the first."""
    for name, (start, end) in zip(("head", "tail"), places, strict=True):
        if not text[start:end].strip():
            raise DataError(f"{where}: there is no word at the place of the {name}, {start} to {end}")
    refuse_long(text, where)
    first, second = sorted((0, 1), key=lambda each: (places[each][0], -places[each][1]))
    end, begin, last = places[first][1], *places[second]
    extents = APART if end <= begin else NESTED if last <= end else CROSSED
    one, two, three, four = sorted(place for span in places for place in span)
    cut = (text[:one], text[one:two], text[two:three], text[three:four], text[four:])
    return RelationSentence(number, cut, "", "", number, first == 1, extents)
