"""LeNet-5 as published: its codes, its table of connections, its layers against hand-computed sums."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from neocog.architectures import create
from neocog.architectures.lenet import TABLE_I, RadialBasis, Subsampling, class_codes
from neocog.core.randomness import generator, seed_everything
from neocog.nn.lecun import ScaledTanh, TableConvolution


def test_the_ten_codes_are_bitmaps_that_differ():
    codes = class_codes(10)
    assert codes.shape == (10, 84)
    assert set(codes.unique().tolist()) == {-1.0, 1.0}
    differing = (codes[:, None] != codes[None]).sum(2)
    assert differing[~torch.eye(10, dtype=torch.bool)].min() >= 12


def test_the_one_is_a_one():
    rows = class_codes(10)[1].view(12, 7)
    assert rows[9].tolist() == [-1, 1, 1, 1, 1, 1, 1]  # its foot
    assert (rows[:10, 4] == 1).all()  # its stem
    assert (rows[10:] == -1).all()


def test_codes_beyond_the_digits_are_far_apart_and_always_the_same():
    codes = class_codes(200)
    assert torch.equal(codes[:10], class_codes(10))
    assert torch.equal(codes[:57], class_codes(57))
    differing = (codes[:, None] != codes[None]).sum(2)
    assert differing[~torch.eye(200, dtype=torch.bool)].min() >= 12
    # Fixed for all time: models that were saved would mean something else otherwise.
    assert "".join("#" if bit > 0 else "." for bit in codes[10, :20]) == "#####.#...###.####.#"


def test_logits_are_negative_squared_distances_at_a_temperature():
    head = RadialBasis(84, 10)
    codes = class_codes(10)
    logits = head(codes)
    expected = -4 * (codes[:, None] != codes[None]).sum(2) / math.sqrt(84)
    assert torch.allclose(logits, expected)
    assert torch.equal(logits.argmax(1), torch.arange(10))


def test_codes_are_saved_but_not_trained():
    network = create("lenet5")
    assert "head.centres" in network.state_dict()
    assert not any(name.startswith("head") for name, _ in network.named_parameters())


def test_table_one_gives_1516_parameters_and_leaves_the_rest_unconnected():
    assert sum(map(len, TABLE_I)) == 60
    assert len(set(TABLE_I)) == 16
    assert [sum(column in row for row in TABLE_I) for column in range(6)] == [10] * 6
    layer = TableConvolution(6, TABLE_I, 5)
    assert sum(weight.numel() for weight in layer.parameters()) == 1_516


def test_a_map_depends_on_the_maps_of_its_row_only():
    layer = TableConvolution(6, TABLE_I, 5)
    inputs = torch.randn(1, 6, 5, 5, generator=generator(0), requires_grad=True)
    for row, columns in enumerate(TABLE_I):
        (gradient,) = torch.autograd.grad(layer(inputs)[0, row].sum(), inputs)
        assert [column for column in range(6) if gradient[0, column].any()] == list(columns)


def test_a_full_table_is_an_ordinary_convolution():
    layer = TableConvolution(2, ((0, 1), (0, 1), (0, 1)), 3)
    inputs = torch.randn(2, 2, 6, 6, generator=generator(1))
    expected = functional.conv2d(inputs, layer.weight.view(3, 2, 3, 3), layer.bias)
    assert torch.allclose(layer(inputs), expected, atol=1e-6)


def test_subsampling_sums_scales_and_shifts():
    layer = Subsampling(2)
    with torch.no_grad():
        layer.coefficient.copy_(torch.tensor([0.5, -1.0]))
        layer.bias.copy_(torch.tensor([1.0, 2.0]))
    inputs = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).expand(1, 2, 2, 2)
    assert layer(inputs).flatten().tolist() == [6.0, -8.0]


def test_the_squashing_function_keeps_one():
    assert ScaledTanh()(torch.tensor([1.0, -1.0, 0.0, 50.0])).tolist() == pytest.approx([1, -1, 0, 1.7159], abs=1e-4)


def test_weights_start_within_2_4_over_fan_in():
    network = create("lenet5")
    for layer, fan_in in ((network.c1, 25), (network.s2, 4), (network.c5, 400), (network.f6, 120)):
        for weight in layer.parameters():
            assert weight.abs().max() <= 2.4 / fan_in
    assert network.c3.weight[0].abs().max() <= 2.4 / 75
    assert network.c3.weight[-1].abs().max() <= 2.4 / 150


def test_it_learns_with_an_ordinary_loop():
    seed_everything(0)
    network = create("lenet5")
    inputs = torch.randn(20, 1, 32, 32, generator=generator(2))
    targets = torch.arange(20) % 10
    optimiser = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9)
    for _ in range(60):
        loss = nn.functional.cross_entropy(network(inputs), targets)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert (network(inputs).argmax(1) == targets).all()
