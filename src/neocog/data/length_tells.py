"""Whether the length of a text tells its class: batches of similar lengths would then be batches of a class."""

from __future__ import annotations

import torch
from torch import Tensor

from neocog.data.loader import POOL

LEAST = 50  # samples of a group of similar lengths
TOLD = 0.05  # of what there is to know of a label; the phrases of the Sentiment Treebank have 0.06 (decision 0010)


def lengths_to_sort_by(lengths: Tensor, labels: Tensor) -> Tensor | None:
    """Returns the lengths (N,) that batches may be made by, None where they tell too much of the labels (N,)."""
    return None if told_by_length(lengths, labels) > TOLD else lengths


def told_by_length(lengths: Tensor, labels: Tensor) -> float:
    """Returns which part of the entropy of ``labels`` (N,) is gone once ``lengths`` (N,) are known, 0 to 1.

    The samples in order of length are cut into as many groups as batches share a pool, or fewer. What chance alone
    would take away is not counted: each class but one of each group but one adds 1 / 2N to the information, in the
    mean (Miller 1955).
    """
    count, groups = len(labels), min(POOL, len(labels) // LEAST)
    if groups < 2:
        return 0.0
    known, classes = torch.unique(labels, return_inverse=True)
    in_order = classes[torch.argsort(lengths, stable=True)]
    before = _entropy(in_order, len(known))
    after = sum(len(group) / count * _entropy(group, len(known)) for group in in_order.tensor_split(groups))
    by_chance = (groups - 1) * (len(known) - 1) / (2 * count)
    return max(0.0, before - after - by_chance) / before if before else 0.0


def _entropy(classes: Tensor, count: int) -> float:
    """Returns the entropy of the classes (N,), each below ``count``, in nats."""
    shares = torch.bincount(classes, minlength=count).double() / len(classes)
    return float(torch.special.entr(shares).sum())
