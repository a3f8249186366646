"""A running average of the weights, often a better network than the last weights (Polyak and Juditsky 1992)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Ema:
    """Exponential moving average of a network's parameters and floating-point buffers.

    ``decay`` is the share of the old average that stays at each step; in the first steps less,
    ``(1 + t) / (10 + t)``, so that the average forgets the initialisation.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self._live = {
            name: tensor for name, tensor in network.state_dict(keep_vars=True).items() if tensor.is_floating_point()
        }
        self._average = {name: tensor.detach().clone() for name, tensor in self._live.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Moves the average towards the weights after training step ``step``, counted from 0."""
        decay = min(self.decay, (1 + step) / (10 + step))
        live = [tensor.detach() for tensor in self._live.values()]
        torch._foreach_lerp_(list(self._average.values()), live, 1 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Puts the average in the network's place inside the ``with``, and the weights back after it, exactly."""
        kept = {name: tensor.detach().clone() for name, tensor in self._live.items()}
        _copy(self._average, self._live)
        try:
            yield
        finally:
            _copy(kept, self._live)

    def tensors(self) -> Mapping[str, Tensor]:
        """Returns the average by name in the network's state dict."""
        return self._average

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Puts back what `tensors` returned."""
        _copy(tensors, self._average)


@torch.no_grad()
def _copy(source: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> None:
    for name, tensor in target.items():
        tensor.copy_(source[name])
