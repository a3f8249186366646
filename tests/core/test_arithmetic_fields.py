"""Receptive fields: published ones, and those that gradients measure."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

import neocog
from neocog.core.arithmetic import Field, TransposedWindow, Window, inputs_seen, receptive_field
from neocog.core.layers import layer_table
from neocog.core.measured import measured_field
from neocog.core.receptive import receptive_fields


def test_dilated_layers_can_leave_holes():
    gridding = [Window(3, dilation=2)] * 2
    assert receptive_field(gridding).size == 9
    assert inputs_seen(gridding) == (0, 2, 4, 6, 8)
    assert inputs_seen(gridding, 3) == (3, 5, 7, 9, 11)


def test_what_lies_in_padding_is_not_seen():
    padded = [Window(3, 1, 1), Window(3, 2, 2)]
    assert inputs_seen(padded) == (-3, -2, -1, 0, 1)
    assert inputs_seen(padded, sizes=(4, 4)) == (0, 1)
    assert inputs_seen(padded, 2, sizes=(4, 4)) == (1, 2, 3)


def test_a_transposed_layer_sees_another_number_of_inputs_from_each_place():
    window = TransposedWindow(3, 2)
    assert [inputs_seen([window], unit, sizes=[2]) for unit in range(5)] == [(0,), (0,), (0, 1), (1,), (1,)]
    assert [inputs_seen([TransposedWindow(1, 2)], unit) for unit in (0, 1, 2)] == [(0,), (), (1,)]
    assert inputs_seen([Window(3, 2), window], 2, sizes=[5, 2]) == (0, 1, 2, 3, 4)


def test_the_part_of_a_field_inside_the_picture():
    field = Field(5, 2, -3)
    assert [field.inside(unit, 6) for unit in range(4)] == [range(2), range(4), range(1, 6), range(3, 6)]
    assert not field.inside(9, 6)
    assert not Field(2, 1, -5).inside(1, 6)


windows = st.builds(Window, st.integers(1, 4), st.integers(1, 3), st.integers(0, 2), st.integers(1, 3))


@given(st.lists(windows, max_size=4))
def test_the_field_is_what_the_first_unit_touches(chain):
    field, seen = receptive_field(chain), inputs_seen(chain)
    assert (field.start, field.start + field.size - 1) == (seen[0], seen[-1])


@given(st.integers(1, 30), st.integers(1, 30), st.integers(-9, 9), st.integers(-9, 9))
def test_joining_holds_both_and_nothing_more(size, other, start, there):
    joined = Field(size, 2, start).joined(Field(other, 2, there))
    assert joined is not None
    assert joined.start == min(start, there)
    assert joined.start + joined.size == max(start + size, there + other)


def test_units_that_lie_differently_far_apart_have_no_common_field():
    assert Field(3, 1).joined(Field(3, 2)) is None


class Branches(nn.Module):
    """A 5x5 beside two dilated 3x3, joined, then a shortcut around a strided pair."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Conv2d(1, 2, 5, padding=2)
        self.dilated = nn.Sequential(nn.Conv2d(1, 2, 3, padding=2, dilation=2), nn.Conv2d(2, 2, 3, padding=1))
        self.pool = nn.AvgPool2d(3, 2, 1)
        self.body = nn.Conv2d(4, 3, 3, 2, padding=1)
        self.shortcut = nn.Conv2d(4, 3, 1, 2)
        self.last = nn.Conv2d(3, 1, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(torch.cat([self.wide(x), self.dilated(x)], 1))
        return self.last(self.body(x) + self.shortcut(x))


def test_fields_through_branches_are_those_that_gradients_measure():
    network, inputs = Branches(), torch.zeros(1, 1, 64, 64)
    field = receptive_fields(network, inputs)["last"][0]
    side = field.inside(7, 64)
    assert measured_field(network, inputs, "last", (7, 7)) == (side, side)
    assert len(side) == field.size
    assert layer_table(network, (1, 64, 64))[-1].receptive_field == (field.size, field.size)


def test_a_global_pooling_and_what_follows_see_everything():
    network = nn.Sequential(nn.Conv2d(1, 2, 3, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2))
    fields = receptive_fields(network, torch.zeros(0, 1, 9, 9))
    assert [fields[str(layer)][0].size for layer in range(4)] == [3, 9, 9, 9]


def test_an_adaptive_pooling_has_windows_where_its_size_divides_the_maps():
    network = nn.Sequential(nn.Conv2d(1, 1, 3, 2, 1), nn.AdaptiveAvgPool2d((4, None)), nn.Flatten())
    fields, table = receptive_fields(network, torch.zeros(0, 1, 16, 16)), layer_table(network, (1, 16, 16))
    assert fields["1"] == (Field(5, 4, -1), Field(3, 2, -1))
    assert measured_field(network, torch.zeros(1, 1, 16, 16), "1", (2, 3)) == (range(7, 12), range(5, 8))
    assert table[-1].receptive_field == (17, 17)
    assert receptive_fields(network, torch.zeros(0, 1, 12, 12))["1"] == ()


class Crossing(nn.Module):
    """Adds maps whose units lie differently far apart, by broadcasting."""

    def __init__(self) -> None:
        super().__init__()
        self.near = nn.Conv2d(1, 1, 1)
        self.squeeze = nn.AdaptiveAvgPool2d(1)
        self.last = nn.Conv2d(1, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.near(x)
        return self.last(x * self.squeeze(x))


def test_a_field_that_cannot_be_told_is_blank():
    assert [row.receptive_field for row in layer_table(Crossing(), (1, 8, 8))] == [(1, 1), (8, 8), None]
    transposed = layer_table(nn.Sequential(nn.ConvTranspose2d(1, 1, 2, 2), nn.Conv2d(1, 1, 1)), (1, 4, 4))
    assert [row.receptive_field for row in transposed] == [None, None]


class Deciding(nn.Module):
    """Asks the values of its inputs, which tracing cannot answer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x) if bool(x.sum() >= 0) else x


def test_a_network_that_cannot_be_traced_has_a_table_without_fields():
    rows = layer_table(Deciding(), (1, 8, 8))
    assert [(row.name, row.params, row.receptive_field) for row in rows] == [("conv", 10, None)]


@pytest.mark.parametrize(
    ("name", "layer", "size", "jump", "start"),
    [
        ("kim_cnn", "filters.1", 4, 1, 0),
        ("collobert_window", "head", 5, 1, -2),  # the word and two on either side
        ("dpcnn", "blocks.1.conv2", 17, 2, -8),  # 3, two of 3, 3 by steps of two, two of 3: 1 + 2 x 3 + 2 + 2 x 4
        ("character_cnn_small", "features.pool2", 33, 9, 0),  # 7, 3 by 3, 7, 3 by 3: 1 + 6 + 2 + 6 x 3 + 2 x 3
        ("zeng_cnn", "distance_filters", 1, 1, 0),
        ("gated_conv_lm", "blocks.0.first.conv", 7, 1, -6),  # it sees what came before alone
    ],
)
def test_fields_over_words_and_characters(name, layer, size, jump, start):
    network = neocog.create(name).eval()
    length = 1014 if name.startswith("character") else 32
    features = {"collobert_window": (4,), "zeng_cnn": (3,)}.get(name, ())
    tokens = torch.zeros(1, length, *features, dtype=torch.int64)
    assert receptive_fields(network, tokens)[layer] == (Field(size, jump, start),)


def test_a_layer_may_be_called_as_a_traced_graph_calls_its_code():
    network = nn.Sequential(OrderedDict(code=nn.Conv2d(1, 1, 3), graph=nn.Conv2d(1, 1, 3)))
    assert receptive_fields(network, torch.zeros(1, 1, 8, 8))["graph"] == (Field(5, 1, 0),) * 2
