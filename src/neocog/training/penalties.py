"""The penalties of the courses, added to the loss: they pull weights towards zero and spare norms and biases."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from neocog.training.optimisers import decaying


def make_penalty(network: nn.Module, l1: float, l2: float) -> Callable[[], Tensor] | None:
    """Returns a function of value ``l1 * sum|w| + l2 * sum w^2`` over the moving weights, None when both are 0."""
    if not l1 and not l2:
        return None
    names = decaying(network)
    weights = [weight for name, weight in network.named_parameters() if name in names and weight.requires_grad]
    if not weights:
        return None

    def penalty() -> Tensor:
        terms = [l1 * weight.abs().sum() + l2 * weight.square().sum() for weight in weights]
        return torch.stack(terms).sum()

    return penalty
