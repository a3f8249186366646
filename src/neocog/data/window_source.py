"""Running text as a loader's source: windows of as many tokens, each to be told what comes next at every place."""

from __future__ import annotations

import torch
from torch import Tensor

from neocog.core.task import Batch

NOT_SCORED = -1  # the target of a place that only gives context, or lies behind the end


class WindowSource:
    """`neocog.data.loader.Source` for tokens (T,) int64 from 1 on; 0 is what was before the text.

    A window has as inputs the tokens before its ``window`` places and as targets the tokens at them, counted from 0.
    For training ``shifted`` moves each window by a random number of places, new in each epoch. For a test ``context``
    tokens are put before each window without being scored, so that every token is told from at least so many before
    it, and each is scored exactly once.
    """

    instant = True

    def __init__(self, numbers: Tensor, window: int, *, context: int = 0, shifted: bool = False) -> None:
        self.window, self.context = window, context
        self.draws = int(shifted)
        self._tokens = numbers
        self._before = torch.cat([numbers.new_zeros(1), numbers])[:-1]  # what stands before each token
        count = len(numbers) // window if shifted else -(-len(numbers) // window)
        self.labels = torch.zeros(max(count, 1), dtype=torch.int64)

    def __len__(self) -> int:
        return len(self.labels)

    def load(self, indices: Tensor, uniform: Tensor | None = None) -> Batch:
        """Returns windows (B, context + window) of tokens, and what comes next; ``uniform`` (B, 1) moves them."""
        starts = indices * self.window
        if uniform is not None:
            starts = starts + (uniform[:, 0] * self.window).long()
            starts = starts.clamp_max(max(len(self._tokens) - self.window, 0))
        relative = torch.arange(-self.context, self.window)
        places = starts.unsqueeze(1) + relative  # (B, L)
        inside = (places >= 0) & (places < len(self._tokens))
        found = places.clamp(0, len(self._tokens) - 1)
        inputs = torch.where(inside, self._before[found], 0)
        targets = torch.where(inside & (relative >= 0), self._tokens[found] - 1, NOT_SCORED)
        return Batch(inputs, targets, indices)
