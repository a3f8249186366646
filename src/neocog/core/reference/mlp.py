"""Back-propagation through dense layers (Rumelhart, Hinton, Williams 1986, doi:10.1038/323533a0).

    forward    z = W a + b of the layer below, a = f(z)
    backward   delta = f'(z) dL/da;   dL/dW = delta a(below)^T;   dL/db = delta;   dL/da(below) = W^T delta

Rows are samples, so that a batch (N, I) goes through at once; gradients are summed over it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from neocog.core.reference.activations import ACTIVATIONS
from neocog.core.reference.arrays import Array, Integers
from neocog.core.reference.softmax import cross_entropy, cross_entropy_gradient


class Layer(NamedTuple):
    """A dense layer: weights (O, I), bias (O,) and the name of its activation."""

    weights: Array
    bias: Array
    activation: str = "identity"


class Gradient(NamedTuple):
    """dL/dW (O, I) and dL/db (O,) of a layer."""

    weights: Array
    bias: Array


def forward(layers: Sequence[Layer], x: Array) -> list[Array]:
    """Returns the activations of the inputs (N, I) and of every layer (N, O), the network's outputs last."""
    activations = [x]
    for layer in layers:
        activations.append(ACTIVATIONS[layer.activation].function(_potential(layer, activations[-1])))
    return activations


def backward(layers: Sequence[Layer], activations: Sequence[Array], upstream: Array) -> tuple[list[Gradient], Array]:
    """Returns every layer's gradient, and dL/dx (N, I), for dL/da (N, O) of the outputs.

    ``activations`` are those that `forward` returned.
    """
    gradients: list[Gradient] = []
    for layer, below in zip(reversed(layers), reversed(activations[:-1]), strict=True):
        delta = upstream * ACTIVATIONS[layer.activation].derivative(_potential(layer, below))  # (N, O)
        gradients.insert(0, Gradient(delta.T @ below, delta.sum(0)))
        upstream = delta @ layer.weights  # (N, I)
    return gradients, upstream


def descended(layers: Sequence[Layer], gradients: Sequence[Gradient], rate: float) -> list[Layer]:
    """Returns the layers after a step of gradient descent: W - rate dL/dW and b - rate dL/db."""
    return [
        Layer(layer.weights - rate * gradient.weights, layer.bias - rate * gradient.bias, layer.activation)
        for layer, gradient in zip(layers, gradients, strict=True)
    ]


def learned(layers: Sequence[Layer], x: Array, labels: Integers, rate: float) -> tuple[list[Layer], float]:
    """Returns a classifier after one step of gradient descent on x (N, I), and its cross-entropy before that step."""
    activations = forward(layers, x)
    gradients, _ = backward(layers, activations, cross_entropy_gradient(activations[-1], labels))
    return descended(layers, gradients, rate), cross_entropy(activations[-1], labels)


def _potential(layer: Layer, below: Array) -> Array:
    return np.asarray(below @ layer.weights.T + layer.bias)
