"""Spans from tags and back, in every scheme, well-formed and not."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neocog.core.errors import DataError, UsageError
from neocog.core.spans import (
    SCHEMES,
    Span,
    check_scheme,
    converted,
    in_bioes,
    is_well_formed,
    may_follow,
    scheme_of,
    spans,
    split_tag,
    tags_of,
)

KINDS = ["NP", "VP", "ADV-P", ""]


@st.composite
def sentences(draw):
    """A sentence's length and spans in it that do not overlap, some of which touch."""
    found, place = [], 0
    for gap, length, kind in draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.sampled_from(KINDS)), max_size=6)
    ):
        found.append(Span(place + gap, place + gap + length, kind))
        place += gap + length
    return place + draw(st.integers(0, 2)), found


TAGS = st.lists(st.sampled_from(["O", "B-NP", "I-NP", "E-NP", "S-NP", "B-VP", "I-VP", "E-VP", "S-VP"]), max_size=9)


@given(sentences(), st.sampled_from(SCHEMES))
def test_what_is_written_is_read_back(sentence, scheme):
    length, found = sentence
    tags = tags_of(found, length, scheme)
    assert len(tags) == length
    assert spans(tags) == found
    assert is_well_formed(tags, scheme)


@given(sentences(), st.sampled_from(SCHEMES), st.sampled_from(SCHEMES))
def test_conversions_go_to_and_fro(sentence, first, second):
    length, found = sentence
    tags = tags_of(found, length, first)
    assert converted(tags, second) == tags_of(found, length, second)
    assert converted(converted(tags, second), first) == tags


@given(TAGS, st.sampled_from(SCHEMES))
def test_any_tags_become_well_formed_of_the_same_spans(tags, scheme):
    mended = converted(tags, scheme)
    assert spans(mended) == spans(tags)
    assert is_well_formed(mended, scheme)
    assert converted(mended, scheme) == mended


@given(TAGS, st.sampled_from(SCHEMES))
def test_well_formed_are_those_that_conversion_leaves_alone(tags, scheme):
    assert is_well_formed(tags, scheme) == (converted(tags, scheme) == tags)


CASES = {
    "B-NP I-NP O B-VP": [(0, 2, "NP"), (3, 4, "VP")],
    "B-NP B-NP I-NP": [(0, 1, "NP"), (1, 3, "NP")],
    "I-NP I-NP B-NP": [(0, 2, "NP"), (2, 3, "NP")],  # IOB1: B only where two of a type touch
    "I-NP I-VP": [(0, 1, "NP"), (1, 2, "VP")],
    "O I-NP O": [(1, 2, "NP")],
    "B-NP I-VP I-VP": [(0, 1, "NP"), (1, 3, "VP")],
    "B-NP I-NP": [(0, 2, "NP")],
    "S-NP S-NP B-VP I-VP E-VP": [(0, 1, "NP"), (1, 2, "NP"), (2, 5, "VP")],
    "B-NP E-NP I-NP": [(0, 2, "NP"), (2, 3, "NP")],
    "E-NP": [(0, 1, "NP")],
    "B-NP O": [(0, 1, "NP")],
    "S-NP I-NP E-NP": [(0, 1, "NP"), (1, 3, "NP")],
    "B I O": [(0, 2, "")],
    "B-NP-SBJ I-NP-SBJ": [(0, 2, "NP-SBJ")],
    "O O": [],
    "": [],
}


@pytest.mark.parametrize("tags", CASES)
def test_spans_by_hand(tags):
    assert spans(tags.split()) == CASES[tags]


def test_tags_by_hand():
    found = [Span(0, 1, "NP"), Span(1, 3, "NP"), Span(3, 4, "VP"), Span(5, 8, "NP")]
    assert tags_of(found, 9, "IOB1") == ["I-NP", "B-NP", "I-NP", "I-VP", "O", "I-NP", "I-NP", "I-NP", "O"]
    assert tags_of(found, 9, "IOB2") == ["B-NP", "B-NP", "I-NP", "B-VP", "O", "B-NP", "I-NP", "I-NP", "O"]
    assert tags_of(reversed(found), 9, "BIOES") == ["S-NP", "B-NP", "E-NP", "S-VP", "O", "B-NP", "I-NP", "E-NP", "O"]


def test_what_may_follow_what_by_hand():
    tags = [None, "O", "B-A", "I-A", "E-A", "S-A", "B-B", "I-B"]
    yes = {
        "IOB2": {"I-A": ["B-A", "I-A"], "B-A": [None, "O", "B-A", "I-A", "B-B", "I-B"]},
        "IOB1": {"B-A": ["B-A", "I-A"], "I-A": [None, "O", "B-A", "I-A", "B-B", "I-B"]},
        "BIOES": {
            "I-A": ["B-A", "I-A"],
            "E-A": ["B-A", "I-A"],
            **{tag: [None, "O", "E-A", "S-A"] for tag in ("B-A", "S-A", "O", None)},
        },
    }
    for scheme, rules in yes.items():
        known = tags if scheme == "BIOES" else [tag for tag in tags if tag not in ("E-A", "S-A")]
        for tag, before in itertools.product(rules, known):
            assert may_follow(before, tag, scheme) == (before in rules[tag]), (scheme, before, tag)


def test_the_scheme_is_recognised():
    assert scheme_of([["O", "I-NP", "B-NP"], ["I-VP", "I-NP"]]) == "IOB1"
    assert scheme_of([["O", "B-NP", "I-NP"], ["B-NP"]]) == "IOB2"
    assert scheme_of([["O", "B-NP"], ["I-NP", "O"]]) == "IOB2"  # ill-formed
    assert scheme_of([["O"], ["S-NP", "O"], ["B-NP", "E-NP"]]) == "BIOES"
    assert scheme_of([["NOUN", "VERB"], ["O"]]) is None
    assert scheme_of([["O", "O"]]) is None
    assert scheme_of([]) is None


@given(st.lists(sentences(), min_size=1, max_size=4))
def test_the_scheme_of_written_tags_reads_them_as_they_were_meant(corpus):
    for scheme in SCHEMES:
        written = [tags_of(found, length, scheme) for length, found in corpus]
        known = scheme_of(written)
        if any(found for _, found in corpus):
            assert all(is_well_formed(tags, known) for tags in written)


def test_refusals():
    for tag in ("NP", "X-NP", "", "b-NP", "O-NP", "-NP"):
        with pytest.raises(DataError, match="not a tag of a span"):
            split_tag(tag)
    with pytest.raises(DataError, match="overlap at word 1"):
        tags_of([Span(0, 2, "A"), Span(1, 3, "A")], 4)
    for span in (Span(0, 5, "A"), Span(-1, 2, "A"), Span(2, 2, "A")):
        with pytest.raises(DataError, match="does not lie in a sentence of 4 words"):
            tags_of([span], 4)
    with pytest.raises(UsageError, match=r"'IOB3'.* Did you mean IOB"):
        check_scheme("IOB3")
    with pytest.raises(DataError, match="'S-A' is not a tag of IOB2"):
        may_follow("S-A", "O", "IOB2")
    assert not is_well_formed(["S-A"], "IOB2")
    assert not is_well_formed(["NOUN"], "BIOES")


def test_letters_of_other_schemes_are_those_of_bioes():
    assert in_bioes(["O", "B-PER", "I-PER", "L-PER", "U-my-LOC"]) == (
        "BILOU",
        {"B-PER": "B-PER", "I-PER": "I-PER", "L-PER": "E-PER", "U-my-LOC": "S-my-LOC"},
    )
    assert in_bioes(["B-A", "M-A", "E-A", "S-B"])[1]["M-A"] == "I-A"
    for others in (["O", "B-A", "I-A"], ["B-A", "E-A", "S-A", "I-A"], ["L-A", "M-A"], ["U", "L"], ["U-A", "NOUN"], []):
        assert in_bioes(others) is None
