"""Bounds that weights are put back into after each step."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn


def make_constraint(network: nn.Module, max_norm: float) -> Callable[[], None] | None:
    """Returns a function that shortens each row of the ``head``'s weight to ``max_norm``, None where that is 0.

    A row is the weight vector of one class (Hinton et al. 2012, section 2; Kim 2014, section 2.1).
    """
    heads = [
        module.weight
        for name, module in network.named_modules()
        if name.rpartition(".")[2] == "head" and isinstance(module, nn.Linear) and module.weight.requires_grad
    ]
    if not max_norm or not heads:
        return None

    @torch.no_grad()
    def constrain() -> None:
        for weight in heads:
            weight.copy_(weight.renorm(2, 0, max_norm))

    return constrain
