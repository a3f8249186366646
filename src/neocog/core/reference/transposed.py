"""The transposed convolution: every input lays the kernel, times its value, on the output, and overlaps add up.

    y(o, n S + k D - P) += w(c, o, k) x(c, n)   for every c, o, n and k

Its matrix is the transpose of the convolution's, hence the name, so it is also what carries gradients backwards.
"""

from __future__ import annotations

import numpy as np

from neocog.core.arithmetic import each_axis, transposed_output_shape
from neocog.core.reference.arrays import Array, Setting, spaced, surrounded
from neocog.core.reference.convolution import convolution_layer


def spread(x: Array, weights: Array, *, stride: Setting = 1, dilation: Setting = 1, groups: int = 1) -> Array:
    """Returns (O, ...) with (I - 1) S + D (K - 1) + 1 places an axis: all that a transposed convolution reaches.

    ``x`` is (C, ...) and ``weights`` (C, O / groups, ...). It is the full convolution of the inputs, S places apart:
    the correlation, padded by all but one tap, with the kernel turned by 180 degrees.
    """
    turned = _turned(weights, groups)
    return convolution_layer(spaced(x, stride), turned, padding="full", dilation=dilation, groups=groups)


def transposed_convolution(
    x: Array,
    weights: Array,
    bias: Array | None = None,
    *,
    stride: Setting = 1,
    padding: Setting = 0,
    output_padding: Setting = 0,
    dilation: Setting = 1,
    groups: int = 1,
) -> Array:
    """Returns (O, ...) with (I - 1) S - 2 P + D (K - 1) + 1 + output padding places an axis.

    ``x`` is (C, ...), ``weights`` (C, O / groups, ...) and ``bias`` (O,). Padding takes places away on both sides, as
    it adds them in the convolution that this one transposes; output padding adds them at the end.

    Raises NetworkError when nothing is left.
    """
    axes = x.ndim - 1
    made = transposed_output_shape(x.shape[1:], weights.shape[2:], stride, padding, output_padding, dilation)
    y = spread(x, weights, stride=stride, dilation=dilation, groups=groups)
    y = surrounded(y, [(0, more) for more in each_axis(output_padding, axes)])
    y = y[:, *(slice(p, p + size) for p, size in zip(each_axis(padding, axes), made, strict=True))]
    return y if bias is None else y + bias.reshape(-1, *(1 for _ in made))


def _turned(weights: Array, groups: int) -> Array:
    """Returns weights (C, O / G, ...) as (O, C / G, ...), each kernel turned by 180 degrees."""
    by_group = weights.reshape(groups, -1, *weights.shape[1:]).swapaxes(1, 2)  # (G, O / G, C / G, ...)
    swapped = by_group.reshape(-1, *by_group.shape[2:])  # (O, C / G, ...)
    return np.flip(swapped, tuple(range(2, swapped.ndim)))
