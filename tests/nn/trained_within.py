"""A training step of a copy of a network, within what is done to networks meanwhile: what it gives and learns."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

Within = Callable[[nn.Module], AbstractContextManager[None]]


def trained(
    network: nn.Module, inputs: Tensor, within: Within = lambda _: nullcontext()
) -> tuple[Tensor, dict[str, Tensor | None]]:
    """Returns the outputs of a step and the gradient of each weight."""
    own = copy.deepcopy(network).train()
    torch.manual_seed(1)  # dropout
    with within(own):
        outputs = own(inputs)
        outputs.square().sum().backward()
    return outputs.detach(), {name: weight.grad for name, weight in own.named_parameters()}
