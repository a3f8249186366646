"""Correlation and convolution of maps, and the layer that networks call a convolution.

    correlation   y(n) = sum over k of w(k) x(n S + k D - P)
    convolution   the same with the kernel turned by 180 degrees, w(K - 1 - k) in place of w(k)
    layer         y(o, n) = b(o) + sum over c and k of w(o, c, k) x(c, n S + k D - P)

n and k have one index an axis, K is the kernel's size, S the stride, P the zeros of padding before, D the dilation.
What networks compute is the correlation; as they learn the kernel, it is the same which way round it lies.
"""

from __future__ import annotations

import numpy as np

from neocog.core.arithmetic import output_shape
from neocog.core.reference.arrays import Array, Paddings, Setting, surrounded, under_tap, zeros_around


def correlate(
    image: Array, kernel: Array, *, stride: Setting = 1, padding: Paddings = "valid", dilation: Setting = 1
) -> Array:
    """Returns the correlation of one map with one kernel, both of the same one, two or three axes.

    ``padding`` is a number of zeros on every side, ``"valid"`` (none), ``"same"`` (the map keeps its size) or
    ``"full"`` (every overlap counts). Raises NetworkError when the kernel does not fit.
    """
    image, kernel = np.asarray(image), np.asarray(kernel)
    one = convolution_layer(image[None], kernel[None, None], stride=stride, padding=padding, dilation=dilation)
    return np.asarray(one[0])


def convolve(
    image: Array, kernel: Array, *, stride: Setting = 1, padding: Paddings = "valid", dilation: Setting = 1
) -> Array:
    """Returns the convolution of one map with one kernel: the correlation with the kernel turned by 180 degrees."""
    return correlate(image, np.flip(kernel), stride=stride, padding=padding, dilation=dilation)


def convolution_layer(
    x: Array,
    weights: Array,
    bias: Array | None = None,
    *,
    stride: Setting = 1,
    padding: Paddings = 0,
    dilation: Setting = 1,
    groups: int = 1,
) -> Array:
    """Returns the maps (O, ...) of a convolutional layer over one, two or three axes.

    ``x`` is (C, ...), ``weights`` (O, C / groups, ...) and ``bias`` (O,). Of several groups, each sees its share of the
    input maps and makes its share of the output maps. Raises NetworkError when the kernel does not fit.
    """
    sizes, kernel = x.shape[1:], weights.shape[2:]
    made = output_shape(sizes, kernel, stride, padding, dilation)
    x = surrounded(x, zeros_around(sizes, kernel, stride, padding, dilation))
    x = x.reshape(groups, -1, *x.shape[1:])  # (G, C / G, ...)
    weights = weights.reshape(groups, -1, *weights.shape[1:])  # (G, O / G, C / G, ...)
    y = np.zeros((groups, weights.shape[1], *made))  # (G, O / G, ...)
    for tap in np.ndindex(*kernel):
        seen = x[:, :, *under_tap(tap, made, stride, dilation)]  # (G, C / G, ...)
        y += np.einsum("goc,gc...->go...", weights[..., *tap], seen)
    y = y.reshape(-1, *made)  # (O, ...)
    return y if bias is None else y + bias.reshape(-1, *(1 for _ in made))
