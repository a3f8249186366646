"""Feature inversion: what of an input a layer still knows (Mahendran and Vedaldi 2014, arXiv:1412.0035).

Found is an input whose features at the layer are those of the given one; two regularisers keep it natural.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from neocog.core.errors import NetworkError, UsageError
from neocog.core.trace import caught
from neocog.explain.maximise import OnStep, example
from neocog.explain.parameterise import noise
from neocog.explain.rest import at_rest


class Inversion(NamedTuple):
    """The inputs found (B, C, ...), in the network's scale, and the relative error of their features (B,)."""

    inputs: Tensor
    error: Tensor


def invert_features(
    module: nn.Module,
    inputs: Tensor,
    *,
    layer: str,
    steps: int = 300,
    rate: float = 0.05,
    variation: float = 2.0,
    norm: float = 0.01,
    alpha: float = 6.0,
    beta: float = 2.0,
    seed: int = 0,
    on_step: OnStep | None = None,
) -> Inversion:
    """Returns inputs whose features at ``layer`` are nearly those of ``inputs`` (B, C, ...), found by Adam from noise.

    Minimised is ||f(x) - f(x0)||^2 / ||f(x0)||^2 (equation 2) + ``norm`` mean |x / r|^alpha + ``variation`` times the
    mean over the pixels of (squared differences to the neighbours / r^2)^(beta / 2), where r is the largest magnitude
    in x0: the paper's regularisers, in units that do not depend on the input's size and scale. ``error`` is
    ||f(x) - f(x0)|| / ||f(x0)|| in the end. ``on_step`` gets the step, the negative sum and the inputs.

    Raises NetworkError for a layer that is not there and for features that are all zero, UsageError for the rest.
    """
    if not inputs.is_floating_point() or inputs.dim() < 2 or not len(inputs):
        raise UsageError(f"inputs to invert are floats (B, C, ...), got {inputs.dtype} {tuple(inputs.shape)}.")
    if steps < 1 or not rate > 0 or variation < 0 or norm < 0:
        raise UsageError(
            f"steps are from 1, rate above 0, variation and norm from 0; got {steps}, {rate:g}, {variation:g} and "
            f"{norm:g}."
        )
    with at_rest(module):
        given = inputs.detach().to(example(module))
        with torch.no_grad():
            code = _features(module, given, layer)  # (B, ...)
        size = code.flatten(1).square().sum(1)
        if not bool((size > 0).all()):
            raise NetworkError(f"the features at {layer} are all zero, so they say nothing of the input; name another.")
        bound = given.flatten(1).abs().amax(1).clamp(min=1e-12).reshape(-1, *[1] * (given.dim() - 1))
        start = noise(given.shape[1:], len(given), seed, given) * 0.01  # in units of the bound
        found = start.requires_grad_()
        optimiser = torch.optim.Adam([found], lr=rate)
        for step in range(1, steps + 1):
            loss = _distance(_features(module, found * bound, layer), code) / size
            total = loss + norm * _norm(found, alpha) + variation * _variation(found, beta)
            (found.grad,) = torch.autograd.grad(total.sum(), found)
            now = (found * bound).detach()
            if on_step is not None and on_step(step, -total.detach(), now) is False:
                break
            optimiser.step()
        result = (found * bound).detach()
        with torch.no_grad():
            error = (_distance(_features(module, result, layer), code) / size).sqrt()
        return Inversion(result, error)


def _features(module: nn.Module, inputs: Tensor, layer: str) -> Tensor:
    with caught(module, [layer]) as seen:
        module(inputs.clone())
    return seen.activation(layer)


def _distance(features: Tensor, code: Tensor) -> Tensor:
    return (features - code).flatten(1).square().sum(1)


def _norm(inputs: Tensor, alpha: float) -> Tensor:
    return inputs.flatten(1).abs().pow(alpha).mean(1)


def _variation(inputs: Tensor, beta: float) -> Tensor:
    """Returns each sample's mean of (sum over the axes of squared differences)^(beta / 2); 0 beyond the edge."""
    squares = torch.zeros_like(inputs)
    for axis in range(2, inputs.dim()):
        ahead = inputs.diff(dim=axis).square()
        edge = torch.zeros_like(inputs.narrow(axis, 0, 1))
        squares = squares + torch.cat([ahead, edge], axis)
    # The root's slope at 0 is infinite, so a hair is added where a root is taken.
    return ((squares + 1e-12) ** (beta / 2) if beta < 2 else squares ** (beta / 2)).flatten(1).mean(1)
