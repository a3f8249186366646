"""Highway networks: the gate by hand, counts by hand, hundreds of layers that train."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from neocog.architectures import create
from neocog.architectures.highway import Highway
from neocog.core.errors import NetworkError
from neocog.core.layers import count_macs, count_parameters, layer_table
from neocog.core.randomness import generator, seed_everything


def test_a_gate_mixes_the_transformed_and_the_original():
    layer = Highway(lambda: nn.Linear(1, 1), gate_bias=0.0)
    with torch.no_grad():
        layer.transform.weight.fill_(2.0)
        layer.gate.weight.zero_()
    # The gate is half open: 3 becomes (6 + 3) / 2, and -3 becomes (0 - 3) / 2, since ReLU cuts -6 off.
    assert layer(torch.tensor([[3.0], [-3.0]])).flatten().tolist() == [4.5, -1.5]


def test_a_shut_gate_passes_its_input_and_an_open_one_does_not():
    inputs = torch.randn(2, 4, 5, 5, generator=generator(0))
    for bias in (-200.0, 200.0):
        layer = Highway(lambda: nn.Conv2d(4, 4, 3, padding=1), gate_bias=bias)
        expected = inputs if bias < 0 else functional.relu(layer.transform(inputs))
        assert torch.allclose(layer(inputs), expected, atol=1e-6)


@pytest.mark.parametrize(("name", "gates", "bias"), [("highway_mnist", 8, -1), ("highway_cifar10", 14, -2)])
def test_gates_start_nearly_shut(name, gates, bias):
    layers = [layer for layer in create(name).modules() if isinstance(layer, Highway)]
    assert len(layers) == gates
    for layer in layers:
        assert (layer.gate.bias == bias).all()
        assert (layer.transform.bias == 0).all()


def test_sizes_of_the_authors_models():
    rows = {row.name: row.output_shape for row in layer_table(create("highway_mnist"), (1, 28, 28))}
    assert [rows[name] for name in ("conv1", "pool1", "pool2", "pool3")] == [
        (32, 24, 24), (32, 12, 12), (32, 6, 6), (32, 3, 3),
    ]  # fmt: skip


@pytest.mark.parametrize("depth", [1, 10, 100])
def test_fully_connected_counts_by_hand(depth):
    with torch.device("meta"):
        network = create("highway_fc", depth=depth)
    assert count_parameters(network) == (784 * 50 + 50) + (depth - 1) * 2 * (50 * 50 + 50) + (50 * 10 + 10)


def test_fully_connected_multiply_accumulates_by_hand():
    assert count_macs(create("highway_fc", depth=7), (1, 28, 28)) == 784 * 50 + 6 * 2 * 50 * 50 + 50 * 10


def test_impossible_depths_are_refused():
    with pytest.raises(NetworkError, match="depth and width should be 1 or more, got 0 and 50"):
        create("highway_fc", depth=0)


def test_gates_follow_from_the_depth():
    network = create("highway_fc", depth=100, width=4)
    assert network.layer2.gate.bias.tolist() == pytest.approx([-math.log(100)] * 4)


def test_two_hundred_layers_learn():
    seed_everything(0)
    network = create("highway_fc", depth=200, width=8, size=3, classes=2)
    inputs = torch.randn(32, 1, 3, 3, generator=generator(1))
    targets = (inputs[:, 0, 1, 1] * inputs[:, 0, 0, 0] > 0).long()  # no linear function tells these apart
    optimiser = torch.optim.Adam(network.parameters(), 0.02)
    losses = []
    for _ in range(12):
        loss = functional.cross_entropy(network(inputs), targets)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert network.layer1.weight.grad.abs().max() > 1e-5
    assert losses[-1] < 0.6 * losses[0], losses
