"""What is explained: the logit of a class, the predicted one unless told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from neocog.core.errors import UsageError

# A class for all samples, one a sample, None for the predicted, or a function from logits to scores (B,).
Target = int | Sequence[int] | Tensor | Callable[[Tensor], Tensor] | None


def scores(logits: Tensor, target: Target) -> Tensor:
    """Returns each sample's score (B,): its target's logit, summed over the places of a map of logits (B, K, ...).

    Raises UsageError for a class that the network does not have, for a number of targets other than of samples, and
    for a function that does not give one score a sample.
    """
    if callable(target):
        made = target(logits)
        if not isinstance(made, Tensor) or made.shape != logits.shape[:1]:
            got = tuple(made.shape) if isinstance(made, Tensor) else type(made).__name__
            raise UsageError(f"a target function gives one score a sample, ({len(logits)},); got {got}.")
        return made
    totals = of_classes(logits)
    return totals.gather(1, chosen(totals, target)[:, None]).squeeze(1)


def of_classes(logits: Tensor) -> Tensor:
    """Returns logits (B, K), those of a map (B, K, ...) summed over its places.

    Raises UsageError for an output without classes.
    """
    totals = logits.flatten(2).sum(2) if logits.dim() > 2 else logits
    if totals.dim() != 2:
        raise UsageError(f"a target is chosen from logits (B, K), the network gives {tuple(logits.shape)}.")
    return totals


def chosen(logits: Tensor, target: Target) -> Tensor:
    """Returns the class of each sample (B,) for logits (B, K): as told, or the predicted one.

    Raises UsageError for a class that the network does not have, and for a number of targets other than of samples.
    """
    count, classes = logits.shape
    if target is None:
        return logits.detach().argmax(1)
    if callable(target):
        raise UsageError("a function of the logits chooses no class; give the class's number.")
    try:
        asked = torch.as_tensor(target, device=logits.device).reshape(-1)
    except (TypeError, ValueError, RuntimeError):
        raise UsageError(f"targets are classes from 0 to {classes - 1}, got {target!r}.") from None
    if len(asked) not in (1, count):
        raise UsageError(f"expected one target, or one for each of {count} inputs; got {len(asked)}.")
    if asked.dtype.is_floating_point or int(asked.min()) < 0 or int(asked.max()) >= classes:
        raise UsageError(f"targets are classes from 0 to {classes - 1}, got {asked.tolist()}.")
    return asked.long().expand(count)
