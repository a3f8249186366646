"""The preprocessing of texts as data: what evaluation uses, and the model file carries to everyone else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neocog.core.errors import ModelFileError
from neocog.data.tokenise import TOKENISERS, tokeniser

PADDING = 0  # the number of what is no token: padding, and a word that the model does not know


@dataclass(frozen=True)
class TextPreprocessing:
    """From a text to the network's numbers.

    ``tokeniser`` names one of `neocog.data.tokenise`; ``words`` are the tokens that the model knows: the first is
    number 1, and 0 stands for padding and for every other token. ``length`` is the number of tokens that the network
    takes, of which a longer text loses the last (0: as many as there are); ``margin`` are the zeros before and after
    each text; ``backward`` gives the last token first. ``usual`` is a length that stands for all in tables.
    """

    tokeniser: str
    words: tuple[str, ...]
    margin: tuple[int, int] = (0, 0)
    length: int = 0
    backward: bool = False
    usual: int = 64

    @cached_property
    def index(self) -> Mapping[str, int]:
        """The number of each token."""
        return {word: number for number, word in reversed(list(enumerate(self.words, 1)))}

    def tokens(self, text: str) -> list[str]:
        """Returns the tokens of a text."""
        return tokeniser(self.tokeniser)(text)

    def numbers(self, text: str) -> Tensor:
        """Returns the numbers (L,) int64 of a text's tokens; without the margins."""
        index = self.index
        found = [index.get(token, PADDING) for token in self.tokens(text)]
        found = found[: self.length] if self.length else found
        return torch.from_numpy(np.array(found[::-1] if self.backward else found, dtype=np.int64))

    def batch(self, rows: Sequence[Tensor]) -> Tensor:
        """Returns the numbers of several texts as one batch (B, L) int64, margins and padding as zeros.

        Without a fixed ``length`` L is that of the longest text and its margins: what a network answers for a text
        must not depend on how much padding follows, and the margins are as wide as its filters for that.
        """
        before, after = self.margin
        lengths = [row.shape[0] for row in rows]
        longest = max(lengths, default=0)
        made = torch.zeros(len(rows), before + (self.length or longest) + after, dtype=torch.int64)
        if rows:
            filled = torch.arange(longest) < torch.tensor(lengths).unsqueeze(1)  # (B, L)
            made[:, before : before + longest][filled] = torch.cat([*rows])
        return made

    def to_contract(self) -> dict[str, Any]:
        """Returns the preprocessing as plain JSON values, for the model file's header."""
        return {
            "kind": "text",
            "tokeniser": self.tokeniser,
            "margin": list(self.margin),
            "length": self.length,
            "backward": self.backward,
            "usual": self.usual,
            "words": list(self.words),
        }

    @classmethod
    def from_contract(cls, contract: Mapping[str, Any]) -> TextPreprocessing:
        """Reads what `to_contract` wrote; raises ModelFileError for a tokeniser that this version does not have."""
        entries = {key: value for key, value in contract.items() if key != "kind"}
        made = cls(**{**entries, "words": tuple(entries["words"]), "margin": tuple(entries["margin"])})
        if made.tokeniser not in TOKENISERS:
            raise ModelFileError(f"the tokeniser {made.tokeniser!r} is unknown to this version; update Neocog.")
        return made
