"""Layers computed again in the backward pass, so that what lies inside them need not be kept until then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def recomputed(function: Callable[..., Tensor], layers: nn.Module, *inputs: Tensor) -> Tensor:
    """Returns ``function(*inputs)``, of which the inputs alone are kept for the backward pass.

    There it is computed again, up to what its last layer needs: a convolution at the end is not. ``layers`` holds the
    modules that the function calls: their dropout draws the same numbers again, and their batch norms move their
    running statistics the first time only.
    """
    drops = any(isinstance(module, nn.Dropout) for module in layers.modules())
    result: Tensor = checkpoint(
        function,
        *inputs,
        use_reentrant=False,
        preserve_rng_state=drops,
        context_fn=lambda: (nullcontext(), _statistics_at_rest(layers)),
    )
    return result


def worthwhile(layers: nn.Module) -> bool:
    """Returns whether a backward pass of training may follow: elsewhere nothing is kept, or hooks would run twice."""
    return layers.training and torch.is_grad_enabled()


class Recomputed(nn.Sequential):
    """Layers one after another that training computes again in the backward pass."""

    def forward(self, input: Tensor) -> Tensor:
        """Returns what `nn.Sequential` does."""
        run: Callable[..., Tensor] = super().forward
        return recomputed(run, self, input) if worthwhile(self) else run(input)


@contextmanager
def _statistics_at_rest(layers: nn.Module) -> Iterator[None]:
    """Gives the batch norms in training copies of their running statistics to move, and takes them away again."""
    norms = [module for module in layers.modules() if isinstance(module, _BatchNorm) and module.training]
    kept = [(norm, name, tensor) for norm in norms for name, tensor in norm.named_buffers(recurse=False)]
    try:
        for norm, name, tensor in kept:
            setattr(norm, name, tensor.clone())
        yield
    finally:
        for norm, name, tensor in kept:
            setattr(norm, name, tensor)
