"""Texts as a loader's source: a part is held as numbers, and a batch is as long as its longest text."""

from __future__ import annotations

import torch
from torch import Tensor

from neocog.core.task import Batch
from neocog.data.dataset import Part
from neocog.data.text_items import TextItems
from neocog.data.text_preprocess import TextPreprocessing


class TextSource:
    """`neocog.data.loader.Source` for a part of texts; ``lengths`` (N,) are their tokens, by which batches are made."""

    instant = True
    draws = 0

    def __init__(self, part: Part[str], preprocessing: TextPreprocessing) -> None:
        items = part.items
        assert isinstance(items, TextItems)
        rows = [preprocessing.numbers(text) for text in items.texts]
        self.preprocessing = preprocessing
        self.labels = torch.tensor(part.labels, dtype=torch.int64)
        self.lengths = torch.tensor([len(row) for row in rows], dtype=torch.int64)
        self._flat = torch.cat([*rows, torch.zeros(1, dtype=torch.int64)])  # the last is what padding points at
        self._starts = self.lengths.cumsum(0) - self.lengths

    def __len__(self) -> int:
        return len(self.labels)

    def load(self, indices: Tensor, uniform: Tensor | None = None) -> Batch:
        """Returns the texts at ``indices`` (B,) as numbers (B, L); nothing random happens here."""
        del uniform
        before, after = self.preprocessing.margin
        lengths = self.lengths[indices]
        longest = self.preprocessing.length or (int(lengths.max()) if len(indices) else 0)
        places = torch.arange(-before, longest + after)
        inside = (places >= 0) & (places < lengths.unsqueeze(1))  # (B, L)
        found = torch.where(inside, self._starts[indices].unsqueeze(1) + places, len(self._flat) - 1)
        return Batch(self._flat[found], self.labels[indices], indices)
