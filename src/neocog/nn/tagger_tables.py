"""The vectors of a tagger's input: word, capitals and suffixes of each place, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from neocog.nn.tables import table

CAPITALS = 4  # ways of writing a word; the first is in lower case
NARROW = 5  # numbers in a vector of capitals or of a suffix: Collobert et al. 2011, table 5


class TaggerTables(nn.Module):
    """Tokens (B, L, 2 + number of suffixes) to vectors (B, L, ``dimension``); an empty table's column is not looked at.

    Collobert et al. 2011, section 3.1.2: each feature of a word has a table of its own.
    """

    def __init__(self, words: int, dimension: int, suffixes: Sequence[int]) -> None:
        super().__init__()
        self.tokens = words
        self.words = table(words, dimension)
        self.capitals = nn.Embedding(CAPITALS, NARROW)
        self.columns = [place for place, number in enumerate(suffixes) if number]
        self.suffixes = nn.ModuleList(table(suffixes[place], NARROW) for place in self.columns)
        self.dimension = dimension + NARROW * (1 + len(self.columns))
        nn.init.uniform_(self.capitals.weight, -0.25, 0.25)

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns the vectors (B, L, E), zeros where there is no word."""
        made = [self.words(tokens[:, :, 0]), self.capitals(tokens[:, :, 1])]
        made += [each(tokens[:, :, 2 + place]) for place, each in zip(self.columns, self.suffixes, strict=True)]
        return torch.cat(made, 2) * (tokens[:, :, 0] != 0).unsqueeze(2)
