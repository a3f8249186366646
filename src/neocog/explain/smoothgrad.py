"""SmoothGrad: the mean gradient at many noisy copies of the input (Smilkov et al. 2017, arXiv:1706.03825)."""

from __future__ import annotations

from math import isfinite

import torch
from torch import Tensor, nn

from neocog.core.errors import UsageError
from neocog.explain.entry import entry
from neocog.explain.rest import at_rest
from neocog.explain.target import Target


def smoothgrad(
    module: nn.Module,
    inputs: Tensor,
    *,
    target: Target = None,
    samples: int = 32,
    noise: float = 0.15,
    squared: bool = False,
    seed: int = 0,
) -> Tensor:
    """Returns the mean over ``samples`` noisy copies of each input of the score's gradient (B, C, ...).

    ``noise`` is the deviation of the normal noise as a share of each input's maximum minus minimum (section 3.1, where
    0.1 to 0.2 is found best); ``squared`` takes the mean of the gradients' squares. The class is the one predicted for
    the clean input unless told. Each input meets the same draws, alone or in a batch; a few copies run at a time.

    Raises UsageError for no samples, negative noise and an unknown target.
    """
    if samples < 1 or not (isfinite(noise) and noise >= 0):
        raise UsageError(
            f"smoothgrad takes samples of at least 1 and noise of at least 0; got samples={samples}, noise={noise}."
        )
    draws = torch.Generator().manual_seed(seed)
    with at_rest(module):
        where = entry(module, inputs)
        target = where.settled(target)
        deviation = noise * _spread(where.values)
        total = torch.zeros_like(where.values)
        one = where.values.shape[1:]
        noisy = (where.values + deviation * torch.randn(one, generator=draws).to(where.values) for _ in range(samples))
        for slope in where.slopes(noisy, target):
            total += slope.square() if squared else slope
        return total / samples


def _spread(values: Tensor) -> Tensor:
    """Returns each sample's maximum minus minimum (B, 1, ...)."""
    flat = values.flatten(1)
    return (flat.amax(1) - flat.amin(1)).reshape(-1, *(1,) * (values.dim() - 1))
