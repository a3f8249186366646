"""The layer table and the trial of inputs."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from neocog.core.errors import NetworkError
from neocog.core.inputs import check_input, smallest_input
from neocog.core.layers import count_macs, count_parameters, layer_table, parameter_arithmetic


def network_c() -> nn.Sequential:
    """The courses' network C: 8 maps 3x3, 16 maps 5x5 at stride 2, 512, 4, on 32x32 pixels in colour."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding="same"),
        nn.Conv2d(8, 16, 5, 2, padding=2),
        nn.Flatten(),
        nn.Linear(16 * 16 * 16, 512),
        nn.Linear(512, 4),
    )


def test_network_c_layer_by_layer():
    rows = layer_table(network_c(), (3, 32, 32))
    assert [row.params for row in rows] == [224, 3_216, 0, 2_097_664, 2_052]
    assert sum(row.params for row in rows) == count_parameters(network_c()) == 2_103_156
    assert [row.output_shape for row in rows] == [(8, 32, 32), (16, 16, 16), (4096,), (512,), (4,)]
    assert [row.padding for row in rows[:2]] == ["same", (2, 2)]
    assert rows[1].arithmetic == "16 x (5x5x8) + 16 = 3,216"
    assert rows[3].arithmetic == "512 x 4096 + 512 = 2,097,664"
    assert [row.macs for row in rows] == [32 * 32 * 216, 16 * 16 * 3_200, 0, 512 * 4096, 2048]


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (nn.Conv2d(3, 16, 3), "16 x (3x3x3) + 16 = 448"),
        (nn.Conv2d(8, 8, 3, groups=8, bias=False), "8 x (3x3x1) = 72"),
        (nn.Conv1d(4, 2, 7), "2 x (7x4) + 2 = 58"),
        (nn.Linear(3, 2, bias=False), "2 x 3 = 6"),
        (nn.BatchNorm2d(5), "2 x 5 = 10"),
        (nn.PReLU(1), "1"),
        (nn.ReLU(), ""),
    ],
)
def test_where_the_parameters_come_from(layer, text):
    assert parameter_arithmetic(layer) == text


def test_sound_and_volumes():
    sound = nn.Sequential(nn.Conv1d(1, 4, 9, 2), nn.Conv1d(4, 2, 3, dilation=4))
    rows = layer_table(sound, (1, 100))
    assert [(row.output_shape, row.macs, row.receptive_field) for row in rows] == [
        ((4, 46), 4 * 9 * 46, (9,)),
        ((2, 38), 2 * 3 * 4 * 38, (25,)),
    ]
    volume = layer_table(nn.Sequential(nn.Conv3d(1, 2, (1, 3, 3))), (1, 4, 8, 8))[0]
    assert (volume.output_shape, volume.kernel, volume.macs) == ((2, 4, 6, 6), (1, 3, 3), 2 * 9 * 4 * 36)
    assert volume.receptive_field == (1, 3, 3)


def test_transposed_convolutions_count_at_their_inputs():
    assert count_macs(nn.Sequential(nn.ConvTranspose2d(3, 5, 4, 2)), (3, 6, 6)) == 3 * 5 * 16 * 36


def test_a_dense_layer_counts_at_every_place():
    assert count_macs(nn.Sequential(nn.Linear(4, 3)), (7, 4)) == 7 * 12


def test_a_layer_called_twice_has_two_rows_and_its_weights_once():
    layer = nn.Conv2d(2, 2, 1)
    rows = layer_table(nn.Sequential(layer, nn.ReLU(), layer), (2, 5, 5))
    assert [row.params for row in rows] == [6, 0, 0]
    assert [row.macs for row in rows] == [100, 0, 100]


def test_the_table_leaves_the_network_as_it_was():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout())
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    layer_table(network, (1, 8, 8))
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_an_input_too_small_names_the_smallest():
    network = nn.Sequential(nn.Conv2d(3, 4, 5), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3))
    assert smallest_input(network, 3) == 10
    check_input(network, (3, 10, 10))
    with pytest.raises(NetworkError, match="tiny needs an input of at least 3x10x10, got 3x10x9"):
        check_input(network, (3, 10, 9), name="tiny")


def test_a_network_for_one_size_names_the_range():
    network = nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 2))
    assert smallest_input(network, 1) == 8
    for shape in ((1, 7, 7), (1, 12, 12)):
        with pytest.raises(NetworkError, match="takes inputs of 1x8x8 to 1x9x9"):
            check_input(network, shape)


def test_wrong_channels_and_axes():
    network = nn.Sequential(nn.Conv2d(3, 4, 3))
    with pytest.raises(NetworkError, match="built for channels=3, got 1"):
        check_input(network, (1, 8, 8))
    with pytest.raises(NetworkError, match="channels and 2 axes"):
        check_input(network, (3, 8))
    with pytest.raises(NetworkError, match="positive numbers"):
        check_input(network, (3, 0, 8))


def test_a_network_that_takes_nothing_says_so():
    with pytest.raises(NetworkError, match="takes no input with 2 channels and 1 axes"):
        check_input(nn.Sequential(nn.Flatten(), nn.Linear(5000, 1), nn.Unflatten(1, (7, 7))), (2, 3))


def test_one_dimension_too():
    assert smallest_input(nn.Sequential(nn.Conv1d(1, 1, 9, 2), nn.Conv1d(1, 1, 3)), 1, axes=1) == 13
