"""How like each other two maps are: Spearman's rank correlation, and the structural similarity."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

# The window and the constants K1, K2 of the structural similarity, for values in 0 to 1.
WINDOW = 7
C1, C2 = 0.01**2, 0.03**2


def rank_correlation(one: Tensor, other: Tensor) -> Tensor:
    """Returns Spearman's correlation (B,) of the rows of two tensors (B, P), in -1 to 1; equal values share a rank.

    Where a row is constant there is nothing to correlate: it is 1 when both are, 0 when one is.
    """
    first, second = (_ranks(each) for each in (one, other))
    first, second = first - first.mean(1, keepdim=True), second - second.mean(1, keepdim=True)
    lengths = first.norm(dim=1), second.norm(dim=1)
    both, either = lengths[0] + lengths[1] == 0, lengths[0] * lengths[1] == 0
    found = (first * second).sum(1) / torch.where(either, 1.0, lengths[0] * lengths[1])
    return torch.where(both, 1.0, torch.where(either, 0.0, found)).clamp(-1, 1)


def _ranks(rows: Tensor) -> Tensor:
    """Returns each value's place among its row's, equal ones the mean of theirs (B, P) float64."""
    ranks = []
    for row in rows:
        _, inverse, counts = torch.unique(row, return_inverse=True, return_counts=True)
        ends = counts.cumsum(0).double()
        ranks.append((ends - (counts.double() - 1) / 2)[inverse])
    return torch.stack(ranks)


def structural_similarity(one: Tensor, other: Tensor) -> Tensor:
    """Returns the mean structural similarity (B,) of maps (B, ...) of 0 or more, each scaled to a maximum of 1.

    Means, variances and the covariance of windows of 7 places along each axis (fewer where there are fewer) that lie
    inside the map, with K1 = 0.01 and K2 = 0.03 (Wang et al. 2004, "Image quality assessment", equation 13). Maps have
    one to three axes beside the batch; further ones are folded together.
    """
    x, y = (_scaled(each.double()) for each in (one, other))
    mean = [_mean(each) for each in (x, y, x * x, y * y, x * y)]
    variance_x, variance_y = mean[2] - mean[0] ** 2, mean[3] - mean[1] ** 2
    covariance = mean[4] - mean[0] * mean[1]
    light = (2 * mean[0] * mean[1] + C1) / (mean[0] ** 2 + mean[1] ** 2 + C1)
    shape = (2 * covariance + C2) / (variance_x + variance_y + C2)
    return (light * shape).flatten(1).mean(1)


def _scaled(maps: Tensor) -> Tensor:
    flat = maps.flatten(1)
    peak = flat.amax(1, keepdim=True)
    return (flat / torch.where(peak > 0, peak, 1.0)).reshape(maps.shape)


def _mean(maps: Tensor) -> Tensor:
    if maps.dim() > 4:
        maps = maps.flatten(3)
    axes = maps.dim() - 1
    window = [min(WINDOW, size) for size in maps.shape[1:]]
    pool = (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d)[axes - 1]
    return pool(maps[:, None], window, stride=1)[:, 0]
