"""The perceptron (Rosenblatt 1958, doi:10.1037/h0042519): a unit that fires, and how it learns from its mistakes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neocog.core.reference.arrays import Array, Integers


class Unit(NamedTuple):
    """A unit's weights (I,) and its bias, which is minus the threshold."""

    weights: Array
    bias: float


def potential(unit: Unit, x: Array) -> Array:
    """Returns z = w . x + b of inputs (N, I), or of one (I,)."""
    return np.asarray(x @ unit.weights + unit.bias)


def fires(unit: Unit, x: Array) -> Integers:
    """Returns 1 where the potential exceeds zero and 0 elsewhere, for inputs (N, I) or one (I,)."""
    return (potential(unit, x) > 0).astype(np.int64)


def corrected(unit: Unit, x: Array, target: int, rate: float = 1.0) -> Unit:
    """Returns the unit after it has seen one input (I,): w + rate (target - output) x, and so its bias.

    Nothing changes when the output, 0 or 1, was right.
    """
    error = rate * (target - int(fires(unit, x)))
    return Unit(unit.weights + error * x, unit.bias + error)


def learned(unit: Unit, x: Array, targets: Integers, rate: float = 1.0, epochs: int = 100) -> Unit:
    """Returns the unit after up to ``epochs`` rounds over inputs (N, I) with targets (N,), fewer when all are right.

    On classes that a hyperplane separates by a margin m, inputs no longer than r, a unit that starts at zero makes
    at most (r / m) squared mistakes (Novikoff 1962; the bias counts as the weight of an input 1).
    """
    for _ in range(epochs):
        if np.array_equal(fires(unit, x), targets):
            break
        for sample, target in zip(x, targets, strict=True):
            unit = corrected(unit, sample, int(target), rate)
    return unit
