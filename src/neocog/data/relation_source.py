"""Sentences with two entities, or bags of them, as a loader's source: a batch is as long as its longest sample."""

from __future__ import annotations

from math import prod
from typing import Any

import torch
from torch import Tensor

from neocog.core.task import Batch
from neocog.data.dataset import Part
from neocog.data.relation_preprocess import RelationPreprocessing


class RelationSource:
    """`neocog.data.loader.Source` for a part of sentences or bags; ``lengths`` (N,) are their sizes in tokens."""

    instant = True
    draws = 0

    def __init__(self, part: Part[Any], preprocessing: RelationPreprocessing) -> None:
        self.preprocessing = preprocessing
        self.labels = torch.tensor(part.labels, dtype=torch.int64)
        self._rows = [preprocessing.numbers(part.items.read(place)) for place in range(len(part))]
        self.lengths = torch.tensor([prod(row.shape[:-1]) for row in self._rows], dtype=torch.int64)

    def __len__(self) -> int:
        return len(self.labels)

    def load(self, indices: Tensor, uniform: Tensor | None = None) -> Batch:
        """Returns the samples at ``indices`` (B,) as (B, L, 3) or (B, S, L, 3); nothing random happens here."""
        del uniform
        inputs = self.preprocessing.batch([self._rows[place] for place in indices.tolist()])
        return Batch(inputs, self.labels[indices], indices)
