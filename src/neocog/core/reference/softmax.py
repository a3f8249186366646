"""Softmax and cross-entropy: what turns a network's last sums into probabilities, and into a loss.

    softmax         p(k) = exp z(k) / sum over j of exp z(j)
    cross-entropy   L = - log p(label)
    its gradient    dL/dz(k) = p(k) - [k = label]

The logits z are (..., K), the last axis the classes.
"""

from __future__ import annotations

import numpy as np

from neocog.core.reference.arrays import Array, Integers


def log_softmax(logits: Array) -> Array:
    """Returns log p of logits (..., K); the largest logit is subtracted first, so that no exponential overflows."""
    shifted = logits - logits.max(-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(-1, keepdims=True)))


def softmax(logits: Array) -> Array:
    """Returns probabilities (..., K), which sum to one, of logits (..., K)."""
    return np.exp(log_softmax(logits))


def softmax_gradient(upstream: Array, logits: Array) -> Array:
    """Returns dL/dz (..., K) for dL/dp (..., K): p (dL/dp - sum of p dL/dp).

    That is the chain rule with dp(j)/dz(k) = p(j) ([j = k] - p(k)).
    """
    p = softmax(logits)
    return np.asarray(p * (upstream - (p * upstream).sum(-1, keepdims=True)))


def cross_entropy(logits: Array, labels: Integers) -> float:
    """Returns the mean of - log p(label) over logits (N, K) with labels (N,) in 0 to K - 1."""
    return float(-log_softmax(logits)[np.arange(len(labels)), labels].mean())


def cross_entropy_gradient(logits: Array, labels: Integers) -> Array:
    """Returns dL/dz (N, K): the probabilities, less one at the label, over N."""
    gradient = softmax(logits)
    gradient[np.arange(len(labels)), labels] -= 1
    return gradient / len(labels)
