"""Random changes to training pictures, a batch at a time on any device; every random number comes from the CPU."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from neocog.core.recipe import Augmentation

CROP_TRIES = 10
CROP_DRAWS = 2 * CROP_TRIES + 2
ERASED_AREA = (0.02, 0.4)  # Zhong et al. 2017, section 4.1
ERASED_RATIO = (0.3, 1 / 0.3)
LUMA = (0.299, 0.587, 0.114)  # ITU-R 601


def crop_box(
    height: int, width: int, augmentation: Augmentation, uniform: Sequence[float]
) -> tuple[int, int, int, int]:
    """Returns (top, left, height, width) of a random resized crop (Szegedy et al. 2015, section 6).

    ``uniform`` are `CROP_DRAWS` numbers in [0, 1). The first of ten tries that fits is taken: its area uniform in
    ``crop_scale`` of the picture's, the logarithm of its aspect uniform; else the largest central box of a fit aspect.
    """
    low, high = augmentation.crop_scale or (1.0, 1.0)
    narrow, wide = (math.log(ratio) for ratio in augmentation.crop_ratio)
    for pick in range(CROP_TRIES):
        area = height * width * (low + (high - low) * uniform[2 * pick])
        aspect = math.exp(narrow + (wide - narrow) * uniform[2 * pick + 1])
        h, w = round(math.sqrt(area / aspect)), round(math.sqrt(area * aspect))
        if 0 < h <= height and 0 < w <= width:
            return int(uniform[-2] * (height - h + 1)), int(uniform[-1] * (width - w + 1)), h, w
    aspect = min(max(width / height, math.exp(narrow)), math.exp(wide))
    h, w = min(height, max(1, round(width / aspect))), min(width, max(1, round(height * aspect)))
    return (height - h) // 2, (width - w) // 2, h, w


def augment_batch(batch: Tensor, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    """Returns a changed copy of uint8 pictures (B, C, H, W), on their device: crop, shift, flips, jitter, erasing.

    The result is uint8, or float32 in 0 to 255 where colours were jittered. What is switched off draws nothing.
    """
    if augmentation.crop_scale:
        height, width = batch.shape[-2:]
        numbers = torch.rand(len(batch), CROP_DRAWS, generator=generator).tolist()
        batch = crop_resize(batch, [crop_box(height, width, augmentation, row) for row in numbers])
    if augmentation.shift:
        batch = shift(batch, augmentation.shift, generator)
    if augmentation.horizontal_flip:
        batch = flip(batch, -1, generator)
    if augmentation.vertical_flip:
        batch = flip(batch, -2, generator)
    if augmentation.jitter:
        batch = jitter(batch, augmentation.jitter, generator)
    if augmentation.erasing:
        batch = erase(batch, augmentation.erasing, generator)
    return batch


def crop_resize(batch: Tensor, boxes: Sequence[tuple[int, int, int, int]]) -> Tensor:
    """Resizes each picture's box (top, left, height, width) back to the batch's size (H, W), uint8 (B, C, H, W).

    Antialiased bilinear, as two products with matrices of triangle weights: Y = R X S^T, rows by R, columns by S.
    """
    H, W = batch.shape[-2:]
    edges = torch.tensor(boxes, dtype=torch.float32)  # (B, 4)
    rows = _triangles(edges[:, 0], edges[:, 2], H).to(batch.device)  # (B, H, H)
    columns = _triangles(edges[:, 1], edges[:, 3], W).to(batch.device)  # (B, W, W)
    pictures = batch.to(torch.float32)
    resized = rows.unsqueeze(1) @ pictures @ columns.transpose(1, 2).unsqueeze(1)  # (B, C, H, W)
    return resized.add_(0.5).clamp_(0, 255).to(torch.uint8)


def shift(batch: Tensor, pixels: int, generator: torch.Generator) -> Tensor:
    """Moves each picture of (B, C, H, W) by up to ``pixels`` each way, black coming in (He et al. 2016, 4.2)."""
    B, _, H, W = batch.shape
    offsets = torch.randint(0, 2 * pixels + 1, (2, B), generator=generator).to(batch.device)
    windows = functional.pad(batch, [pixels] * 4).unfold(2, H, 1).unfold(3, W, 1)  # (B, C, 2p+1, 2p+1, H, W), a view
    return windows[torch.arange(B, device=batch.device), :, offsets[0], offsets[1]]  # (B, C, H, W)


def flip(batch: Tensor, dimension: int, generator: torch.Generator) -> Tensor:
    """Mirrors half of the pictures, chosen at random, along -1 (left-right) or -2 (up-down)."""
    chosen = torch.rand(len(batch), generator=generator) < 0.5
    mask = chosen.to(batch.device).view(-1, 1, 1, 1)
    return torch.where(mask, batch.flip(dimension), batch)


def jitter(batch: Tensor, amount: float, generator: torch.Generator) -> Tensor:
    """Scales brightness, then contrast, then saturation, each by a factor in 1 +- ``amount``: float32 in 0 to 255.

    Brightness is measured from black, contrast from the picture's mean luma, saturation from each pixel's luma.
    """
    factors = torch.rand(3, len(batch), 1, 1, 1, generator=generator).mul_(2).sub_(1).mul_(amount).add_(1)
    brightness, contrast, saturation = factors.to(batch.device)
    pictures = batch.to(torch.float32).mul(brightness).clamp_(max=255)
    mean = _luma(pictures).mean((2, 3), keepdim=True)
    pictures = mean.lerp(pictures, contrast).clamp_(0, 255)
    if batch.shape[1] == 1:
        return pictures
    return _luma(pictures).lerp(pictures, saturation).clamp_(0, 255)


def erase(batch: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Fills a random box of each picture with noise, with this probability (Zhong et al. 2017); one noise a batch."""
    B, C, H, W = batch.shape
    numbers = torch.rand(5, B, generator=generator)
    noise = torch.randint(0, 256, (C, H, W), generator=generator, dtype=torch.uint8).to(batch.device, batch.dtype)
    area = H * W * (ERASED_AREA[0] + (ERASED_AREA[1] - ERASED_AREA[0]) * numbers[1])
    low, high = (math.log(ratio) for ratio in ERASED_RATIO)
    aspect = torch.exp(low + (high - low) * numbers[2])
    height = (area * aspect).sqrt().clamp(1, H).round()
    width = (area / aspect).sqrt().clamp(1, W).round()
    height = torch.where(numbers[0] < probability, height, torch.zeros(()))
    top, left = ((H - height + 1) * numbers[3]).floor(), ((W - width + 1) * numbers[4]).floor()
    rows, columns = _between(top, height, H), _between(left, width, W)  # (B, H), (B, W)
    mask = (rows.unsqueeze(2) & columns.unsqueeze(1)).unsqueeze(1).to(batch.device)  # (B, 1, H, W)
    return torch.where(mask, noise, batch)


def _between(first: Tensor, length: Tensor, size: int) -> Tensor:
    places = torch.arange(size)
    return (places >= first.unsqueeze(1)) & (places < (first + length).unsqueeze(1))


def _luma(pictures: Tensor) -> Tensor:
    """Returns (B, 1, H, W)."""
    if pictures.shape[1] == 1:
        return pictures
    red, green, blue = pictures.unbind(1)
    return (red * LUMA[0] + green * LUMA[1] + blue * LUMA[2]).unsqueeze(1)


def _triangles(first: Tensor, length: Tensor, size: int) -> Tensor:
    """Returns weights (B, size, size) that take the cells ``first`` to ``first + length`` to ``size`` cells."""
    scale = (length / size).view(-1, 1, 1)
    centres = first.view(-1, 1, 1) + (torch.arange(size).view(1, -1, 1) + 0.5) * scale  # (B, size, 1)
    places = torch.arange(size).view(1, 1, -1) + 0.5
    reach = scale.clamp(min=1)
    weights = (1 - (places - centres).abs() / reach).clamp_(min=0)
    low, high = first.view(-1, 1, 1), (first + length).view(-1, 1, 1)
    weights = weights * ((places > low) & (places < high))  # the box's edge is repeated, not looked beyond
    return weights / weights.sum(2, keepdim=True)
