"""Saliency: the gradient of a score."""

from __future__ import annotations

import pytest
import torch
from captum.attr import Saliency
from torch import nn
from twins import Plain, pictures, settled

from neocog.core.errors import UsageError
from neocog.explain import gradient, saliency

WEIGHT = torch.tensor([[[1.0], [-2.0]], [[-3.0], [0.5]]]).reshape(2, 2, 1, 1)  # (maps, channels, 1, 1)


def hand_made() -> nn.Module:
    """A 1x1 convolution and the sum over places: the slope of score k is weight k everywhere."""
    network = nn.Sequential(nn.Conv2d(2, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with torch.no_grad():
        network[0].weight.copy_(WEIGHT)
    return network


def test_known_maps() -> None:
    inputs = torch.rand(1, 2, 2, 3)  # the mean over 6 places
    assert torch.allclose(saliency(hand_made(), inputs, target=0), torch.full((1, 2, 3), 2 / 6))
    assert torch.allclose(saliency(hand_made(), inputs, target=1, over="mean"), torch.full((1, 2, 3), 1.75 / 6))
    signed = saliency(hand_made(), inputs, target=1, over="all")
    assert torch.allclose(signed, torch.tensor([-3.0, 0.5]).reshape(1, 2, 1, 1).expand(1, 2, 2, 3) / 6)


def test_an_unknown_way_over_channels() -> None:
    with pytest.raises(UsageError, match="max, mean or all; got 'sum'"):
        saliency(hand_made(), torch.rand(1, 2, 2, 2), over="sum")  # type: ignore[arg-type]


def test_equal_to_captum() -> None:
    network, inputs = settled(Plain()).eval(), pictures(2, 3, 9, 11)
    expected = Saliency(network).attribute(inputs.clone().requires_grad_(), target=torch.tensor([1, 3]), abs=False)
    assert torch.allclose(gradient(network, inputs, target=[1, 3]), expected, atol=1e-6)


def test_the_derivative_is_that_of_finite_differences() -> None:
    network, inputs = settled(Plain()).double().eval(), pictures(1, 3, 7, 7, dtype=torch.float64)
    slope = gradient(network, inputs, target=2)
    step = torch.zeros_like(inputs)
    step[0, 1, 3, 2] = 1e-6
    with torch.no_grad():
        change = network(inputs + step)[0, 2] - network(inputs - step)[0, 2]
    assert float(slope[0, 1, 3, 2]) == pytest.approx(float(change / 2e-6), abs=1e-6)
