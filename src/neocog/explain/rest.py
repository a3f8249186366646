"""A network at rest while it is explained: evaluation mode, no gradients for its weights, and all of it given back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def at_rest(module: nn.Module) -> Iterator[None]:
    """Puts the module in evaluation mode with frozen weights; its flags come back, also after an error or Ctrl-C.

    Gradients are on inside, whatever the caller had, and go to inputs alone: the weights' ``.grad`` stay untouched.
    """
    modes = [(each, each.training) for each in module.modules()]
    frozen = [(each, each.requires_grad) for each in module.parameters()]
    try:
        module.eval()
        for each, _ in frozen:
            each.requires_grad_(False)
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        for each, training in modes:
            each.training = training
        for parameter, trained in frozen:
            parameter.requires_grad_(trained)
