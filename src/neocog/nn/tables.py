"""Tables that turn tokens into vectors: word vectors that never move, and one-hot characters."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def table(rows: int, dimension: int, *, bound: float = 0.25) -> nn.Embedding:
    """Returns a table of ``rows`` vectors and one of zeros before them, number 0, for padding and unknown tokens.

    Uniform in [-``bound``, ``bound``], as Kim 2014 (section 3.2) draws words without a pretrained vector.
    """
    made = nn.Embedding(rows + 1, dimension, padding_idx=0)
    with torch.no_grad():
        made.weight[1:].uniform_(-bound, bound)
    return made


class DistanceTable(nn.Embedding):
    """Vectors of the distances -``reach`` to ``reach`` (codes 1 to 2 ``reach`` + 1), zeros for padding, code 0."""

    def __init__(self, reach: int, dimension: int) -> None:
        super().__init__(2 * reach + 2, dimension, padding_idx=0)
        with torch.no_grad():
            self.weight[1:].uniform_(-0.25, 0.25)


class StaticTable(nn.Embedding):
    """Word vectors that training leaves as they are (tokens (B, L) to (B, L, E))."""

    fixed = True

    def __init__(self, rows: int, dimension: int, *, bound: float = 0.25) -> None:
        super().__init__(rows + 1, dimension, padding_idx=0)
        with torch.no_grad():
            self.weight[1:].uniform_(-bound, bound)
        self.weight.requires_grad_(False)


class OneHot(nn.Embedding):
    """Token n as a vector of zeros with a one at n - 1, padding (0) as zeros: (B, L) to (B, L, tokens).

    A code, not a weight: it is in no state dict and counts as no parameter.
    """

    fixed = True

    def __init__(self, tokens: int) -> None:
        super().__init__(tokens + 1, tokens, padding_idx=0)
        del self.weight
        code = torch.cat([torch.zeros(1, tokens), torch.eye(tokens)])
        self.register_buffer("weight", code, persistent=False)


class ChannelsFirst(nn.Module):
    """Vectors of a sequence (B, L, E) as the channels of a one-dimensional map (B, E, L)."""

    pointwise = True  # each place sees itself

    def forward(self, x: Tensor) -> Tensor:
        """Returns (B, E, L)."""
        return x.transpose(1, 2)
