"""Bags of sentences from JSONL: both formats, what is grouped, and each refusal with its file and line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neocog.core.errors import DataError
from neocog.data.bags import holds_bags, read_bags
from neocog.data.semeval import marked_tokens
from neocog.data.tokenise import words

BAG = {"head": "Bach", "tail": "Leipzig", "relation": "lived-in", "sentences": ["<e1>Bach</e1> in <e2>Leipzig</e2>."]}
SENTENCE = {
    "text": "Bach moved to Leipzig.",
    "h": {"id": "m.1", "name": "Bach", "pos": [0, 4]},
    "t": {"id": "m.2", "name": "Leipzig", "pos": [14, 21]},
    "relation": "lived-in",
}


def write(path, rows):
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows), "utf-8")
    return path


def test_a_bag_a_line(tmp_path):
    tokens = {"tokens": ["In", "Leipzig", "Bach", "worked"], "e1": [2, 3], "e2": [1, 2]}
    both = {**BAG, "relation": None, "relations": ["lived-in", "worked-in"], "sentences": [*BAG["sentences"], tokens]}
    first, second = read_bags(write(tmp_path / "a.jsonl", [BAG, "", both]))
    assert (first.head, first.tail, first.relations, first.line) == ("Bach", "Leipzig", ("lived-in",), 1)
    assert first.sentences[0].pieces == ("", "Bach", " in ", "Leipzig", ".")
    assert (second.relations, second.line) == (("lived-in", "worked-in"), 3)
    told = second.sentences[1]
    assert told.pieces == ("In ", "Leipzig", " ", "Bach", " worked")
    assert (told.turned, told.entities) == (True, ("Bach", "Leipzig"))


def test_a_sentence_a_line_is_grouped_by_pair_and_relation(tmp_path):
    again = {**SENTENCE, "text": "Leipzig and Bach", "h": {"name": "J. S. Bach", "id": "m.1", "pos": [12, 16]}}
    again["t"] = {"id": "m.2", "name": "Leipzig", "pos": [0, 7]}
    other = {**SENTENCE, "relation": "worked-in"}
    tokens = {"token": ["Bach", "left", "Leipzig"], "relation": "lived-in"}
    tokens |= {"h": {**SENTENCE["h"], "pos": [0, 1]}, "t": {**SENTENCE["t"], "pos": [2, 3]}}
    path = write(tmp_path / "a.txt", [SENTENCE, other, again, tokens])
    first, second = read_bags(path)
    assert [each.text for each in first.sentences] == [
        "Bach moved to Leipzig.",
        "Leipzig and Bach",
        "Bach left Leipzig",
    ]
    assert (first.head, first.relations, first.line) == ("Bach", ("lived-in",), 1)
    assert (second.relations, second.line, len(second.sentences)) == (("worked-in",), 2, 1)
    (pair,) = read_bags(path, labelled=False)
    assert (len(pair.sentences), pair.relations) == (4, ())


def test_entities_are_known_by_their_ids_and_else_by_their_names(tmp_path):
    other = {**SENTENCE, "h": {**SENTENCE["h"], "id": "m.9"}}
    assert len(read_bags(write(tmp_path / "a.jsonl", [SENTENCE, other]))) == 2
    bare = {**SENTENCE, "h": {"name": "Bach", "pos": [0, 4]}, "t": {"name": "Leipzig", "pos": [14, 21]}}
    assert len(read_bags(write(tmp_path / "b.jsonl", [bare, bare]))) == 1


def entities(text, head, tail, path):
    """The sentence of a row whose entities are at these places of its text."""
    row = {"text": text, "h": {"name": "h", "pos": head}, "t": {"name": "t", "pos": tail}, "relation": "r"}
    return read_bags(write(path / "a.jsonl", [row]))[0].sentences[0]


@pytest.mark.parametrize(
    ("head", "tail", "marked", "tokens"),
    [
        ([3, 11], [7, 16], "In <e1>New <e2>York</e1> City</e2>.", ((1, 3), (2, 4))),
        ([7, 16], [3, 11], "In <e2>New <e1>York</e2> City</e1>.", ((2, 4), (1, 3))),
        ([7, 11], [3, 16], "In <e2>New <e1>York</e1> City</e2>.", ((2, 3), (1, 4))),
        ([3, 6], [3, 16], "In <e2><e1>New</e1> York City</e2>.", ((1, 2), (1, 4))),
        ([3, 16], [12, 16], "In <e1>New York <e2>City</e2></e1>.", ((1, 4), (3, 4))),
        ([3, 11], [3, 11], "In <e1><e2>New York</e2></e1> City.", ((1, 3), (1, 3))),
        ([3, 7], [7, 11], "In <e1>New </e1><e2>York</e2> City.", ((1, 2), (2, 3))),
    ],
)
def test_entities_may_share_words(tmp_path, head, tail, marked, tokens):
    sentence = entities("In New York City.", head, tail, tmp_path)
    assert (sentence.text, sentence.marked) == ("In New York City.", marked)
    assert sentence.entities == tuple("In New York City."[start:end] for start, end in (head, tail))
    found = marked_tokens(sentence, words)
    assert found.tokens == ("in", "new", "york", "city", ".")
    assert (found.e1, found.e2) == tokens


def test_tokens_of_two_entities_may_be_the_same(tmp_path):
    row = {**BAG, "sentences": [{"tokens": ["a", "b", "c"], "e1": [0, 2], "e2": [1, 2]}]}
    [sentence] = read_bags(write(tmp_path / "a.jsonl", [row]))[0].sentences
    assert sentence.marked == "<e1>a <e2>b</e2></e1> c"
    apart = {**BAG, "sentences": [{"tokens": ["a", "b", "c"], "e1": [0, 1], "e2": [1, 2]}]}
    one, other = read_bags(write(tmp_path / "b.jsonl", [row, apart]))
    assert one.content != other.content


PLACES = st.tuples(st.integers(0, 11), st.integers(1, 6)).map(lambda each: [each[0], min(each[0] + each[1], 12)])


@given(PLACES, PLACES)
def test_entities_anywhere_are_where_the_tokens_say(tmp_path_factory, head, tail):
    sentence = entities("ab.c'd,efg-h", head, tail, tmp_path_factory.getbasetemp())
    found = marked_tokens(sentence, list)
    for (start, end), entity in zip((found.e1, found.e2), sentence.entities, strict=True):
        assert "".join(found.tokens[start:end]) == entity
    assert "".join(sentence.pieces) == "ab.c'd,efg-h"


def without(row, key):
    return {name: value for name, value in row.items() if name != key}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{", "this is no JSON"),
        ("[1]", "expected a bag a line"),
        (without(BAG, "relation"), "there is no `relation`"),
        ({**BAG, "relation": 3}, "`relation` should be a name"),
        ({**BAG, "relations": ["a", " "]}, "`relations` a list of names"),
        ({**BAG, "sentences": []}, "a list of at least one sentence"),
        ({**BAG, "sentences": ["no marks"]}, "sentence 1: <e1> is there 0 times"),
        ({**BAG, "sentences": [{"e1": [0, 1]}]}, "sentence 1: expected a text with marks, or tokens"),
        ({**BAG, "head": ""}, "'head' should name an entity"),
        ({**BAG, "sentences": [{"tokens": ["a", "b"], "e1": [0, 1]}]}, "the place of the tail should be"),
        ({**BAG, "sentences": [{"tokens": ["a", "b"], "e1": [0, 1], "e2": [1, 3]}]}, "not inside the sentence"),
        ({**BAG, "sentences": [{"tokens": "a b", "e1": [0, 1], "e2": [1, 2]}]}, "a list of words"),
    ],
)
def test_bad_bags(tmp_path, row, reason):
    path = write(tmp_path / "a.jsonl", [BAG, row])
    with pytest.raises(DataError, match=f"{path}, line 2: .*{reason}") as caught:
        read_bags(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (without(SENTENCE, "h"), "h and t should be objects"),
        (without(SENTENCE, "text"), "neither `text` nor `token`"),
        ({**SENTENCE, "h": {"pos": [0, 4]}}, "'h' should name an entity"),
        ({**SENTENCE, "h": {"name": "Bach", "pos": [0, 40]}}, r"the head at \[0, 40\] is not inside .* 22 long"),
        ({**SENTENCE, "h": {"name": "Bach", "pos": [4, 5]}}, "there is no word at the place of the head, 4 to 5"),
        ({**SENTENCE, "t": {"name": "Leipzig", "pos": [True, 2]}}, "the place of the tail should be"),
        ({**SENTENCE, "relation": ""}, "there is no `relation`"),
    ],
)
def test_bad_sentences(tmp_path, row, reason):
    path = write(tmp_path / "a.jsonl", [SENTENCE, row])
    with pytest.raises(DataError, match=f"{path}, line 2: .*{reason}"):
        read_bags(path)


def test_without_relations_where_none_are_wanted(tmp_path):
    (bag,) = read_bags(write(tmp_path / "a.jsonl", [without(BAG, "relation")]), labelled=False)
    assert bag.relations == ()
    with pytest.raises(DataError, match="is empty"):
        read_bags(write(tmp_path / "b.jsonl", [""]))


def test_which_files_are_of_bags(tmp_path):
    assert holds_bags(write(tmp_path / "a.jsonl", ["", BAG]))
    assert holds_bags(write(tmp_path / "b.txt", [SENTENCE]))
    assert not holds_bags(write(tmp_path / "c.jsonl", [{"text": "a", "label": "b"}]))
    assert not holds_bags(write(tmp_path / "d.txt", ["{ not JSON"]))
    assert not holds_bags(write(tmp_path / "e.txt", ["plain"]))
    assert not holds_bags(tmp_path / "none")
