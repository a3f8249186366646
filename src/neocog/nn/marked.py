"""Sentences with two marked entities: word and distance vectors, the pieces between the entities, maxima over them.

A sentence is int64 (L, 3): the number of a word, and its distances to the first and to the second argument of the
relation as codes. Code 0 is padding; a distance d, cut to -`REACH` to `REACH`, is `HERE` + d; it is 0 on all tokens of
the entity, negative before it and positive behind.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neocog.nn.tables import DistanceTable, table

REACH = 30  # Lin et al.'s own code: distances up to 30 are told apart, which makes 61 positions
HERE = REACH + 1  # the code of distance 0
DISTANCE_DIMENSION = 5  # Zeng et al. 2014 and 2015, Lin et al. 2016
PIECES = 3  # up to the first entity, from there up to the second, and the rest


class MarkedVectors(nn.Module):
    """The word vectors and the vectors of both distances, as channels: (B, L, 3) to (B, E + 2 x 5, L)."""

    def __init__(self, words: int, dimension: int) -> None:
        super().__init__()
        self.words = table(words, dimension)
        self.to_first = DistanceTable(REACH, DISTANCE_DIMENSION)
        self.to_second = DistanceTable(REACH, DISTANCE_DIMENSION)

    def forward(self, sentences: Tensor) -> Tensor:
        """Returns (B, E + 10, L); zeros where the padding is."""
        words, first, second = sentences.unbind(-1)
        return torch.cat([self.words(words), self.to_first(first), self.to_second(second)], -1).transpose(1, 2)


def is_token(sentences: Tensor) -> Tensor:
    """Returns (..., L): where (..., L, 3) holds a token, known or not, and no padding."""
    return sentences[..., 1] > 0


def pieces(sentences: Tensor) -> Tensor:
    """Returns (..., 3, L): which tokens of (..., L, 3) are in each piece.

    The first ends with the entity that stands first, the second with the other one. Zeng et al. 2015, section 3.3.
    """
    passed = (sentences[..., 1:] > HERE).sum(-1)  # (..., L): how many entities are behind us
    own = passed.unsqueeze(-2) == torch.arange(PIECES, device=sentences.device).unsqueeze(1)
    return own & is_token(sentences).unsqueeze(-2)


class MaxOver(nn.Module):
    """The largest answer of each filter over the tokens of each set: (B, M, L) and (B, P, L) to (B, M x P).

    A set without a token gives 0. Filters in order, each with all its sets.
    """

    def forward(self, answers: Tensor, within: Tensor) -> Tensor:
        """Returns (B, M x P) for answers (B, M, L) and the sets ``within`` (B, P, L)."""
        outside = ~within.unsqueeze(1)  # (B, 1, P, L)
        strongest = answers.unsqueeze(2).masked_fill(outside, -torch.inf).amax(-1)  # (B, M, P)
        return torch.where(outside.all(-1), 0.0, strongest).flatten(1)
