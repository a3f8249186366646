"""Random moves of a picture between steps, so that only what survives them is made: jitter, rotation, scale, padding.

They are differentiable, draw from the generator that they are given, and move all pictures of a batch alike (Olah et
al. 2017, doi:10.23915/distill.00007, "Transformation robustness").
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor
from torch.nn import functional

from neocog.core.errors import UsageError

# From a picture (B, C, ...) in [0, 1] and a generator to a picture.
Transform = Callable[[Tensor, Generator], Tensor]


def jitter(pixels: int) -> Transform:
    """Returns a move by up to ``pixels`` along each axis: a window that much smaller, cut at a random place."""
    _refuse_negative(jitter=pixels)

    def move(picture: Tensor, generator: Generator) -> Tensor:
        for axis in range(2, picture.dim()):
            start = int(torch.randint(pixels + 1, (), generator=generator))
            picture = picture.narrow(axis, start, _left(picture.shape[axis], pixels))
        return picture

    return move


def pad(pixels: int, fill: float | Tensor = 0.5) -> Transform:
    """Returns a frame of that many pixels of one value, or one a channel (C, 1, ...), around the picture."""
    _refuse_negative(pad=pixels)

    def framed(picture: Tensor, _: Generator) -> Tensor:
        around = [pixels] * 2 * (picture.dim() - 2)
        return functional.pad(picture - fill, around) + fill

    return framed


def rotate(degrees: float) -> Transform:
    """Returns a turn of a picture (B, C, H, W) about its middle by an angle between ``-degrees`` and ``degrees``."""

    def move(picture: Tensor, generator: Generator) -> Tensor:
        angle = math.radians(_uniform(-degrees, degrees, generator))
        return _affine(picture, math.cos(angle), math.sin(angle))

    return move


def scale(low: float, high: float) -> Transform:
    """Returns an enlargement of a picture (B, C, H, W) about its middle by a factor between ``low`` and ``high``."""
    if not 0 < low <= high:
        raise UsageError(f"factors of scale are above 0, the lower one first; got {low:g} and {high:g}.")
    return lambda picture, generator: _affine(picture, 1 / _uniform(low, high, generator), 0.0)


def usual(shape: Sequence[int], fill: float | Tensor = 0.5) -> tuple[Transform, ...]:
    """Returns the customary transforms for pictures of a shape (C, ...), in proportion to its shortest side.

    On pictures: a frame, jitter, scale and rotation, jitter again. On other inputs: a frame and jitter.
    """
    side = min(shape[1:], default=0)
    frame = wide = round(side / 8)
    if side < 8:
        return ()
    if len(shape) != 3:
        return pad(frame, fill), jitter(wide)
    return pad(frame, fill), jitter(wide), scale(0.8, 1.2), rotate(15), jitter(wide // 2)


def moved(picture: Tensor, transforms: Sequence[Transform], generator: Generator) -> Tensor:
    """Returns the picture (B, C, ...) moved by each transform in turn, its middle cut back to the size it had."""
    sizes = picture.shape[2:]
    for transform in transforms:
        picture = transform(picture, generator)
    for axis, size in enumerate(sizes, 2):
        spare = picture.shape[axis] - size
        if spare < 0:
            raise UsageError(
                f"the transforms shrink the picture from {size} to {picture.shape[axis]} pixels; put pad({-spare}) or "
                "more before them."
            )
        picture = picture.narrow(axis, spare // 2, size)
    return picture


def _left(size: int, pixels: int) -> int:
    if size <= pixels:
        raise UsageError(f"jitter of {pixels} pixels leaves nothing of {size}; give less, or pad before it.")
    return size - pixels


def _refuse_negative(**pixels: int) -> None:
    for name, value in pixels.items():
        if value < 0:
            raise UsageError(f"{name} is a number of pixels from 0, got {value}.")


def _uniform(low: float, high: float, generator: Generator) -> float:
    return low + (high - low) * float(torch.rand((), generator=generator))


def _affine(picture: Tensor, along: float, across: float) -> Tensor:
    """Turns and scales about the middle, in pixels: the sides' ratio stays; beyond the edge the edge goes on."""
    if picture.dim() != 4:
        raise UsageError(f"rotation and scale are for pictures (B, C, H, W), got {tuple(picture.shape)}.")
    height, width = picture.shape[2:]
    rows = [[along, -across * height / width, 0.0], [across * width / height, along, 0.0]]
    matrix = picture.new_tensor(rows).expand(len(picture), 2, 3)
    grid = functional.affine_grid(matrix, list(picture.shape), align_corners=False)  # (B, H, W, 2)
    return functional.grid_sample(picture, grid, padding_mode="border", align_corners=False)
