"""VGG: the columns of table 1 as arithmetic, the transfer net of a course, other libraries' names."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from neocog.architectures import create, record
from neocog.architectures.vgg import TABLE_1
from neocog.core.layers import count_parameters, layer_table
from neocog.core.weights import renamed

COLUMNS = {"vgg11": "A", "vgg13": "B", "vgg16": "D", "vgg16_c": "C", "vgg19": "E"}
CLASSIFIER = 25_088 * 4096 + 4096 + 4096**2 + 4096 + 4096 * 1000 + 1000


@pytest.mark.parametrize(("name", "column"), COLUMNS.items())
def test_parameters_by_the_arithmetic_of_a_column(name, column):
    total, inputs = CLASSIFIER, 3
    for word in TABLE_1[column].replace("|", "").split():
        kernel, outputs = (1, int(word[2:])) if word.startswith("1x") else (3, int(word))
        total, inputs = total + kernel**2 * inputs * outputs + outputs, outputs
    assert record(name).params == total


def test_depths_are_what_the_names_say():
    depths = {column: len(words.replace("|", "").split()) + 3 for column, words in TABLE_1.items()}
    assert depths == {"A": 11, "B": 13, "C": 16, "D": 16, "E": 19}
    assert all(words.count("|") == 4 for words in TABLE_1.values())


def test_where_vgg16_keeps_its_weights_and_what_it_sees():
    with torch.device("meta"):
        rows = {row.name: row for row in layer_table(create("vgg16"), (3, 224, 224))}
    assert rows["fc6"].params == 102_764_544
    assert rows["block5.conv3"].receptive_field == (196, 196)
    assert rows["block5.pool"].receptive_field == (212, 212)
    assert rows["block5.pool"].output_shape == (512, 7, 7)


def test_column_c_has_three_1x1_kernels():
    with torch.device("meta"):
        network = create("vgg16_c")
    ones = [name for name, layer in network.named_modules() if getattr(layer, "kernel_size", 0) == (1, 1)]
    assert ones == ["block3.conv3", "block4.conv3", "block5.conv3"]


def test_the_transfer_net_of_the_course():
    with torch.device("meta"):
        network = create("vgg16_transfer")
    assert network.dense.in_features == 9 * 9 * 512 == 41_472
    trained = sum(count_parameters(layer) for layer in (network.dense, network.head))
    assert (trained, count_parameters(network) - trained) == (42_478_602, 14_714_688)


def torchvision_vgg(column: str, *, normalised: bool) -> nn.Module:
    """Returns the modules of torchvision.models.vgg under its names."""
    features: list[nn.Module] = []
    inputs = 3
    for word in (*TABLE_1[column].replace("|", "M").split(), "M"):
        if word == "M":
            features.append(nn.MaxPool2d(2))
            continue
        features.append(nn.Conv2d(inputs, int(word), 3, padding=1))
        features += [nn.BatchNorm2d(int(word))] if normalised else []
        features.append(nn.ReLU())
        inputs = int(word)
    dense = [nn.Linear(25_088, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout()]
    net = nn.Module()
    net.features = nn.Sequential(*features)
    net.classifier = nn.Sequential(*dense, nn.Linear(4096, 1000))
    return net


@pytest.mark.parametrize("column", ["A", "B", "D", "E"])
@pytest.mark.parametrize("normalised", [False, True])
def test_torchvisions_names_are_translated_one_by_one(column, normalised):
    plain = next(name for name, each in COLUMNS.items() if each == column)
    name = f"{plain}_bn" if normalised else plain
    with torch.device("meta"):
        state = torchvision_vgg(column, normalised=normalised).state_dict()
        ours = create(name).state_dict()
    theirs = renamed(state, record(name).renames["torchvision"])
    assert [(key, tensor.shape) for key, tensor in theirs.items()] == [
        (key, tensor.shape) for key, tensor in ours.items()
    ]


def test_keras_names_every_layer_with_weights():
    with torch.device("meta"):
        weighted = {
            name for name, layer in create("vgg19").named_modules() if getattr(layer, "weight", None) is not None
        }
    names = record("vgg19").renames["keras"]
    assert set(names.values()) == weighted
    assert names["block5_conv4"] == "block5.conv4"
    assert names["predictions"] == "head"
