"""What a tagger is given of words: forms, capitals, suffixes, and schemes of tags."""

from __future__ import annotations

import pytest
import torch

from neocog.data.conll import TaggedSentence
from neocog.data.dataset import Part
from neocog.data.sentence_items import items_of
from neocog.data.tag_features import UNKNOWN, capitals, normalised, seen_as, suffix
from neocog.data.tag_preprocess import TagPreprocessing
from neocog.data.tag_source import PADDING, TagSource

NUMBERS = TagPreprocessing((UNKNOWN, "the", "cat", "ps0"), (("he", "at"), ("the", "cat")), "IOB2", "BIOES", (4, 4))


@pytest.mark.parametrize(
    ("word", "way"), [("cat", 0), ("42", 0), ("U.S.", 1), ("I", 1), ("Cat", 2), ("iPod", 3), ("ÄRGER", 1), ("'s", 0)]
)
def test_capitals(word: str, way: int) -> None:
    assert capitals(word) == way


def test_digits_are_zero_unless_the_word_itself_is_known() -> None:
    assert (normalised("PS1"), normalised("12.50"), suffix("1990s", 2)) == ("ps0", "0.0", "0s")
    assert seen_as("1988", {"1988", "0"}) == "1988"
    assert seen_as("1987", {"1988", "0"}) == "0"
    assert seen_as("dog", {"1988", "0"}) is None


def test_numbers_of_words_capitals_and_suffixes() -> None:
    rows = NUMBERS.numbers(["The", "cat", "PS1", "dog"])
    assert rows.tolist() == [[2, 2, 1, 1], [3, 0, 2, 2], [4, 1, 0, 0], [1, 0, 0, 0]]
    assert NUMBERS.numbers([]).shape == (0, 4)
    batch = NUMBERS.batch([rows, rows[:1]])
    assert batch.shape == (2, 4, 4)
    assert not batch[1, 1:].any()


def test_tags_are_learned_in_one_scheme_and_answered_in_the_other() -> None:
    tags = ["B-NP", "I-NP", "O", "B-NP"]
    assert NUMBERS.to_learn(tags) == ["B-NP", "E-NP", "O", "S-NP"]
    assert NUMBERS.to_data(NUMBERS.to_learn(tags)) == tags


def test_the_contract_comes_back_whole() -> None:
    assert TagPreprocessing.from_contract(NUMBERS.to_contract()) == NUMBERS
    words = TagPreprocessing((UNKNOWN,), ((), ()), None, None)
    assert TagPreprocessing.from_contract(words.to_contract()) == words
    with pytest.raises(ValueError, match="unknown"):
        TagPreprocessing.from_contract({**words.to_contract(), "words": ["a"]})


def test_a_batch_is_as_long_as_its_longest_sentence() -> None:
    sentences = [
        TaggedSentence(("the", "cat"), ("B-NP", "I-NP"), 1),
        TaggedSentence(("cat",), ("O",), 4),
        TaggedSentence(("the", "the", "cat"), ("O", "O", "B-NP"), 6),
    ]
    tags = ("B-NP", "E-NP", "O", "S-NP")
    source = TagSource(Part(items_of("a.txt", sentences), ()), NUMBERS, tags)
    assert (len(source), source.lengths.tolist()) == (3, [2, 1, 3])
    batch = source.load(torch.tensor([1, 0]))
    assert batch.targets.tolist() == [[2, PADDING], [0, 1]]
    assert batch.inputs[:, :, 0].tolist() == [[3, 0], [2, 3]]  # type: ignore[index]
    assert source.load(torch.tensor([2])).targets.tolist() == [[2, 2, 3]]
