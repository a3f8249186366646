"""What is done to a network for as long as it trains: the same training steps in less time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from neocog.nn.overwrite import overwriting
from neocog.nn.weight_gradient import by_products


@contextmanager
def faster_steps(network: nn.Module) -> Iterator[None]:
    """Has the network rectify in place and take gradients of weights by products while it lasts, where it can."""
    with overwriting(network), by_products(network):
        yield
