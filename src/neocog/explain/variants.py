"""One sample seen many times, each time changed: the scores of its variants, a bounded number of them at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import torch
from torch import Tensor, nn

from neocog.core.errors import UsageError
from neocog.explain.entry import Entry, entry
from neocog.explain.target import Target, chosen, of_classes, scores

# The maps of a small batch stay in a core's cache.
BATCH = 16


def variant_scores(
    module: nn.Module, sample: Tensor, variants: Iterator[Tensor], target: Target, batch_size: int = BATCH
) -> Tensor:
    """Returns the score (V,) of each variant (C, ...) of what `entry` makes of a sample (1, ...).

    At most ``batch_size`` variants exist at a time. Raises UsageError for a ``batch_size`` below 1.
    """
    if batch_size < 1:
        raise UsageError(f"batch_size must be at least 1; got {batch_size}.")
    entries: dict[int, Entry] = {}
    found: list[Tensor] = []
    with torch.no_grad():
        while some := list(islice(variants, batch_size)):
            count = len(some)
            if count not in entries:  # words go through the network once more to find their embeddings
                entries[count] = entry(module, sample.expand(count, *sample.shape[1:]))
            found.append(scores(entries[count].run(torch.stack(some)), target))
    return torch.cat(found) if found else torch.empty(0, device=sample.device)


def settled(target: Target, logits: Tensor) -> Target:
    """Returns the target with the classes that these logits predict in the place of None, so that variants keep them.

    Raises UsageError for a target that does not fit the logits.
    """
    scores(logits, target)
    return chosen(of_classes(logits), None) if target is None else target


def target_of(target: Target, sample: int) -> Target:
    """Returns the target of one sample of a batch."""
    if callable(target) or target is None or isinstance(target, int):
        return target
    each = torch.as_tensor(target).reshape(-1)
    return int(each[sample]) if len(each) > 1 else int(each[0])
