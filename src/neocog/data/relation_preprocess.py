"""The preprocessing of sentences with two entities, alone or in bags: words and distances as a network's numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from neocog.core.errors import ModelFileError
from neocog.data.bags import Bag
from neocog.data.semeval import MarkedTokens, RelationSentence, marked_tokens
from neocog.data.tokenise import TOKENISERS, tokeniser

PADDING = 0  # the number of what is no token, and of a word that the model does not know


@dataclass(frozen=True)
class RelationPreprocessing:
    """From a sentence with two entities, or a bag of them, to the network's numbers.

    ``tokeniser`` names one of `neocog.data.tokenise`; ``words`` are the tokens that the model knows: the first is
    number 1, and 0 stands for padding and for every other token. ``reach`` is the largest distance that is told from
    larger ones: a distance d, from -``reach`` to ``reach``, has the code d + ``reach`` + 1, and 0 is padding. ``bags``
    tells that a sample is a bag. ``usual`` is a shape that stands for all in tables: (L, 3), of bags (S, L, 3).
    """

    tokeniser: str
    words: tuple[str, ...]
    reach: int
    bags: bool = False
    usual: tuple[int, ...] = (64, 3)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """The number of each token."""
        return {word: number for number, word in reversed(list(enumerate(self.words, 1)))}

    def numbers(self, sample: RelationSentence | Bag) -> Tensor:
        """Returns the numbers of a sentence, (L, 3) int64, or of a bag's sentences, (S, L, 3), padded by zeros.

        A row is a token: its word, and its distances to the first and to the second argument of the relation.
        """
        if isinstance(sample, Bag):
            return self.batch([self._sentence(each) for each in sample.sentences])
        return self.batch([self._sentence(sample)]) if self.bags else self._sentence(sample)

    def _sentence(self, sentence: RelationSentence) -> Tensor:
        marked = marked_tokens(sentence, tokeniser(self.tokeniser))
        index = self.index
        first, second = distances(marked)
        columns = ([index.get(token, PADDING) for token in marked.tokens], self._codes(first), self._codes(second))
        return torch.tensor(columns, dtype=torch.int64).t()

    def _codes(self, found: Sequence[int]) -> list[int]:
        reach = self.reach
        return [max(-reach, min(reach, distance)) + reach + 1 for distance in found]

    def batch(self, rows: Sequence[Tensor]) -> Tensor:
        """Returns the numbers of several samples as one batch, (B, L, 3) or (B, S, L, 3) int64, padded by zeros."""
        return padded(rows)

    def to_contract(self) -> dict[str, Any]:
        """Returns the preprocessing as plain JSON values, for the model file's header."""
        return {
            "kind": "relations",
            "tokeniser": self.tokeniser,
            "reach": self.reach,
            "bags": self.bags,
            "usual": list(self.usual),
            "words": list(self.words),
        }

    @classmethod
    def from_contract(cls, contract: Mapping[str, Any]) -> RelationPreprocessing:
        """Reads what `to_contract` wrote; raises ModelFileError for a tokeniser that this version does not have."""
        entries = {key: value for key, value in contract.items() if key != "kind"}
        made = cls(**{**entries, "words": tuple(entries["words"]), "usual": tuple(entries["usual"])})
        if made.tokeniser not in TOKENISERS:
            raise ModelFileError(f"the tokeniser {made.tokeniser!r} is unknown to this version; update Neocog.")
        return made


def distances(marked: MarkedTokens) -> tuple[list[int], list[int]]:
    """Returns each token's distance to e1 and to e2: 0 in the entity, negative before it, counted from its near end."""
    first, second = (
        [min(0, place - start) + max(0, place - end + 1) for place in range(len(marked.tokens))]
        for start, end in (marked.e1, marked.e2)
    )
    return first, second


def padded(rows: Sequence[Tensor]) -> Tensor:
    """Returns tensors of equal numbers of axes as one, each axis as long as the longest, zeros behind the others."""
    sizes = [max(lengths) for lengths in zip(*(row.shape for row in rows), strict=True)]
    made = torch.zeros(len(rows), *sizes, dtype=torch.int64)
    for place, row in enumerate(rows):
        corner: tuple[int | slice, ...] = (place, *(slice(length) for length in row.shape))
        made[corner] = row
    return made
