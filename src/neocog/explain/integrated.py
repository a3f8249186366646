"""Integrated gradients: what each input adds on the way from a baseline.

Sundararajan, Taly and Yan 2017, arXiv:1703.01365.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neocog.core.errors import UsageError
from neocog.explain.entry import Entry, entry
from neocog.explain.rest import at_rest
from neocog.explain.target import Target

# A tensor of one sample's shape or of the inputs', or one number for all.
Baseline = Tensor | float | None


def integrated_gradients(
    module: nn.Module, inputs: Tensor, *, target: Target = None, baseline: Baseline = None, steps: int = 64
) -> Tensor:
    """Returns (B, C, ...): the gradient's mean along the line from the baseline, times the way gone (equation 1).

    They sum to the score at the inputs minus the score at the baseline (proposition 1), as nearly as ``steps`` nodes of
    Gauss and Legendre's rule tell the integral. ``baseline`` is zeros unless told: a number, or a tensor that has or
    broadcasts to the inputs' shape; for words (B, L) zeros are an embedding of zeros, and a tensor holds other words.
    The class is the one predicted at the inputs unless told. A few steps run at a time, so memory is bounded.

    Raises UsageError for no steps, a baseline of another shape and an unknown target.
    """
    if steps < 1:
        raise UsageError(f"integrated gradients take at least 1 step, got {steps}.")
    with at_rest(module):
        where = entry(module, inputs)
        target = where.settled(target)
        start = _start(module, inputs, where, baseline)
        way = where.values - start
        mean = torch.zeros_like(way)
        nodes, weights = gauss_legendre(steps)
        points = (start + node * way for node in nodes)
        for weight, slope in zip(weights, where.slopes(points, target), strict=True):
            mean += weight * slope
        return mean * way


def gauss_legendre(count: int) -> tuple[list[float], list[float]]:
    """Returns the nodes and weights on [0, 1] that integrate polynomials of degree ``2 count - 1`` exactly.

    The nodes are the eigenvalues of the matrix of the Legendre polynomials' recurrence (Golub and Welsch 1969).
    """
    index = torch.arange(1, count, dtype=torch.float64)
    beside = index / (4 * index**2 - 1).sqrt()
    nodes, vectors = torch.linalg.eigh(torch.diag(beside, 1) + torch.diag(beside, -1))
    return ((nodes + 1) / 2).tolist(), (vectors[0] ** 2).tolist()


def _start(module: nn.Module, inputs: Tensor, where: Entry, baseline: Baseline) -> Tensor:
    if baseline is None:
        return torch.zeros_like(where.values)
    told = torch.as_tensor(baseline, device=inputs.device).detach()
    try:
        if told.dim() and not inputs.is_floating_point():
            return entry(module, told.to(inputs.dtype).expand_as(inputs)).values
        return told.to(where.values.dtype).expand_as(where.values)
    except RuntimeError as error:
        raise UsageError(
            f"a baseline has, or broadcasts to, the inputs' shape {tuple(inputs.shape)}; got {tuple(told.shape)}."
        ) from error
