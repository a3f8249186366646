"""Network in Network and All-CNN: their layers, the maps that become classes, what they average over."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from neocog.architectures import create, record
from neocog.core.layers import layer_table
from neocog.core.randomness import seed_everything


def rows_of(name: str) -> dict[str, object]:
    with torch.device("meta"):
        network = create(name)
    return {row.name: row for row in layer_table(network, record(name).input)}


def test_network_in_network_layer_by_layer():
    rows = rows_of("nin_cifar10")
    assert {name: row.params for name, row in rows.items() if row.params} == {
        "conv1": 14_592, "cccp1": 30_880, "cccp2": 15_456,
        "conv2": 460_992, "cccp3": 37_056, "cccp4": 37_056,
        "conv3": 331_968, "cccp5": 37_056, "head": 1_930,
    }  # fmt: skip
    assert [rows[name].output_shape[1] for name in ("pool1", "pool2", "head")] == [16, 8, 8]


def test_the_imagenet_network_has_the_authors_names():
    names = [name for name, row in rows_of("nin_imagenet").items() if row.params]
    expected = "conv1 cccp1 cccp2 conv2 cccp3 cccp4 conv3 cccp5 cccp6 conv4 cccp7 head"
    assert names == expected.split()


@pytest.mark.parametrize("name", ["nin_cifar10", "all_cnn_a", "all_cnn_c"])
def test_a_class_is_the_mean_of_its_map(name):
    seed_everything(0)
    network = create(name).eval()
    maps: list[torch.Tensor] = []
    network.head_relu.register_forward_hook(lambda *call: maps.append(call[2]))
    with torch.inference_mode():
        logits = network(torch.randn(2, 3, 32, 32))
    assert maps[0].shape[1] == 10
    assert torch.allclose(logits, maps[0].mean((2, 3)), atol=1e-6)


def test_all_cnn_c_averages_over_six_by_six():
    rows = rows_of("all_cnn_c")
    sides = [rows[f"conv{number}"].output_shape[1] for number in range(1, 9)]
    assert sides == [32, 32, 16, 16, 16, 8, 6, 6]
    assert rows_of("all_cnn_b")["head"].output_shape == rows_of("all_cnn_a")["head"].output_shape == (10, 8, 8)


@pytest.mark.parametrize(
    ("name", "published"),
    [("nin_cifar10", [0.5, 0.5]), ("nin_imagenet", [0.5]), ("all_cnn_c", [0.2, 0.5, 0.5])],
)
def test_dropout_as_published_and_as_asked_for(name, published):
    for rate, expected in ((None, published), (0.25, [each / 2 for each in published])):
        with torch.device("meta"):
            network = create(name, dropout=rate)
        assert [module.p for module in network.modules() if isinstance(module, nn.Dropout)] == pytest.approx(expected)
