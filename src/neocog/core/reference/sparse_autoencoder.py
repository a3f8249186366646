"""The cost of a sparse autoencoder and its gradient (Ng, CS294A lecture notes, 2011, sections 2 and 3).

    J = (1 / 2N) sum of |a3 - x|^2  +  (decay / 2) sum of W^2  +  penalty sum over j of KL(target || rho(j))

with a2 = sigmoid(W1 x + b1), a3 = sigmoid(W2 a2 + b2), rho(j) the mean of hidden unit j over the N samples, and
KL(r || q) = r log(r / q) + (1 - r) log((1 - r) / (1 - q)).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neocog.core.reference.arrays import Array
from neocog.core.reference.mlp import Gradient, Layer, backward, forward


class Costs(NamedTuple):
    """How much weight decay and sparsity count, and how active a hidden unit should be on average, in (0, 1)."""

    decay: float = 1e-4
    penalty: float = 3.0
    target: float = 0.01


def divergence(target: float, active: Array) -> Array:
    """Returns KL(target || active) of two coins, for each unit (H,); zero only where they agree."""
    return target * np.log(target / active) + (1 - target) * np.log((1 - target) / (1 - active))


def cost(layers: tuple[Layer, Layer], x: Array, costs: Costs) -> float:
    """Returns J for samples x (N, I); the layers are sigmoid ones, (H, I) and (I, H)."""
    _, hidden, made = forward(layers, x)
    error = ((made - x) ** 2).sum() / (2 * len(x))
    decay = costs.decay / 2 * sum((layer.weights**2).sum() for layer in layers)
    return float(error + decay + costs.penalty * divergence(costs.target, hidden.mean(0)).sum())


def gradients(layers: tuple[Layer, Layer], x: Array, costs: Costs) -> list[Gradient]:
    """Returns dJ/dW and dJ/db of both layers.

    Sparsity adds penalty ((1 - target) / (1 - rho) - target / rho) / N to dJ/da2, before back-propagation goes on.
    """
    encoder, decoder = layers
    x, hidden, made = forward(layers, x)
    (outer,), upstream = backward([decoder], [hidden, made], (made - x) / len(x))
    active = hidden.mean(0)  # (H,)
    sparsity = costs.penalty * ((1 - costs.target) / (1 - active) - costs.target / active) / len(x)
    (inner,), _ = backward([encoder], [x, hidden], upstream + sparsity)
    return [
        Gradient(gradient.weights + costs.decay * layer.weights, gradient.bias)
        for gradient, layer in zip((inner, outer), layers, strict=True)
    ]
