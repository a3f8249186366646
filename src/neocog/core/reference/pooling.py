"""Max and average pooling of maps (C, ...) over one, two or three axes, with their backward passes; decimation.

    maximum   y(n) = the largest x(n S + k D - P); its gradient goes to the input that won
    average   y(n) = the mean of x(n S + k - P); its gradient goes in equal shares to all inputs of the window

Where windows overlap, what an input gets from each is added. Of equal largest inputs the first in scan order wins:
rows from the top, in a row from the left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from neocog.core.arithmetic import each_axis, extent, output_shape
from neocog.core.reference.arrays import Array, Setting, surrounded


class Windows(NamedTuple):
    """How windows lie on maps; the stride is the kernel unless given, and ``ceil`` lets a last window hang over."""

    kernel: Setting
    stride: Setting | None = None
    padding: Setting = 0
    dilation: Setting = 1
    ceil: bool = False


def max_pool(x: Array, windows: Windows) -> Array:
    """Returns the largest input of each window, (C, ...); padding never wins."""
    layout = _Layout.of(x, windows)
    return layout.each(surrounded(x, layout.zeros, -np.inf), np.max)


def max_pool_gradient(upstream: Array, x: Array, windows: Windows) -> Array:
    """Returns dL/dx (C, ...) for dL/dy (C, ...): each window's gradient, added to the input that won it."""
    layout = _Layout.of(x, windows)
    padded = surrounded(x, layout.zeros, -np.inf)
    gradient = np.zeros_like(padded)
    for place, window in layout.windows():
        for channel in range(len(x)):
            seen = padded[channel, *window]
            winner = np.unravel_index(np.argmax(seen), seen.shape)  # the first of equals
            gradient[channel, *window][winner] += upstream[channel, *place]
    return layout.inside(gradient)


def average_pool(x: Array, windows: Windows, *, count_padding: bool = True) -> Array:
    """Returns the mean of each window, (C, ...).

    Zeros of padding count as inputs unless told otherwise; what hangs over the padded end never does.
    """
    layout = _Layout.of(x, windows)
    return layout.each(surrounded(x, layout.zeros), np.sum) / layout.counts(count_padding)


def average_pool_gradient(upstream: Array, x: Array, windows: Windows, *, count_padding: bool = True) -> Array:
    """Returns dL/dx (C, ...) for dL/dy (C, ...): each window's gradient, shared equally among what it averaged."""
    layout = _Layout.of(x, windows)
    shares = upstream / layout.counts(count_padding)  # (C, ...)
    gradient = np.zeros_like(surrounded(x, layout.zeros))
    for place, window in layout.windows():
        gradient[:, *window] += shares[:, *place].reshape(-1, *(1 for _ in place))
    return layout.inside(gradient)


def decimate(x: Array, step: int) -> Array:
    """Returns every ``step``-th value of a map along all of its axes, from the first."""
    return x[*(slice(None, None, step) for _ in range(x.ndim))]


class _Layout(NamedTuple):
    """Windows laid on maps of given sizes; ``zeros`` holds what a window that hangs over needs at the end, too."""

    sizes: tuple[int, ...]
    outputs: tuple[int, ...]
    zeros: list[tuple[int, int]]
    padding: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]

    @staticmethod
    def of(x: Array, windows: Windows) -> _Layout:
        sizes = x.shape[1:]
        stride = windows.kernel if windows.stride is None else windows.stride
        settings = (windows.kernel, stride, windows.padding, windows.dilation)
        kernels, strides, paddings, dilations = (each_axis(setting, len(sizes)) for setting in settings)
        outputs = output_shape(sizes, kernels, strides, paddings, dilations, ceil=windows.ceil)
        axes = zip(sizes, outputs, kernels, strides, paddings, dilations, strict=True)
        zeros = [(p, max((made - 1) * s + extent(k, d) - size - p, p)) for size, made, k, s, p, d in axes]
        return _Layout(sizes, outputs, zeros, paddings, kernels, strides, dilations)

    def windows(self) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
        """Gives each output's place and where its window lies on the padded maps."""
        for place in np.ndindex(*self.outputs):
            axes = zip(place, self.kernel, self.stride, self.dilation, strict=True)
            yield place, tuple(slice(n * s, n * s + extent(k, d), d) for n, k, s, d in axes)

    def each(self, padded: Array, reduce: Callable[..., Array]) -> Array:
        """Returns a number a window and map, (C, ...)."""
        result = np.zeros((len(padded), *self.outputs))
        for place, window in self.windows():
            result[:, *place] = reduce(padded[:, *window].reshape(len(padded), -1), axis=1)
        return result

    def counts(self, padding: bool) -> Array:
        """Returns how many inputs each window averages over, (1, ...)."""
        counted = np.zeros((1, *(b + size + a for (b, a), size in zip(self.zeros, self.sizes, strict=True))))
        axes = zip(self.sizes, self.padding, strict=True)
        counted[:, *(slice(0, size + 2 * p) if padding else slice(p, p + size) for size, p in axes)] = 1
        return self.each(counted, np.sum)

    def inside(self, padded: Array) -> Array:
        """Returns the maps without what is around them."""
        axes = zip(self.zeros, self.sizes, strict=True)
        return padded[:, *(slice(before, before + size) for (before, _), size in axes)]
