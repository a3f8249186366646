"""From sentences with two entities to words and distances, alone and in bags, by hand."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neocog.core.errors import ModelFileError
from neocog.data.bags import Bag
from neocog.data.dataset import Part
from neocog.data.relation_preprocess import RelationPreprocessing, distances, padded
from neocog.data.relation_source import RelationSource
from neocog.data.semeval import MarkedTokens, marked_sentence
from neocog.data.sentence_items import items_of

WORDS = ("the", "old", "bach", "in", "leipzig")
TEXT = "The <e1>old Bach</e1> lived in <e2>Leipzig</e2>."


def test_distances_by_hand():
    marked = MarkedTokens(tuple("abcdef"), (1, 3), (4, 5))
    assert distances(marked) == ([-1, 0, 0, 1, 2, 3], [-4, -3, -2, -1, 0, 1])


@given(st.integers(1, 12).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1), st.integers(0, n - 1))))
def test_a_distance_is_zero_inside_and_one_beside(case):
    length, one, other = case
    start, end = min(one, other), max(one, other) + 1
    found, _ = distances(MarkedTokens(("w",) * length, (start, end), (0, 1)))
    assert [place for place in range(length) if found[place] == 0] == list(range(start, end))
    steps = [later - earlier for earlier, later in pairwise(found)]
    assert all(step in (0, 1) for step in steps)


def test_words_and_codes():
    made = RelationPreprocessing("words", WORDS, reach=2).numbers(marked_sentence(TEXT, "here"))
    # the, old, bach, lived (unknown), in, leipzig, "." (unknown); a code is the distance, cut to 2, and 3
    assert made.tolist() == [
        [1, 2, 1], [2, 3, 1], [3, 3, 1], [0, 4, 1], [4, 5, 2], [5, 5, 3], [0, 5, 4],
    ]  # fmt: skip


def test_bags_are_padded_to_their_longest_sentence():
    preprocessing = RelationPreprocessing("words", WORDS, reach=2, bags=True)
    short = marked_sentence("<e1>Bach</e1> <e2>Leipzig</e2>", "here")
    made = preprocessing.numbers(Bag("Bach", "Leipzig", (), (short, marked_sentence(TEXT, "here")), 1))
    assert made.shape == (2, 7, 3)
    assert made[0].tolist() == [[3, 3, 2], [5, 4, 3], *[[0, 0, 0]] * 5]
    assert torch.equal(preprocessing.numbers(short), made[:1, :2])  # one sentence is a bag of one


def test_batches_are_padded_behind():
    rows = [torch.ones(2, 1, 3, dtype=torch.int64), torch.ones(1, 4, 3, dtype=torch.int64)]
    made = padded(rows)
    assert made.shape == (2, 2, 4, 3)
    assert made[0, :, :1].all()
    assert made[1, :1].all()
    assert int(made.sum()) == 6 + 12


def test_it_goes_through_a_model_file():
    preprocessing = RelationPreprocessing("kim", WORDS, reach=30, bags=True, usual=(1, 9, 3))
    assert RelationPreprocessing.from_contract(preprocessing.to_contract()) == preprocessing
    with pytest.raises(ModelFileError, match="tokeniser 'other' is unknown"):
        RelationPreprocessing.from_contract({**preprocessing.to_contract(), "tokeniser": "other"})


def test_a_source_gives_its_samples():
    preprocessing = RelationPreprocessing("words", WORDS, reach=2)
    texts = (TEXT, "<e1>Bach</e1> in <e2>Leipzig</e2>")
    sentences = [marked_sentence(text, "here", line=line) for line, text in enumerate(texts, 1)]
    source = RelationSource(Part(items_of("a.txt", sentences), (1, 0)), preprocessing)
    batch = source.load(torch.tensor([1, 0]))
    assert source.lengths.tolist() == [7, 3]
    assert (batch.inputs.shape, batch.targets.tolist(), batch.indices.tolist()) == ((2, 7, 3), [0, 1], [1, 0])
    assert torch.equal(batch.inputs[1], preprocessing.numbers(sentences[0]))
    assert not batch.inputs[0, 3:].any()
