"""What the functions of this package share: the type of their arrays, zeros around them and zeros between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neocog.core.arithmetic import Padding, each_axis, padding_of

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
# A layer's setting: one number for all axes, or one an axis.
Setting = int | Sequence[int]
Paddings = Padding | Sequence[Padding]


def zeros_around(
    sizes: Sequence[int], kernel: Sequence[int], stride: Setting, padding: Paddings, dilation: Setting
) -> list[tuple[int, int]]:
    """Returns the zeros before and after each axis; ``padding`` is a number, valid, same or full, or one an axis."""
    settings = (each_axis(setting, len(sizes)) for setting in (padding, stride, dilation))
    return [
        padding_of(zeros, size, taps, step, apart)
        for size, taps, zeros, step, apart in zip(sizes, kernel, *settings, strict=True)
    ]


def surrounded(x: Array, zeros: Sequence[tuple[int, int]], value: float = 0.0) -> Array:
    """Returns x (C, ...) with as many zeros, or other values, before and after each axis but the first."""
    return np.pad(np.asarray(x, float), [(0, 0), *zeros], constant_values=value)


def spaced(x: Array, stride: Setting) -> Array:
    """Returns x (C, ...) with stride - 1 zeros between neighbours: (C, (I - 1) S + 1, ...)."""
    strides = each_axis(stride, x.ndim - 1)
    sizes = [(size - 1) * step + 1 for size, step in zip(x.shape[1:], strides, strict=True)]
    result = np.zeros((len(x), *sizes))
    result[:, *(slice(None, None, step) for step in strides)] = x
    return result


def under_tap(tap: Sequence[int], sizes: Sequence[int], stride: Setting, dilation: Setting) -> tuple[slice, ...]:
    """Returns where one tap k of a kernel finds its inputs: n S + k D for every output n of an axis of ``sizes``."""
    strides, dilations = each_axis(stride, len(sizes)), each_axis(dilation, len(sizes))
    return tuple(
        slice(k * apart, k * apart + (size - 1) * step + 1, step)
        for k, size, step, apart in zip(tap, sizes, strides, dilations, strict=True)
    )
