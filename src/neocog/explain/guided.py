"""Guided backpropagation: the gradient without its negative parts (Springenberg et al. 2014, arXiv:1412.6806)."""

from __future__ import annotations

from torch import Tensor, nn

from neocog.explain.entry import entry
from neocog.explain.rest import at_rest
from neocog.explain.rules import backward
from neocog.explain.target import Target, scores


def guided_backpropagation(module: nn.Module, inputs: Tensor, *, target: Target = None) -> Tensor:
    """Returns (B, C, ...): each rectifier passes on what is positive both on the way up and on the way down.

    ``inputs`` (B, C, ...), or words (B, L); ``target`` is the class, the predicted one unless told.

    Raises NetworkError for a network without rectifiers, or whose rectifiers cannot be told (figure 1 of the paper).
    """
    with at_rest(module):
        where = entry(module, inputs)
        values = where.values.clone().requires_grad_()
        score = scores(where.run(values), target)
        return backward(score, values, lambda _, inner: inner.clamp(min=0), method="guided backpropagation")
