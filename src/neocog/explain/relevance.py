"""Layer-wise relevance propagation: the score handed back layer by layer, to the inputs that it was made of.

Bach et al. 2015, doi:10.1371/journal.pone.0130140; Montavon et al. 2019, doi:10.1007/978-3-030-28954-6_10.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neocog.core.errors import UsageError, near_names
from neocog.explain.entry import derivatives, entry
from neocog.explain.linear_rules import Kind, Rule
from neocog.explain.propagation import Bounds, Layer, Propagation
from neocog.explain.rest import at_rest
from neocog.explain.target import Target, scores

# By name, the rules for convolutions and for dense layers.
RULES: dict[str, tuple[Kind, Kind]] = {
    "composite": ("z+", "epsilon"),
    "composite-gamma": ("gamma", "epsilon"),
    "epsilon": ("epsilon", "epsilon"),
    "gamma": ("gamma", "gamma"),
    "z+": ("z+", "z+"),
}
LAYERS: tuple[Layer, Layer] = ("convolution", "dense")
Bound = Tensor | float


def relevance(
    module: nn.Module,
    inputs: Tensor,
    *,
    target: Target = None,
    rule: str = "composite",
    bounds: tuple[Bound, Bound] | None = None,
    epsilon: float = 1e-6,
    gamma: float = 0.25,
) -> Tensor:
    """Returns each input's share (B, C, ...) of the score, positive where it speaks for the class.

    ``rule`` is ``epsilon`` (shares in proportion), ``gamma`` (what speaks for an output counts ``1 + gamma`` times),
    ``z+`` (it alone counts), or ``composite``: z+ (``composite-gamma``: gamma) for convolutions and epsilon for dense
    layers. ``bounds``, the least and the greatest input (numbers, or tensors that broadcast to the inputs), let the
    first layer share by z-B, which gives black pixels their part. Shares sum to the score as far as no bias and no
    ``epsilon`` takes one; z+ lets neither.

    Raises UsageError for an unknown rule or setting, NetworkError for a network with an operation that no rule is
    known for, such as a product of two activations.
    """
    rules = _rules(rule, epsilon, gamma)
    with at_rest(module):
        where = entry(module, inputs)
        values = where.values.clone().requires_grad_()
        ends = None if bounds is None else _bounds(inputs, bounds)
        propagation = Propagation(values, rules, ends)
        with propagation:
            score = scores(where.run(values), target)
        if ends is not None and not propagation.bounded:
            raise UsageError(
                "bounds are of what the first layer reads, and this network changes it before; leave them."
            )
        leaves = [values, *(ends or ())]
        slopes = derivatives(score, leaves)
        return torch.stack([leaf.detach() * slope for leaf, slope in zip(leaves, slopes, strict=True)]).sum(0)


def _rules(rule: str, epsilon: float, gamma: float) -> dict[Layer, Rule]:
    if rule not in RULES:
        raise UsageError(f"unknown rule {rule!r}, known: {', '.join(RULES)}.{near_names(rule, RULES)}")
    if not (0 <= epsilon < float("inf") and 0 <= gamma < float("inf")):
        raise UsageError(f"epsilon and gamma are at least 0; got epsilon={epsilon}, gamma={gamma}.")
    return {layer: Rule(kind, epsilon, gamma) for layer, kind in zip(LAYERS, RULES[rule], strict=True)}


def _bounds(inputs: Tensor, bounds: tuple[Bound, Bound]) -> Bounds:
    if not inputs.is_floating_point():
        raise UsageError("bounds are for pictures and sound; an embedding has none.")
    try:
        low, high = (
            torch.as_tensor(each, dtype=inputs.dtype, device=inputs.device).detach().expand_as(inputs).clone()
            for each in bounds
        )
    except (RuntimeError, TypeError, ValueError) as error:
        raise UsageError(f"bounds are two numbers, or tensors that broadcast to {tuple(inputs.shape)}.") from error
    if bool((inputs < low).any() or (inputs > high).any()):
        raise UsageError(
            f"the inputs, from {float(inputs.min()):.4g} to {float(inputs.max()):.4g}, do not lie within the bounds."
        )
    return Bounds(low.requires_grad_(), high.requires_grad_())
