"""Explanations as pictures: what the network saw, and beside it what a method says, as sheets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neocog.report.heat import Scale, coloured, scale_of
from neocog.report.overlay import Box, boxed, in_colours, overlay
from neocog.report.sheet import Tile, sheet, short
from neocog.report.thumbnails import Pixels

Array = NDArray[Any]

SIDE, MAP_SIDE, KERNEL_SIDE = 224, 84, 48
MOST_INPUT_MAPS = 16
SEEN = "what the network saw"


def heat_sheet(picture: Array, values: Array, *, signed: bool) -> Pixels:
    """Returns the picture, the map, and the map over the picture, with the scale.

    ``picture`` uint8 (H, W[, C]) as the network saw it, ``values`` (H, W).
    """
    scale = scale_of(values, signed=signed)
    over = overlay(picture, values, scale)
    tiles = [Tile(in_colours(picture), SEEN), Tile(coloured(values, scale), "the map"), Tile(over, "over the picture")]
    return sheet(tiles, side=SIDE, columns=3, scale=scale)


def colours_sheet(picture: Array, values: Array) -> Pixels:
    """Returns the picture and a signed attribution (C, H, W) as a picture itself, grey where it is zero."""
    return sheet([Tile(in_colours(picture), SEEN), Tile(around_grey(values), "grey is 0")], side=SIDE, columns=2)


def around_grey(values: Array) -> Pixels:
    """Returns a signed attribution (C, H, W) in its channels' colours around middle grey (H, W, 3).

    Other numbers of channels than three are summed into one.
    """
    three = values if values.shape[0] == 3 else np.repeat(values.sum(0, keepdims=True), 3, 0)
    scale = scale_of(three, signed=True)
    pixels: Pixels = np.rint(scale.position(three) * 255).astype(np.uint8).transpose(1, 2, 0)
    return np.ascontiguousarray(pixels)


def maps_sheet(maps: Array, channels: Sequence[int]) -> Pixels:
    """Returns maps (M, h, w) on one scale, each with its channel's number and its mean magnitude; (M, w) as lines."""
    shown = maps[:, None] if maps.ndim == 2 else maps
    scale = scale_of(shown, signed=bool((shown < 0).any()))
    tiles = [
        Tile(coloured(each, scale), f"{channel}: {short(float(np.abs(each).mean()))}")
        for channel, each in zip(channels, shown, strict=True)
    ]
    return sheet(tiles, side=MAP_SIDE, scale=scale)


def kernels_sheet(kernels: Array, numbers: Sequence[int]) -> Pixels:
    """Returns kernels (M, C, h, w) with their ``numbers``, all on one scale on which the middle is zero.

    In colour where C is 3, else a row of up to 16 input maps each.
    """
    scale = scale_of(kernels, signed=True)
    three = kernels.shape[1] == 3
    tiles = [
        Tile(_in_channels(each, scale) if three else _row(each[:MOST_INPUT_MAPS], scale), str(number))
        for number, each in zip(numbers, kernels, strict=True)
    ]
    wide = 1 if three else min(kernels.shape[1], MOST_INPUT_MAPS)
    columns = None if wide == 1 else max(1, 16 // wide)
    return sheet(tiles, side=KERNEL_SIDE * wide, columns=columns, scale=None if three else scale)


def _in_channels(kernel: Array, scale: Scale) -> Pixels:
    pixels: Pixels = np.rint(scale.position(kernel) * 255).astype(np.uint8).transpose(1, 2, 0)
    return np.ascontiguousarray(pixels)


def _row(maps: Array, scale: Scale) -> Pixels:
    """Returns maps (C, h, w) side by side with a white column between them."""
    parts: list[Pixels] = []
    for each in maps:
        parts += [coloured(each, scale), np.full((each.shape[0], 1, 3), 255, np.uint8)]
    return np.concatenate(parts[:-1], 1)


def field_sheet(picture: Array, box: Box, effective: Array) -> Pixels:
    """Returns the picture with the box (top, left, height, width) of what a unit can see, and what of it counts (H, W).

    The second is the gradient's magnitude, 0 or more.
    """
    scale = scale_of(effective, signed=False)
    tiles = [Tile(boxed(picture, box), "what it can see"), Tile(overlay(picture, effective, scale), "what counts")]
    return sheet(tiles, side=SIDE, columns=2, scale=scale)


def patches_sheet(rows: Sequence[tuple[str, Sequence[Tile]]], *, side: int = MAP_SIDE) -> Pixels:
    """Returns rows of pictures, each row with a heading; all rows as many columns as the longest."""
    width = max((len(tiles) for _, tiles in rows), default=0)
    blank = Tile(np.full((1, 1, 3), 253, np.uint8))
    tiles = [tile for heading, row in rows for tile in _headed(heading, row, width, blank)]
    return sheet(tiles, side=side, columns=width)


def _headed(heading: str, row: Sequence[Tile], width: int, blank: Tile) -> list[Tile]:
    headings = [heading] + [""] * (len(row) - 1)
    tiles = [Tile(tile.pixels, f"{words}\n{tile.caption}") for words, tile in zip(headings, row, strict=True)]
    return [*tiles, *[blank] * (width - len(row))]
