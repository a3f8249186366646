"""Saliency: how much the score of a class changes with each input (Simonyan et al. 2013, arXiv:1312.6034)."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from neocog.core.errors import UsageError
from neocog.explain.entry import entry
from neocog.explain.rest import at_rest
from neocog.explain.target import Target

Over = Literal["max", "mean", "all"]


def saliency(module: nn.Module, inputs: Tensor, *, target: Target = None, over: Over = "max") -> Tensor:
    """Returns the magnitude of the score's gradient at each input.

    ``inputs`` (B, C, ...), or words (B, L), whose gradient is taken behind their embedding. ``over`` the channels: the
    greatest magnitude as in section 3 of the paper, or their mean, gives (B, ...); ``"all"`` gives the signed gradient
    (B, C, ...) itself. ``target`` is the class, the predicted one unless told.

    Raises UsageError for an unknown ``over`` or target.
    """
    if over not in ("max", "mean", "all"):
        raise UsageError(f"over is max, mean or all; got {over!r}.")
    slope = gradient(module, inputs, target=target)
    if over == "all":
        return slope
    return slope.abs().amax(1) if over == "max" else slope.abs().mean(1)


def gradient(module: nn.Module, inputs: Tensor, *, target: Target = None) -> Tensor:
    """Returns the gradient (B, C, ...) of each sample's score at its input."""
    with at_rest(module):
        where = entry(module, inputs)
        return where.slope(where.values, target)
