"""The YOLO networks against figure 3 and darknet's configurations."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from neocog.architectures import create, networks, record
from neocog.core.errors import NetworkError
from neocog.core.layers import LayerRow, layer_table

NAMES = ("yolo_v1", "yolo_v1_bn", "fast_yolo", "tiny_yolo")
every_yolo = pytest.mark.parametrize("name", NAMES)


def on_paper(name: str, **options: object) -> nn.Module:
    """Returns the network with whatever memory holds for weights, to be run on no samples: shapes are computed."""
    with torch.device("meta"):
        network = create(name, **options)
    return network.to_empty(device="cpu")


def rows(name: str) -> list[LayerRow]:
    return layer_table(on_paper(name), (3, 448, 448))


def test_24_convolutions_to_7x7_and_two_dense_layers():
    layers = rows("yolo_v1")
    convolutions = [row for row in layers if row.kind == "Conv2d"]
    assert len(convolutions) == 24
    assert sum(row.params for row in convolutions) == 60_155_968
    assert [row.output_shape[0] for row in convolutions] == (
        [64, 192, 128, 256, 256, 512, *[256, 512] * 4, 512, 1024, *[512, 1024] * 2, 1024, 1024, 1024, 1024]
    )
    assert [row.output_shape[1] for row in layers if row.kind == "MaxPool2d"] == [112, 56, 28, 14]
    assert convolutions[-1].output_shape == (1024, 7, 7)
    dense = [(row.input_shape, row.output_shape) for row in layers if row.kind == "Linear"]
    assert dense == [((7 * 7 * 1024,), (4096,)), ((4096,), (1470,))]


@every_yolo
def test_a_cell_holds_two_boxes_and_twenty_classes(name):
    assert rows(name)[-1].output_shape == (7, 7, 30)
    assert [row.name for row in rows(name) if row.params][-1] == "head"
    assert name in networks("detection")
    assert record(name).classes == 20


@every_yolo
def test_other_grids_boxes_classes_and_channels(name):
    network = on_paper(name, grid=5, boxes=3, classes=4, channels=1, size=256).eval()
    assert network(torch.empty(0, 1, 256, 256)).shape == (0, 5, 5, 3 * 5 + 4)


def test_batch_norm_takes_the_place_of_biases():
    plain, normed = on_paper("yolo_v1"), on_paper("yolo_v1_bn")
    maps = sum(module.out_channels for module in plain.modules() if isinstance(module, nn.Conv2d))
    assert maps == 13_184 == record("yolo_v1_bn").params - record("yolo_v1").params
    assert all(module.bias is None for module in normed.modules() if isinstance(module, nn.Conv2d))


def test_fast_and_tiny_yolo_as_configured():
    fast, tiny = rows("fast_yolo"), rows("tiny_yolo")
    assert [row.output_shape[0] for row in fast if row.kind == "Conv2d"] == [
        16,
        32,
        64,
        128,
        256,
        512,
        1024,
        1024,
        1024,
    ]
    assert [row.output_shape[0] for row in tiny if row.kind == "Conv2d"] == [16, 32, 64, 128, 256, 512, 1024, 256]
    assert [row.output_shape for row in fast if row.kind == "Linear"] == [(256,), (4096,), (1470,)]
    assert [row.input_shape for row in tiny if row.kind == "Linear"] == [(12_544,)]
    names = [row.name for row in fast]
    assert names[names.index("fc1") + 1] == "fc2"  # the first dense layer is linear


@every_yolo
def test_activations_leak_a_tenth(name):
    slopes = [module.negative_slope for module in on_paper(name).modules() if isinstance(module, nn.LeakyReLU)]
    assert set(slopes) == {0.1}


@every_yolo
def test_numbers_that_make_no_network(name):
    with pytest.raises(NetworkError, match="grid should be 1 or more, got 0"):
        on_paper(name, grid=0)
    with pytest.raises(NetworkError, match="boxes should be 1 or more, got -1"):
        on_paper(name, boxes=-1)
    least = 31 if name.startswith("yolo") else 64
    with pytest.raises(NetworkError, match=f"at least {least} a side, got {least - 1}"):
        on_paper(name, size=least - 1)
    network = on_paper(name, size=least).eval()
    assert network(torch.empty(0, 3, least, least)).shape == (0, 7, 7, 30)


def test_a_small_picture_goes_through_and_every_parameter_learns():
    torch.manual_seed(0)
    network = create("tiny_yolo", size=64, classes=2)
    outputs = network(torch.randn(3, 3, 64, 64))
    assert outputs.shape == (3, 7, 7, 12)
    assert 0 < outputs.std() < 10
    (outputs * torch.randn_like(outputs)).sum().backward()
    assert all(weight.grad.any() for weight in network.parameters())
