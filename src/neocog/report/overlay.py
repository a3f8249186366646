"""A map over the picture that it explains, and a box around what a unit sees of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from neocog.core.errors import UsageError
from neocog.report.heat import Scale, coloured
from neocog.report.thumbnails import Pixels

# The part of the picture that is left where the map is strongest, and how fast the map covers it.
COVER, RISE = 0.88, 0.7
LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R 601
BOX = (255, 196, 0)

# Top, left, height, width in pixels; it may reach over the picture's edges.
Box = tuple[int, int, int, int]


def in_colours(picture: NDArray[Any]) -> Pixels:
    """Returns a picture, uint8 (H, W) or (H, W, C), as (H, W, 3).

    The first channel is shown in grey where there are neither one nor three. Raises UsageError for another type.
    """
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or not picture.size:
        raise UsageError(f"a picture is uint8 (H, W) or (H, W, C), not {picture.dtype} {picture.shape}.")
    plain = picture if picture.ndim == 3 else picture[..., None]
    if plain.shape[2] != 3:
        plain = np.repeat(plain[..., :1], 3, 2)
    return np.ascontiguousarray(plain)


def overlay(picture: NDArray[Any], values: NDArray[Any], scale: Scale) -> Pixels:
    """Returns the map (H, W) in its colours over the picture in grey; where it says nothing the picture shows through.

    ``picture`` as for `in_colours`, of the map's size. The picture is lightened under a signed map, whose strongest
    colours are dark. Raises UsageError where sizes differ.
    """
    ground = in_colours(picture)
    if ground.shape[:2] != values.shape:
        raise UsageError(f"the map is {values.shape} and the picture {ground.shape[:2]}; both should be of one size.")
    grey = (ground @ LUMA)[..., None]  # (H, W, 1)
    if scale.signed:
        grey = 110 + 0.57 * grey
    cover = COVER * scale.strength(values)[..., None] ** RISE
    mixed: Pixels = np.rint(grey * (1 - cover) + coloured(values, scale) * cover).clip(0, 255).astype(np.uint8)
    return mixed


def boxed(picture: NDArray[Any], box: Box) -> Pixels:
    """Returns the picture (H, W, 3) with a frame just inside the box, and what lies outside of it dimmed.

    What of the box lies outside of the picture is left out; a box wholly outside leaves the picture dimmed.
    """
    colour = in_colours(picture)
    height, width = colour.shape[:2]
    top, left = max(0, box[0]), max(0, box[1])
    bottom, right = min(height, box[0] + box[2]), min(width, box[1] + box[3])
    result = (colour // 2 + 24).astype(np.uint8)
    if top >= bottom or left >= right:
        return result
    result[top:bottom, left:right] = BOX
    edge = max(1, round(max(height, width) / 160))
    inner = slice(top + edge, max(bottom - edge, top + edge)), slice(left + edge, max(right - edge, left + edge))
    result[inner] = colour[inner]
    return result


def sized(pixels: Pixels, side: int) -> Pixels:
    """Returns the picture with its longer side near ``side``: enlarged by a whole factor, or shrunk by averaging.

    Enlarged pixels stay squares, so that nothing is seen that is not there.
    """
    height, width = pixels.shape[:2]
    longest = max(height, width)
    if longest > side:
        size = max(1, round(width * side / longest)), max(1, round(height * side / longest))
        return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))
    factor = max(1, round(side / longest))
    return pixels.repeat(factor, 0).repeat(factor, 1)
