"""Top-k error: how often the true class is not among a classifier's k best guesses."""

from __future__ import annotations

import numpy as np

from neocog.core.reference.arrays import Array, Integers


def top_k_error(scores: Array, labels: Integers, k: int = 1) -> float:
    """Returns the fraction, 0 to 1, of samples whose label (N,) is not among the k highest scores (N, K).

    Of equal scores the class that comes first in the list ranks first.
    """
    guesses = np.argsort(-scores, axis=1, kind="stable")[:, :k]  # (N, k)
    return float(1 - (guesses == labels[:, None]).any(1).mean())
