"""The backward pass of a convolutional layer, which consists of convolutions again.

For the layer y(o, n) = b(o) + sum over c and k of w(o, c, k) x(c, n S + k D - P) and g = dL/dy:

    dL/dx   the full convolution of g, S places apart, with the kernels turned by 180 degrees
    dL/dw   the correlation of x with g, S places apart: w(o, c, k) met g(o, n) at x(c, n S + k D - P)
    dL/db   the sum of g over all places

On a 3x3 image and a 2x2 kernel this is the chain rule written out: dL/dx00 = g00 w00, dL/dx01 = g00 w01 + g01 w00, ...
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neocog.core.reference.arrays import Array, Paddings, Setting, surrounded, zeros_around
from neocog.core.reference.convolution import correlate
from neocog.core.reference.transposed import spread


def input_gradient(
    upstream: Array,
    weights: Array,
    sizes: Sequence[int],
    *,
    stride: Setting = 1,
    padding: Paddings = 0,
    dilation: Setting = 1,
    groups: int = 1,
) -> Array:
    """Returns dL/dx (C, ...) for dL/dy (O, ...), weights (O, C / groups, ...) and the axes' ``sizes`` of x.

    Inputs that no window reaches, at the end of an axis that the stride does not divide, have no gradient; what falls
    on the padding is dropped.
    """
    zeros = zeros_around(sizes, weights.shape[2:], stride, padding, dilation)
    reached = spread(upstream, weights, stride=stride, dilation=dilation, groups=groups)
    padded = [before + size + after for (before, after), size in zip(zeros, sizes, strict=True)]
    ends = [(0, long - short) for long, short in zip(padded, reached.shape[1:], strict=True)]
    inside = (slice(before, before + size) for (before, _), size in zip(zeros, sizes, strict=True))
    return surrounded(reached, ends)[:, *inside]


def weight_gradient(
    upstream: Array,
    x: Array,
    kernel: Sequence[int],
    *,
    stride: Setting = 1,
    padding: Paddings = 0,
    dilation: Setting = 1,
    groups: int = 1,
) -> Array:
    """Returns dL/dw (O, C / groups, ...) for dL/dy (O, ...) and x (C, ...); ``kernel`` are the kernel's sizes.

    Stride and dilation change places: neighbouring taps met inputs D apart, neighbouring outputs inputs S apart.
    """
    x = surrounded(x, zeros_around(x.shape[1:], kernel, stride, padding, dilation))
    outputs, inputs = len(upstream), len(x) // groups
    gradient = np.zeros((outputs, inputs, *kernel))
    for o, c in np.ndindex(outputs, inputs):
        seen = x[o * groups // outputs * inputs + c]  # the c-th map of the group that made map o
        products = correlate(seen, upstream[o], stride=dilation, dilation=stride)
        gradient[o, c] = products[*(slice(taps) for taps in kernel)]  # further places met no tap
    return gradient


def bias_gradient(upstream: Array) -> Array:
    """Returns dL/db (O,) for dL/dy (O, ...)."""
    return np.asarray(upstream.reshape(len(upstream), -1).sum(1))
