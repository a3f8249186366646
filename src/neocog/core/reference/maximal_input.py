"""The input that excites a linear unit most, of all inputs no longer than a bound (CS294A, section 4).

By the inequality of Cauchy and Schwarz w . x <= |w| |x|, with equality where x points along w:
x(j) = bound w(i, j) / sqrt(sum over j of w(i, j)^2) for unit i. Drawn as a picture, it is what the unit looks for.
"""

from __future__ import annotations

import numpy as np

from neocog.core.errors import NetworkError
from neocog.core.reference.arrays import Array


def maximal_input(weights: Array, bound: float = 1.0) -> Array:
    """Returns the input (I,) with norm ``bound`` that maximises w . x for a unit's weights (I,).

    Any increasing activation is maximal there, too. Raises NetworkError when all weights are zero, since then no input
    is better than another.
    """
    norm = np.linalg.norm(weights)
    if norm == 0:
        raise NetworkError(
            "a unit whose weights are all zero prefers no input; give one with a weight that is not zero."
        )
    return np.asarray(bound * weights / norm)
