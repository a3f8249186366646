"""AlexNet and ZFNet: the courses' tables, the two towers, response normalisation by hand, torchvision's names."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from neocog.architectures import create, record
from neocog.architectures.alexnet import SECTION_3_5, response_norm
from neocog.core.layers import layer_table
from neocog.core.weights import renamed


def rows_of(name: str, **options: object) -> dict[str, object]:
    with torch.device("meta"):
        network = create(name, **options)
    return {row.name: row for row in layer_table(network, record(name).input)}


def test_the_courses_table_of_the_ungrouped_network():
    rows = rows_of("alexnet")
    assert {name: row.params for name, row in rows.items() if row.params} == {
        "conv1": 34_944,
        "conv2": 614_656,
        "conv3": 885_120,
        "conv4": 1_327_488,
        "conv5": 884_992,
        "fc6": 37_752_832,
        "fc7": 16_781_312,
        "head": 4_097_000,
    }
    assert [rows[f"conv{number}"].output_shape[1] for number in range(1, 6)] == [55, 27, 13, 13, 13]
    assert rows["flatten"].output_shape == (9216,)
    names = ("conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5")
    assert [rows[name].receptive_field[0] for name in names] == [11, 19, 51, 67, 99, 131, 163, 195]


def test_the_two_towers_meet_in_conv3_only():
    rows = rows_of("alexnet_grouped")
    assert [rows[f"conv{number}"].params for number in (2, 4, 5)] == [307_456, 663_936, 442_624]
    assert [row.groups for row in SECTION_3_5] == [1, 2, 1, 2, 2]
    layer = nn.Conv2d(4, 2, 1, groups=2, bias=False)
    inputs = torch.ones(1, 4, 1, 1, requires_grad=True)
    (gradient,) = torch.autograd.grad(layer(inputs)[0, 0].sum(), inputs)
    assert gradient.flatten().ne(0).tolist() == [True, True, False, False]


def test_response_normalisation_stands_before_the_first_two_pools():
    order = list(rows_of("alexnet_grouped"))
    for number in (1, 2):
        start = order.index(f"conv{number}")
        assert order[start : start + 4] == [f"conv{number}", f"conv{number}_relu", f"norm{number}", f"pool{number}"]
    assert not any(name.startswith("norm") for name in rows_of("alexnet"))


def test_response_normalisation_by_hand():
    # Seven maps of 100: five neighbours give 2 + 1e-4 x 5 x 100^2 = 7, the outermost maps have three, which give 5.
    outputs = response_norm()(torch.full((1, 7, 1, 1), 100.0)).flatten().tolist()
    assert outputs[3] == pytest.approx(100 / 7**0.75)
    assert outputs[0] == outputs[6] == pytest.approx(100 / 5**0.75)
    assert outputs[1] == pytest.approx(100 / 6**0.75)


@pytest.mark.parametrize(("name", "maps"), [("zfnet", (384, 384, 256)), ("zfnet_b", (512, 1024, 512))])
def test_figure_3_of_zeiler_and_fergus(name, maps):
    rows = rows_of(name)
    sides = [rows[key].output_shape[1] for key in ("conv1", "pool1", "conv2", "pool2", "conv5", "pool5")]
    assert sides == [110, 55, 26, 13, 13, 6]
    assert tuple(rows[f"conv{number}"].output_shape[0] for number in (3, 4, 5)) == maps


def torchvision_alexnet() -> nn.Module:
    """Returns the modules of torchvision.models.alexnet under its names."""
    convolutions = [
        nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
    ]  # fmt: skip
    dense = [nn.Dropout(), nn.Linear(9216, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU()]
    net = nn.Module()
    net.features = nn.Sequential(*convolutions)
    net.classifier = nn.Sequential(*dense, nn.Linear(4096, 1000))
    return net


def test_torchvisions_names_are_translated_one_by_one():
    with torch.device("meta"):
        theirs = renamed(torchvision_alexnet().state_dict(), record("alexnet_torchvision").renames["torchvision"])
        ours = create("alexnet_torchvision").state_dict()
    assert [(name, tensor.shape) for name, tensor in theirs.items()] == [
        (name, tensor.shape) for name, tensor in ours.items()
    ]


def test_dropout_rates_are_half_or_what_is_asked_for():
    for rate, expected in ((None, 0.5), (0.0, 0.0)):
        with torch.device("meta"):
            networks = [create(name, dropout=rate) for name in ("alexnet", "alexnet_torchvision", "zfnet")]
        for network in networks:
            assert [module.p for module in network.modules() if isinstance(module, nn.Dropout)] == [expected] * 2
