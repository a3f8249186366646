"""Guided backpropagation, and its product with Grad-CAM."""

from __future__ import annotations

import pytest
import torch
from captum.attr import GuidedBackprop
from torch import nn
from twins import Plain, pictures, settled

from neocog.explain import grad_cam, gradient, guided_backpropagation, guided_grad_cam


@pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU")
def test_equal_to_captum() -> None:
    network, inputs = settled(Plain()).eval(), pictures(2, 3, 9, 11)
    expected = GuidedBackprop(network).attribute(inputs.clone().requires_grad_(), target=1)
    assert torch.allclose(guided_backpropagation(network, inputs, target=1), expected, atol=1e-6)


def test_one_dimension() -> None:
    network = settled(nn.Sequential(nn.Conv1d(2, 4, 5), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten()))
    inputs = pictures(2, 2, 17)
    with torch.no_grad():
        fired = torch.relu(network[0](inputs))[:, 3] > 0  # (B, 13)
    expected = nn.functional.conv_transpose1d(fired[:, None] / 13, network[0].weight.detach()[3:])
    assert torch.allclose(guided_backpropagation(network, inputs, target=3), expected, atol=1e-6)


def test_a_linear_network_has_nothing_to_guide() -> None:
    network, inputs = settled(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten())), pictures(1, 3, 4, 4)
    assert torch.equal(guided_backpropagation(network, inputs), gradient(network, inputs))


def test_guided_grad_cam_is_the_product() -> None:
    network, inputs = settled(Plain()), pictures(2, 3, 9, 11)
    heat = grad_cam(network, inputs, target=2, layer="conv2")
    expected = guided_backpropagation(network, inputs, target=2) * heat[:, None]
    assert torch.equal(guided_grad_cam(network, inputs, target=2, layer="conv2"), expected)
    assert expected.any()
