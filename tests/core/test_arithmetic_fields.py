"""Receptive fields: published ones, and those that gradients measure."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from neocog.core.arithmetic import Field, Window, inputs_seen, receptive_field
from neocog.core.layers import layer_table
from neocog.core.receptive import receptive_fields


def grown(windows):
    return [(field.size, field.jump) for field in (receptive_field(windows[: n + 1]) for n in range(len(windows)))]


def test_alexnet():
    windows = [
        Window(11, 4), Window(3, 2), Window(5, 1, 2), Window(3, 2),
        Window(3, 1, 1), Window(3, 1, 1), Window(3, 1, 1), Window(3, 2),
    ]  # fmt: skip
    assert grown(windows) == [(11, 4), (19, 8), (51, 8), (67, 16), (99, 16), (131, 16), (163, 16), (195, 32)]


def test_vgg16():
    blocks = [[Window(3, 1, 1)] * count + [Window(2, 2)] for count in (2, 2, 3, 3, 3)]
    windows = [window for block in blocks for window in block]
    assert grown(windows)[-2:] == [(196, 16), (212, 32)]


def test_two_strided_layers_see_beyond_the_picture():
    once, twice = receptive_field([Window(3, 2, 1)]), receptive_field([Window(3, 2, 1)] * 2)
    assert (once.size, twice.size, twice.jump, twice.start) == (3, 7, 4, -3)
    assert once.centre == twice.centre == 0.5


def test_dilated_layers_and_their_holes():
    assert receptive_field([Window(3, dilation=d) for d in (1, 2)]).size == 7
    assert receptive_field([Window(3, dilation=d) for d in (1, 2, 4)]).size == 15
    assert receptive_field([Window(2, dilation=d) for d in (1, 2, 4, 8)]).size == 16
    assert receptive_field([Window(2, dilation=2**n) for n in range(10)]).size == 1024
    gridding = [Window(3, dilation=2)] * 2
    assert receptive_field(gridding).size == 9
    assert inputs_seen(gridding) == (0, 2, 4, 6, 8)


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


def measured_side(network: nn.Module, size: int) -> tuple[int, int, int]:
    """Returns a unit in the middle, the first row that its gradient reaches, and how many rows that spans."""
    for parameter in network.parameters():
        nn.init.ones_(parameter)
    inputs = torch.ones(1, 1, size, size, requires_grad=True)
    outputs = network(inputs)
    unit = outputs.shape[-1] // 2
    outputs[0, 0, unit, unit].backward()
    rows = inputs.grad[0, 0].abs().sum(1).nonzero().flatten()
    return unit, int(rows[0]), int(rows[-1] - rows[0] + 1)


def test_fields_through_branches_are_those_that_gradients_measure():
    network = Branches()
    unit, start, side = measured_side(network, 64)
    field = receptive_fields(network, torch.zeros(1, 1, 64, 64))["last"][0]
    assert (field.start + unit * field.jump, field.size) == (start, side)
    assert layer_table(network, (1, 64, 64))[-1].receptive_field == (side, side)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 2), st.booleans()), min_size=1, max_size=3)
)
def test_fields_of_random_chains_are_those_that_gradients_measure(layers):
    network = nn.Sequential()
    for kernel, stride, dilation, padded in layers:
        padding = dilation * (kernel - 1) // 2 if padded else 0
        network.append(nn.Conv2d(1, 1, kernel, stride, padding, dilation))
    unit, start, side = measured_side(network, 64)
    field = receptive_fields(network, torch.zeros(0, 1, 64, 64))[str(len(layers) - 1)][0]
    assert (field.start + unit * field.jump, field.size) == (start, side)


def test_a_global_pooling_and_what_follows_see_everything():
    network = nn.Sequential(nn.Conv2d(1, 2, 3, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2))
    fields = receptive_fields(network, torch.zeros(0, 1, 9, 9))
    assert [fields[str(layer)][0].size for layer in range(4)] == [3, 9, 9, 9]


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
