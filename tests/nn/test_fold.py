"""Folded batch norms: the same function, and the original untouched."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from neocog.nn.conv import SameConv2d
from neocog.nn.fold import folded


def lively(network: nn.Module) -> nn.Module:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()  # type: ignore[union-attr]
            module.running_var.uniform_(0.5, 2)  # type: ignore[union-attr]
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    return network


@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv2d(4, 6, 3, padding=1, bias=False),
        nn.Conv2d(4, 6, 3, stride=2, bias=True),
        nn.Conv2d(4, 6, 1, groups=2),
        SameConv2d(4, 6, 3, 2, 1),
        SameConv2d(4, 6, 5, 2, 2),
    ],
)
def test_a_folded_pair_is_one_convolution_with_the_same_values(convolution: nn.Conv2d) -> None:
    torch.manual_seed(0)
    network = lively(nn.Sequential(convolution, nn.BatchNorm2d(6, eps=1e-3), nn.ReLU6())).eval()
    single = folded(network)
    inputs = torch.randn(3, 4, 9, 9)
    torch.testing.assert_close(single(inputs), network(inputs), atol=1e-5, rtol=1e-5)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in single.modules())


def test_the_original_stays_as_it_is() -> None:
    torch.manual_seed(0)
    network = lively(nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    folded(network)
    assert network.training
    assert network.state_dict().keys() == before.keys()
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_what_does_not_follow_a_convolution_directly_stays() -> None:
    class Parallel(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

    for network in (
        nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU(), nn.BatchNorm2d(3)),
        nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 3, 1)),
        nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3, track_running_stats=False)),
        Parallel(),
    ):
        assert any(isinstance(module, nn.BatchNorm2d) for module in folded(network).modules())


def test_a_convolution_of_another_make_is_not_touched() -> None:
    class Without(nn.Conv2d):
        def forward(self, input: torch.Tensor) -> torch.Tensor:
            return nn.functional.conv2d(input, self.weight)

    torch.manual_seed(0)
    network = lively(nn.Sequential(Without(3, 3, 1, bias=False), nn.BatchNorm2d(3))).eval()
    inputs = torch.randn(2, 3, 4, 4)
    assert torch.equal(folded(network)(inputs), network(inputs))


def test_a_convolution_used_twice_is_folded_for_each_use() -> None:
    torch.manual_seed(0)
    shared = nn.Conv2d(3, 3, 1)
    network = lively(nn.Sequential(shared, nn.BatchNorm2d(3), shared, nn.BatchNorm2d(3))).eval()
    inputs = torch.randn(2, 3, 4, 4)
    torch.testing.assert_close(folded(network)(inputs), network(inputs), atol=1e-5, rtol=1e-5)
