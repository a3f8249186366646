"""The zip code network of 1989: its counts as the paper gives them, its border, its connections; Caffe's LeNet."""

from __future__ import annotations

import pytest
import torch

from neocog.architectures import create
from neocog.architectures.lenet1989 import SCHEME, UnitBias
from neocog.core.errors import NetworkError
from neocog.core.layers import layer_table
from neocog.core.randomness import generator


def test_units_connections_and_parameters_are_those_of_the_paper():
    rows = {row.name: row for row in layer_table(create("lenet1989"), (1, 16, 16))}
    units = [torch.Size(rows[name].output_shape).numel() for name in ("h1", "h2", "h3", "head")]
    assert units == [768, 192, 30, 10]
    assert 16 * 16 + sum(units) == 1_256
    assert sum(row.macs for row in rows.values()) + sum(units) == 64_660  # each unit has its bias's connection too
    weights = {name: row.params for name, row in rows.items() if row.params}
    assert weights == {"h1": 300, "h1_bias": 768, "h2": 2_400, "h2_bias": 192, "h3": 5_790, "head": 310}


def test_every_map_of_h2_sees_eight_of_twelve_and_no_two_the_same():
    assert [len(set(row)) for row in SCHEME] == [8] * 12
    assert len(set(SCHEME)) == 12
    assert [sum(column in row for row in SCHEME) for column in range(12)] == [8] * 12


def test_h2_depends_on_the_maps_of_its_row_only():
    layer = create("lenet1989").h2
    inputs = torch.randn(1, 12, 5, 5, generator=generator(0), requires_grad=True)
    for row, columns in enumerate(SCHEME):
        (gradient,) = torch.autograd.grad(layer(inputs)[0, row].sum(), inputs)
        assert tuple(column for column in range(12) if gradient[0, column].any()) == columns


def test_a_blank_picture_has_no_border():
    network = create("lenet1989")
    maps = network.h1(network.h1_border(torch.full((1, 1, 16, 16), -1.0)))
    assert maps.shape == (1, 12, 8, 8)
    assert torch.allclose(maps, maps[..., 4:5, 4:5].expand_as(maps), atol=1e-6)


def test_units_of_one_map_have_biases_of_their_own_and_refuse_another_number():
    layer = UnitBias(1, 2)
    with torch.no_grad():
        layer.bias.copy_(torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    assert layer(torch.ones(1, 1, 2, 2)).flatten().tolist() == [2, 3, 4, 5]
    with pytest.raises(NetworkError, match="biases for 1x2x2 units, got 1x1x1"):
        layer(torch.ones(5, 1, 1, 1))


def test_caffes_lenet_layer_by_layer():
    rows = {row.name: row.params for row in layer_table(create("lenet_caffe"), (1, 28, 28)) if row.params}
    assert rows == {"conv1": 520, "conv2": 25_050, "ip1": 400_500, "head": 5_010}


def test_borders_shift_what_the_first_unit_sees():
    rows = {row.name: row for row in layer_table(create("lenet1989"), (1, 16, 16))}
    seen = [(rows[name].receptive_field, rows[name].jump, rows[name].start) for name in ("h1_tanh", "h2_tanh")]
    assert seen == [((5, 5), (2, 2), (-2, -2)), ((13, 13), (4, 4), (-6, -6))]
