"""MixUp and CutMix: two pictures made one, and their targets with them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional


def mixup(
    inputs: Tensor, targets: Tensor, classes: int, alpha: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Returns a weighted mean of each sample with another of its batch (Zhang et al. 2018, section 2).

    ``inputs`` float (B, ...), ``targets`` class indices (B,) or soft (B, classes). One weight a batch, drawn from
    Beta(alpha, alpha); the pairs are a random permutation. Returns inputs as they came in shape, targets (B, classes).
    """
    weight, order = _draw(len(inputs), alpha, generator, inputs.device)
    soft = soft_targets(targets, classes)
    return inputs[order].lerp(inputs, weight), soft[order].lerp(soft, weight)


def cutmix(
    inputs: Tensor, targets: Tensor, classes: int, alpha: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Puts a box of another picture of the batch into each picture (Yun et al. 2019, section 3.1).

    ``inputs`` (B, C, H, W), ``targets`` as in `mixup`. One box a batch: its area 1 - Beta(alpha, alpha), its centre
    uniform, cut at the edges; the targets' weights are the areas as cut.
    """
    height, width = inputs.shape[-2:]
    weight, order = _draw(len(inputs), alpha, generator, inputs.device)
    centre = torch.rand(2, generator=generator).tolist()
    side = (1 - weight) ** 0.5
    top, bottom = _span(centre[0], side, height)
    left, right = _span(centre[1], side, width)
    mixed = inputs.clone()
    mixed[..., top:bottom, left:right] = inputs[order][..., top:bottom, left:right]
    kept = 1 - (bottom - top) * (right - left) / (height * width)
    soft = soft_targets(targets, classes)
    return mixed, soft[order].lerp(soft, kept)


def soft_targets(targets: Tensor, classes: int) -> Tensor:
    """Returns class indices (B,) as float (B, classes) with a one for each; soft targets come back as they are."""
    return targets if targets.dim() == 2 else functional.one_hot(targets, classes).to(torch.float32)


def _draw(count: int, alpha: float, generator: torch.Generator, device: torch.device) -> tuple[float, Tensor]:
    """Returns Beta(alpha, alpha), which torch can only draw from its global generator, and a permutation (count,)."""
    seed = int(torch.randint(2**62, (), generator=generator))
    weight = float(np.random.default_rng(seed).beta(alpha, alpha))
    return weight, torch.randperm(count, generator=generator).to(device)


def _span(centre: float, side: float, size: int) -> tuple[int, int]:
    middle, half = centre * size, side * size / 2
    return max(0, round(middle - half)), min(size, round(middle + half))
