"""Local connections: the sums of a convolution, but with a kernel of its own at every place (no weights are shared).

    y(o, n) = b(o, n) + sum over c and k of w(o, c, n, k) x(c, n S + k)

DeepFace (Taigman et al. 2014) uses such layers, since every region of an aligned face is of its own kind.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neocog.core.reference.arrays import Array, Setting, under_tap


class Gradients(NamedTuple):
    """dL/dx (C, ...), dL/dw (O, C, outputs..., kernel...) and dL/db (O, outputs...)."""

    inputs: Array
    weights: Array
    bias: Array


def local_layer(x: Array, weights: Array, bias: Array | None = None, *, stride: Setting = 1) -> Array:
    """Returns (O, outputs...) for x (C, ...), weights (O, C, outputs..., kernel...) and a bias (O, outputs...)."""
    made, kernel = _parts(x, weights)
    y = np.zeros((len(weights), *made))
    for tap in np.ndindex(*kernel):
        y += np.einsum("oc...,c...->o...", weights[..., *tap], x[:, *under_tap(tap, made, stride, 1)])
    return y if bias is None else y + bias


def local_gradients(upstream: Array, x: Array, weights: Array, *, stride: Setting = 1) -> Gradients:
    """Returns the gradients for dL/dy (O, outputs...): each product hands its gradient to both of its factors."""
    made, kernel = _parts(x, weights)
    inputs, own = np.zeros_like(x, float), np.zeros_like(weights, float)
    for tap in np.ndindex(*kernel):
        seen = under_tap(tap, made, stride, 1)
        inputs[:, *seen] += np.einsum("oc...,o...->c...", weights[..., *tap], upstream)
        own[..., *tap] = np.einsum("o...,c...->oc...", upstream, x[:, *seen])
    return Gradients(inputs, own, upstream)


def _parts(x: Array, weights: Array) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Returns the sizes of the outputs and those of the kernel, both of which the shape of the weights holds."""
    axes = x.ndim - 1
    return weights.shape[2 : 2 + axes], weights.shape[2 + axes :]
