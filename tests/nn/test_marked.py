"""Pieces of a sentence, maxima over them, and distances, against small cases worked out by hand."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from neocog.nn.marked import HERE, REACH, MarkedVectors, MaxOver, is_token, pieces
from neocog.nn.tables import DistanceTable


def sentence(first: list[int], second: list[int], padding: int = 0) -> torch.Tensor:
    """Returns (1, L, 3) for the distances of each token to both entities; every token is word 1."""
    rows = [[1, HERE + one, HERE + two] for one, two in zip(first, second, strict=True)]
    return torch.tensor([rows + [[0, 0, 0]] * padding])


# w e1 e1 w e2 w, and two of padding
BY_HAND = sentence([-1, 0, 0, 1, 2, 3], [-4, -3, -2, -1, 0, 1], padding=2)


def test_pieces_end_with_the_entities():
    found = pieces(BY_HAND)[0].int().tolist()
    assert found == [[1, 1, 1, 0, 0, 0, 0, 0], [0, 0, 0, 1, 1, 0, 0, 0], [0, 0, 0, 0, 0, 1, 0, 0]]


def test_which_entity_stands_first_does_not_matter_to_the_pieces():
    assert torch.equal(pieces(BY_HAND), pieces(BY_HAND[..., [0, 2, 1]]))


@given(st.integers(0, 4), st.integers(1, 3), st.integers(0, 4), st.integers(1, 3), st.integers(0, 4), st.integers(0, 3))
def test_every_token_is_in_one_piece_and_padding_in_none(before, first, between, second, after, padding):
    length = before + first + between + second + after
    spans = ((before, before + first), (before + first + between, length - after))
    distances = [[min(0, at - start) + max(0, at - end + 1) for at in range(length)] for start, end in spans]
    made = sentence(*distances, padding=padding)
    found = pieces(made)
    assert found.sum(1).tolist() == [[1] * length + [0] * padding]
    assert found.sum(2).tolist() == [[before + first, between + second, after]]
    assert int(is_token(made).sum()) == length


def test_maxima_over_sets_and_zero_for_an_empty_one():
    answers = torch.tensor([[[1.0, -2.0, 5.0, 9.0], [-1.0, -3.0, -5.0, 9.0]]])  # two filters, four places
    within = torch.tensor([[[1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]], dtype=torch.bool)
    assert MaxOver()(answers, within).tolist() == [[1, 5, 0, -1, -5, 0]]


def test_the_gradient_goes_to_the_maxima_alone():
    answers = torch.tensor([[[1.0, -2.0, 5.0, 9.0]]], requires_grad=True)
    within = torch.tensor([[[1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]], dtype=torch.bool)
    (MaxOver()(answers, within) * torch.tensor([[2.0, 3.0, 4.0]])).sum().backward()
    assert answers.grad.tolist() == [[[2, 0, 3, 0]]]


def test_vectors_of_padding_are_zero_and_distances_have_their_own():
    vectors = MarkedVectors(5, 4)(BY_HAND)
    assert vectors.shape == (1, 4 + 2 * 5, 8)
    assert not vectors[..., 6:].any()
    assert torch.equal(vectors[:, 4:9, 1], vectors[:, 4:9, 2])  # both inside the first entity
    assert not torch.equal(vectors[:, 4:9, 0], vectors[:, 4:9, 1])
    assert DistanceTable(REACH, 5).weight.shape == (2 * REACH + 2, 5)


def test_entities_that_share_words_part_the_sentence_where_they_end():
    # w [e1 [both] e2 e2] w: the second piece is what of the one stands behind the other's end
    crossed = sentence([-1, 0, 0, 1, 2, 3], [-2, -1, 0, 0, 0, 1])
    assert pieces(crossed)[0].int().tolist() == [[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 0], [0, 0, 0, 0, 0, 1]]
    nested = sentence([-1, 0, 1, 2, 3, 4], [-1, 0, 0, 0, 0, 1])
    assert pieces(nested)[0].sum(1).tolist() == [2, 3, 1]
    same = sentence([-1, 0, 0, 1], [-1, 0, 0, 1])
    assert pieces(same)[0].sum(1).tolist() == [3, 0, 1]
