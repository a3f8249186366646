"""One network written in several ways, with the same weights and so the same explanations."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Plain(nn.Module):
    """Two convolutions, one with a batch norm, a skip connection and a dense head; every activation its own module."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 6, 3, padding=1)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(6, 6, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(6)
        self.relu2 = nn.ReLU()
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.dropout = nn.Dropout(0.5)
        self.conv3 = nn.Conv2d(6, 8, 3)
        self.relu3 = nn.ReLU()
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu1(self.conv1(x))
        x = self.relu2(self.norm2(self.conv2(x)) + x)
        x = self.relu3(self.conv3(self.dropout(self.pool(x))))
        return self.head(x.mean((2, 3)))


class Functional(Plain):
    """The same in functions."""

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.conv1(x))
        x = F.relu(torch.add(self.norm2(self.conv2(x)), x))
        x = F.dropout(F.max_pool2d(x, 3, 2, ceil_mode=True), training=self.training)
        x = self.conv3(x).clamp(min=0)
        return self.head(F.adaptive_avg_pool2d(x, 1).flatten(1))


class InPlace(Plain):
    """The same with activations and sums that write over their inputs."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__(channels)
        self.relu1 = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout(0.5, inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu1(self.conv1(x))
        y = self.norm2(self.conv2(x))
        y += x
        x = self.conv3(self.dropout(self.pool(F.relu_(y))))
        x.relu_()
        return self.head(x.mean((2, 3)))


class Reused(Plain):
    """The same with one activation for all places."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu1(self.conv1(x))
        x = self.relu1(self.norm2(self.conv2(x)) + x)
        x = self.relu1(self.conv3(self.dropout(self.pool(x))))
        return self.head(x.mean((2, 3)))


WAYS = (Functional, InPlace, Reused)


def twins() -> Iterator[tuple[Plain, Plain]]:
    """Yields the plainly written network beside each other way, both with the same weights."""
    for way in WAYS:
        plain, other = settled(Plain()), settled(way())
        other.load_state_dict(plain.state_dict())
        yield plain, other


def settled(network: nn.Module, seed: int = 0) -> nn.Module:
    """Returns the network with weights, and batch norms with statistics, drawn from a generator of their own."""
    draws = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for each in network.parameters():
            fan_in = max(each[0].numel(), 1) if each.dim() > 1 else 4
            each.copy_(torch.randn(each.shape, generator=draws) / fan_in**0.5)
        for each in network.buffers():
            if each.is_floating_point():
                each.copy_(torch.rand(each.shape, generator=draws) + 0.5)
    return network


def pictures(*shape: int, seed: int = 1, dtype: torch.dtype = torch.float32) -> Tensor:
    """Returns normal numbers of a shape."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)
