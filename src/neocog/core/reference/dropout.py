"""Inverted dropout (Srivastava et al. 2014): in training units are silenced at random, in use nothing is to be done."""

from __future__ import annotations

from neocog.core.reference.arrays import Array


def dropout(x: Array, kept: Array, probability: float) -> Array:
    """Returns x kept / (1 - probability), of x's shape.

    ``kept`` is 1 where a unit stays and 0 where it is silenced, which happens with ``probability`` in [0, 1); those
    that stay are scaled up so that the mean stays. The backward pass is the same function of the upstream gradient.
    """
    return x * kept / (1 - probability)
