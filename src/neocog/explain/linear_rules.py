"""How a linear layer shares its output's relevance out among its inputs (Bach et al. 2015; Montavon et al. 2019).

A layer's output is written as ``z' (z / z')``, where z' (B, outputs, ...) sums what the rule counts and the quotient is
a constant. Its value is still z; but the gradient of what lies above, which holds relevance by activation, becomes
relevance by input: R_i = x_i c_i with c_i = sum_j dz'_j/dx_i R_j / z'_j.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

# From inputs, weights and a bias to outputs.
Linear = Callable[[Tensor, Tensor, Tensor | None], Tensor]
Kind = Literal["epsilon", "gamma", "z+"]


@dataclass(frozen=True)
class Rule:
    """One rule with its setting: ``epsilon`` of the epsilon rule, ``gamma`` of the gamma rule."""

    kind: Kind
    epsilon: float = 1e-6
    gamma: float = 0.25


def shared(rule: Rule, layer: Linear, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Returns the layer's outputs, whose gradient shares relevance by the rule.

    epsilon: in proportion to x_i w_ij, with epsilon for the share of nobody (Montavon et al. 2019, section 10.2.2).
    gamma: contributions that go the output's own way count 1 + gamma times; for positive inputs and outputs it is the
    rule of the same section. z+: contributions above 0 alone, biases left out (alpha 1, beta 0 of Bach et al.);
    an output that nothing speaks for is shared in proportion, so that none is lost.
    """
    if rule.kind == "epsilon":
        outputs = layer(inputs, weight, bias)
        return same_value(outputs, outputs.detach(), stabilised(outputs.detach(), rule.epsilon))
    with torch.no_grad():
        value = layer(inputs, weight, bias)
    above = _signed(layer, inputs, weight, bias if rule.kind == "gamma" else None, sign=1)
    if rule.kind == "z+":
        above = torch.where(above.detach() == 0, layer(inputs, weight, None), above)
        return same_value(above, value, stabilised(above.detach(), rule.epsilon))
    below = _signed(layer, inputs, weight, bias, sign=-1)
    counted = layer(inputs, weight, bias) + rule.gamma * torch.where(value >= 0, above, below)
    return same_value(counted, value, stabilised(counted.detach(), rule.epsilon))


def bounded(layer: Linear, inputs: Tensor, low: Tensor, high: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Returns a first layer's outputs by the z-B rule, for inputs from ``low`` to ``high`` (Montavon et al. 2017).

    Relevance is the gradient times the input of all three together: x c_x + low c_low + high c_high (equation 13 of
    arXiv:1512.02479).
    """
    with torch.no_grad():
        value = layer(inputs, weight, bias)
    counted = (
        layer(inputs, weight, None) - layer(low, weight.clamp(min=0), None) - layer(high, weight.clamp(max=0), None)
    )
    return same_value(counted, value, stabilised(counted.detach(), 1e-9))


def same_value(counted: Tensor, value: Tensor, divisor: Tensor) -> Tensor:
    """Returns ``value``, with the gradient of ``counted value / divisor`` where only ``counted`` may change."""
    quotient = torch.where(counted.detach() == 0, 0, value / divisor)  # where nothing counts, nothing is shared out
    outputs = counted * quotient
    return outputs + (value - outputs.detach())


def stabilised(divisor: Tensor, epsilon: float) -> Tensor:
    """Returns the divisor moved away from 0 by ``epsilon``; a 0 counts as positive."""
    return torch.where(divisor >= 0, divisor + epsilon, divisor - epsilon)


def _signed(layer: Linear, inputs: Tensor, weight: Tensor, bias: Tensor | None, *, sign: int) -> Tensor:
    """Returns the sum of the contributions x_i w_ij of one sign."""
    above, below = inputs.clamp(min=0), inputs.clamp(max=0)
    with_above, with_below = (weight.clamp(min=0), weight.clamp(max=0))[::sign]
    own = None if bias is None else bias.clamp(min=0) if sign > 0 else bias.clamp(max=0)
    return layer(above, with_above, own) + layer(below, with_below, None)
