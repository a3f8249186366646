"""DeepFace, the sparse autoencoders and network C of CS109B: the arithmetic of their tables."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from neocog.architectures import create, networks, record
from neocog.core.layers import layer_table
from neocog.core.randomness import generator, seed_everything


def test_deepface_layer_by_layer():
    with torch.device("meta"):
        rows = {row.name: row for row in layer_table(create("deepface"), (3, 152, 152))}
    sides = [rows[name].output_shape[1] for name in ("c1", "m2", "c3", "l4", "l5", "l6")]
    assert sides == [142, 71, 63, 55, 25, 21]
    local = [side**2 * (16 * 16 * kernel**2 + 16) for side, kernel in ((55, 9), (25, 7), (21, 5))]
    assert [rows[name].params for name in ("l4", "l5", "l6")] == local
    shared = sum(rows[name].params for name in ("c1", "c3"))
    assert shared / record("deepface").params < 0.05  # the paper: more than 95 % are local or fully connected


def test_network_c_of_the_lecture():
    rows = {row.name: row.params for row in layer_table(create("cs109b_c"), (3, 32, 32)) if row.params}
    assert rows == {"conv1": 224, "conv2": 3_216, "dense": 2_097_664, "head": 2_052}


def test_autoencoders_give_a_half_for_no_weights_and_learn_to_copy():
    assert set(networks("reconstruction")) >= {"autoencoder_64_25", "autoencoder_100_50", "autoencoder_100_100"}
    seed_everything(0)
    network = create("autoencoder_64_25", channels=4, classes=4)
    inputs = torch.rand(16, 4, generator=generator(0))
    with torch.no_grad():
        for parameter in network.head.parameters():
            parameter.zero_()
    assert (network(inputs) == 0.5).all()
    nn.init.normal_(network.head.weight, std=0.1)
    optimiser = torch.optim.Adam(network.parameters(), 0.1)
    for _ in range(100):
        loss = nn.functional.mse_loss(network(inputs), inputs)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.01


@pytest.mark.parametrize("name", ["autoencoder_64_25", "autoencoder_100_50", "autoencoder_100_100"])
def test_autoencoders_take_flat_inputs(name):
    entry = record(name)
    rows = layer_table(create(name), entry.input)
    assert rows[-1].output_shape == entry.input == (entry.classes,)
    assert entry.params == sum(row.macs for row in rows) + create(name).hidden.out_features + entry.classes
