"""Activation functions with their derivatives, element by element: arrays of any shape give arrays of that shape.

At a kink the derivative is that of the left side, as torch has it: ReLU's at 0 is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from math import erf, pi, sqrt
from typing import NamedTuple

import numpy as np

from neocog.core.reference.arrays import Array


class Activation(NamedTuple):
    """A function f and its derivative f', both of the potential z."""

    function: Callable[[Array], Array]
    derivative: Callable[[Array], Array]


def identity(z: Array) -> Array:
    """Returns z, the activation of a linear unit."""
    return np.asarray(z, float)


def identity_derivative(z: Array) -> Array:
    """Returns 1 everywhere."""
    return np.ones_like(z, float)


def sigmoid(z: Array) -> Array:
    """Returns 1 / (1 + exp(-z)), in (0, 1); written so that no exponential overflows."""
    small = np.exp(-np.abs(z))
    return np.asarray(np.where(np.asarray(z) >= 0, 1, small) / (1 + small))


def sigmoid_derivative(z: Array) -> Array:
    """Returns s (1 - s), at most a quarter: stacked sigmoids make gradients vanish."""
    return sigmoid(z) * sigmoid(-np.asarray(z))


def tanh(z: Array) -> Array:
    """Returns the hyperbolic tangent, 2 sigmoid(2 z) - 1, in (-1, 1)."""
    return np.tanh(z)


def tanh_derivative(z: Array) -> Array:
    """Returns 1 - tanh(z) squared."""
    return 1 - np.tanh(z) ** 2


def scaled_tanh(z: Array) -> Array:
    """Returns 1.7159 tanh(2 z / 3), LeNet's, which maps 1 to 1 (LeCun et al. 1998, equation 6)."""
    return 1.7159 * np.tanh(2 / 3 * np.asarray(z))


def scaled_tanh_derivative(z: Array) -> Array:
    """Returns 1.7159 (2/3) (1 - tanh(2 z / 3) squared)."""
    return 1.7159 * 2 / 3 * tanh_derivative(2 / 3 * np.asarray(z))


def relu(z: Array) -> Array:
    """Returns max(0, z)."""
    return np.maximum(z, 0.0)


def relu_derivative(z: Array) -> Array:
    """Returns 1 where z > 0, else 0."""
    return np.where(np.asarray(z) > 0, 1.0, 0.0)


def relu6(z: Array) -> Array:
    """Returns min(max(0, z), 6), MobileNet's."""
    return np.clip(z, 0.0, 6.0)


def relu6_derivative(z: Array) -> Array:
    """Returns 1 where 0 < z < 6, else 0."""
    return np.where((np.asarray(z) > 0) & (np.asarray(z) < 6), 1.0, 0.0)


def leaky_relu(z: Array, slope: float = 0.01) -> Array:
    """Returns z where z > 0, else ``slope`` z; a slope that is learned makes it the parametric ReLU."""
    return np.where(np.asarray(z) > 0, z, slope * np.asarray(z))


def leaky_relu_derivative(z: Array, slope: float = 0.01) -> Array:
    """Returns 1 where z > 0, else ``slope``."""
    return np.where(np.asarray(z) > 0, 1.0, slope)


def elu(z: Array) -> Array:
    """Returns z where z > 0, else exp(z) - 1."""
    return np.where(np.asarray(z) > 0, z, np.expm1(np.minimum(z, 0)))


def elu_derivative(z: Array) -> Array:
    """Returns 1 where z > 0, else exp(z)."""
    return np.exp(np.minimum(z, 0.0))


def softplus(z: Array) -> Array:
    """Returns log(1 + exp(z)), a ReLU without the kink."""
    return np.logaddexp(0.0, z)


def softplus_derivative(z: Array) -> Array:
    """Returns the sigmoid."""
    return sigmoid(z)


def silu(z: Array) -> Array:
    """Returns z sigmoid(z), also called swish."""
    return np.asarray(z) * sigmoid(z)


def silu_derivative(z: Array) -> Array:
    """Returns s + z s (1 - s)."""
    return sigmoid(z) + np.asarray(z) * sigmoid_derivative(z)


def gelu(z: Array) -> Array:
    """Returns z P(Z <= z) for a standard normal Z."""
    return np.asarray(z) * _normal_share(z)


def gelu_derivative(z: Array) -> Array:
    """Returns P(Z <= z) + z times the normal density at z."""
    return _normal_share(z) + np.asarray(z) * np.exp(-(np.asarray(z) ** 2) / 2) / sqrt(2 * pi)


def _normal_share(z: Array) -> Array:
    return (1 + np.vectorize(erf, otypes=[float])(np.asarray(z) / sqrt(2))) / 2  # type: ignore[no-any-return]


ACTIVATIONS = {
    "identity": Activation(identity, identity_derivative),
    "sigmoid": Activation(sigmoid, sigmoid_derivative),
    "tanh": Activation(tanh, tanh_derivative),
    "scaled_tanh": Activation(scaled_tanh, scaled_tanh_derivative),
    "relu": Activation(relu, relu_derivative),
    "relu6": Activation(relu6, relu6_derivative),
    "leaky_relu": Activation(leaky_relu, leaky_relu_derivative),
    "elu": Activation(elu, elu_derivative),
    "softplus": Activation(softplus, softplus_derivative),
    "silu": Activation(silu, silu_derivative),
    "gelu": Activation(gelu, gelu_derivative),
}
