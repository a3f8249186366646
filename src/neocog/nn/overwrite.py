"""Rectifiers that write over what they rectify, while a network trains: fewer passes over memory, the same numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from neocog.nn.conv import SameConv2d
from neocog.nn.told_norm import ToldBatchNorm2d

# The names of rectifiers whose input is made for them alone; a block of one's own lists them as ``overwrites``.
Overwrites = tuple[str, ...]

# Layers that make a new tensor, which their backward pass does not need: exactly these, for a subclass may keep it.
FRESH = (nn.Conv1d, nn.Conv2d, SameConv2d, nn.BatchNorm1d, nn.BatchNorm2d, ToldBatchNorm2d)
RECTIFIERS = (nn.ReLU, nn.ReLU6)  # whose backward pass needs their output alone


@contextmanager
def overwriting(network: nn.Module) -> Iterator[None]:
    """Has the network's rectifiers work in place while it lasts, where nothing else can see what they write over.

    That is behind a convolution or a batch norm in an `nn.Sequential` that runs as a whole, unless one of the two has
    a hook, and where a block lists them as its ``overwrites``. Values and gradients are the same to the last bit.
    """
    found = [rectifier for module in network.modules() for rectifier in _listed(module)]
    chains = {module: within for module in network.modules() if (within := _within(module))}
    try:
        for rectifier in found:
            rectifier.inplace = True
        for module, within in chains.items():
            module.forward = _Chain(module, within)  # type: ignore[arg-type]
        yield
    finally:
        for rectifier in found:
            rectifier.inplace = False
        for module in chains:
            del module.forward


def _listed(module: nn.Module) -> list[Any]:
    """Returns the rectifiers that a block lists, but for those in place already and what was put in their place."""
    names: Overwrites = getattr(module, "overwrites", ())
    listed: list[Any] = [module.get_submodule(name) for name in names]
    return [each for each in listed if type(each) in RECTIFIERS and not (each.inplace or _hooked(each))]


def _within(chain: nn.Module) -> set[int]:
    """Returns the places of the rectifiers in an `nn.Sequential` that may write over their input."""
    if type(chain) is not nn.Sequential or "forward" in vars(chain):
        return set()
    pairs = enumerate(pairwise(chain), 1)
    return {
        place
        for place, (before, rectifier) in pairs
        if type(before) in FRESH and type(rectifier) in RECTIFIERS and not (_hooked(before) or _hooked(rectifier))
    }


def _hooked(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks or module._backward_hooks)


class _Chain:
    """The forward pass of an `nn.Sequential`: a layer works in place for this call alone, wherever else it is used."""

    def __init__(self, chain: nn.Sequential, within: set[int]) -> None:
        self._layers = [(layer, place in within) for place, layer in enumerate(chain)]

    def __call__(self, input: Tensor) -> Tensor:
        for layer, overwrites in self._layers:
            if not overwrites or layer.inplace:
                input = layer(input)
                continue
            layer.inplace = True  # type: ignore[assignment]
            try:
                input = layer(input)
            finally:
                layer.inplace = False  # type: ignore[assignment]
        return input
