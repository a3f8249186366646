"""Gradient times input."""

from __future__ import annotations

import torch
from captum.attr import InputXGradient
from torch import nn
from twins import Plain, pictures, settled

from neocog.explain import gradient_times_input


def test_known_shares() -> None:
    network = nn.Linear(3, 1)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[1.0, -2.0, 3.0]]))
    shares = gradient_times_input(network, torch.tensor([[2.0, 2.0, -1.0]]))
    assert shares.tolist() == [[2.0, -4.0, -3.0]]


def test_without_biases_it_sums_to_the_score() -> None:
    network = nn.Sequential(
        nn.Conv1d(2, 4, 3, bias=False), nn.ReLU(), nn.MaxPool1d(2), nn.Flatten(), nn.Linear(12, 3, bias=False)
    )
    inputs = pictures(2, 2, 9)
    shares = gradient_times_input(settled(network), inputs, target=1)
    assert torch.allclose(shares.sum((1, 2)), network(inputs)[:, 1], atol=1e-6)


def test_equal_to_captum() -> None:
    network, inputs = settled(Plain()).eval(), pictures(2, 3, 9, 11)
    expected = InputXGradient(network).attribute(inputs.clone().requires_grad_(), target=4).detach()
    assert torch.allclose(gradient_times_input(network, inputs, target=4), expected, atol=1e-6)
