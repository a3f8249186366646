"""Gradient times input: the score's first-order share of each input (Shrikumar et al. 2016, arXiv:1605.01713)."""

from __future__ import annotations

from torch import Tensor, nn

from neocog.explain.entry import entry
from neocog.explain.rest import at_rest
from neocog.explain.target import Target


def gradient_times_input(module: nn.Module, inputs: Tensor, *, target: Target = None) -> Tensor:
    """Returns (B, C, ...): each input times the score's derivative there.

    Over a network without biases whose activations are rectifiers it sums to the score. ``inputs`` (B, C, ...), or
    words (B, L), of which the input is the embedding; ``target`` is the class, the predicted one unless told.

    Raises UsageError for an unknown target, NetworkError where no gradient leads to the input.
    """
    with at_rest(module):
        where = entry(module, inputs)
        return where.slope(where.values, target) * where.values
