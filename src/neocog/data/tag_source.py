"""Tagged sentences as a loader's source: a part is held as numbers, and a batch is as long as its longest sentence."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from neocog.core.task import Batch
from neocog.data.conll import TaggedSentence
from neocog.data.dataset import Part
from neocog.data.tag_preprocess import FEATURES, TagPreprocessing

PADDING = -1  # the tag of a place behind a sentence's end


class TagSource:
    """`neocog.data.loader.Source` for a part of tagged sentences; ``lengths`` (N,) are their words.

    Targets are (B, L), `PADDING` behind each sentence's end.
    """

    instant = True
    draws = 0

    def __init__(self, part: Part[TaggedSentence], preprocessing: TagPreprocessing, tags: Sequence[str]) -> None:
        number = {tag: place for place, tag in enumerate(tags)}
        sentences = [part.items.read(place) for place in range(len(part))]
        rows = [preprocessing.numbers(each.words) for each in sentences]
        targets = [number[tag] for each in sentences for tag in preprocessing.to_learn(each.tags)]
        self.labels = torch.zeros(len(part), dtype=torch.int64)
        self.lengths = torch.tensor([len(row) for row in rows], dtype=torch.int64)
        self._flat = torch.cat([*rows, torch.zeros(1, FEATURES, dtype=torch.int64)])  # the last: what padding points at
        self._targets = torch.tensor([*targets, PADDING], dtype=torch.int64)
        self._starts = self.lengths.cumsum(0) - self.lengths

    def __len__(self) -> int:
        return len(self.lengths)

    def load(self, indices: Tensor, uniform: Tensor | None = None) -> Batch:
        """Returns the sentences at ``indices`` (B,) as numbers (B, L, features); nothing random happens here."""
        del uniform
        lengths = self.lengths[indices]
        places = torch.arange(int(lengths.max()) if len(indices) else 0)
        inside = places < lengths.unsqueeze(1)  # (B, L)
        found = torch.where(inside, self._starts[indices].unsqueeze(1) + places, len(self._flat) - 1)
        return Batch(self._flat[found], self._targets[found], indices)
