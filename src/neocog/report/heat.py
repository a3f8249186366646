"""Colours for numbers: one scale for maps from zero up, one for maps of both signs, both even to the eye.

The colours are mixed in Oklab (Ottosson 2020), where equal distances look equal. Lightness alone tells the order of the
first scale, and the ends of the second are blue and orange, so both can be read with any colour blindness and the first
in a black and white print.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neocog.report.thumbnails import Pixels

Floats = NDArray[np.float64]

# Oklab: lightness, green to red, blue to yellow.
_UP = (
    (0.16, 0.015, -0.060),  # near black
    (0.36, 0.080, -0.100),  # violet
    (0.56, 0.170, 0.020),  # crimson
    (0.76, 0.080, 0.130),  # orange
    (0.96, -0.020, 0.070),  # pale yellow
)
_BOTH = (
    (0.40, -0.035, -0.120),  # blue
    (0.68, -0.040, -0.090),
    (0.96, 0.000, 0.000),  # near white: nothing
    (0.68, 0.075, 0.110),
    (0.40, 0.085, 0.080),  # orange brown
)
# From Oklab to the cube roots of the cones' answers, and from these to linear red, green and blue.
_TO_CONES = np.array(
    [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.2914855480]]
)
_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)
# A few pixels far beyond the others would leave the rest of a map dark.
PERCENTILE = 99.5


@dataclass(frozen=True)
class Scale:
    """Which number has which colour: ``low`` the first of the scale, ``high`` the last; beyond them it stays.

    ``signed``: the middle of the scale is zero and ``low`` is ``-high``; else ``low`` is 0, or below it where a map is.
    """

    low: float
    high: float
    signed: bool

    def position(self, values: NDArray[Any]) -> Floats:
        """Returns where on the scale values lie, from 0 to 1; what is no number lies in its beginning or middle."""
        known = np.asarray(values, np.float64)
        place = np.clip((known - self.low) / (self.high - self.low), 0, 1)
        return np.where(np.isnan(known), 0.5 if self.signed else 0.0, place)

    def strength(self, values: NDArray[Any]) -> Floats:
        """Returns how much values say, from 0 (nothing: zero, or the scale's beginning) to 1."""
        place = self.position(values)
        return np.abs(2 * place - 1) if self.signed else place


def scale_of(values: NDArray[Any], *, signed: bool) -> Scale:
    """Returns a scale that all but the strongest half a percent of a map's numbers fit on.

    ``values`` are of any shape; of a map without numbers other than zero the scale ends at 1.
    """
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    if not known.size:
        return Scale(-1.0 if signed else 0.0, 1.0, signed)
    largest = _end(np.abs(known) if signed else known)
    return Scale(-largest if signed else min(0.0, float(known.min())), largest, signed)


def _end(values: Floats) -> float:
    """Returns the percentile, or the maximum where most of a map is zero."""
    for end in (float(np.percentile(values, PERCENTILE)), float(values.max())):
        if end > 0:
            return end
    return 1.0


def coloured(values: NDArray[Any], scale: Scale) -> Pixels:
    """Returns the values (H, W) as colours (H, W, 3)."""
    places = np.rint(scale.position(values) * 255).astype(np.intp)
    pixels: Pixels = colours(signed=scale.signed)[places]
    return pixels


@cache
def colours(*, signed: bool) -> Pixels:
    """Returns the 256 colours of a scale, (256, 3) uint8."""
    anchors = np.array(_BOTH if signed else _UP)
    steps = np.linspace(0, len(anchors) - 1, 256)
    mixed = np.stack([np.interp(steps, np.arange(len(anchors)), part) for part in anchors.T], 1)  # (256, 3)
    linear = np.clip((mixed @ _TO_CONES.T) ** 3 @ _TO_RGB.T, 0, 1)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    table: Pixels = np.rint(curved * 255).astype(np.uint8)
    table.flags.writeable = False
    return table
