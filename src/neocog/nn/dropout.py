"""Dropout as it was first published: nothing is scaled in training, everything at test."""

from __future__ import annotations

from torch import Tensor, nn


class OriginalDropout(nn.Dropout):
    """Keeps each unit with probability 1 - p in training, and multiplies all by 1 - p at test.

    Hinton et al. 2012. torch's own scales in training instead, which makes the weights after it smaller by 1 - p: a
    bound on their norm that a paper gives would mean another one there.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Returns a tensor of the input's shape."""
        return super().forward(input) * (1 - self.p)
