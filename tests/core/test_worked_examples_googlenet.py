"""The courses' worked examples: GoogLeNet's table (S0), which copies that of the paper, and claims about it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from neocog.core.arithmetic import convolution_macs, convolution_parameters, dense_parameters, output_size
from neocog.core.reference.softmax import cross_entropy


class Row(NamedTuple):
    """A row of table 1: input maps, 1x1, 3x3 behind its reduction, 5x5 behind its reduction, pool projection; side."""

    name: str
    inputs: int
    one: int
    three_reduce: int
    three: int
    five_reduce: int
    five: int
    pool: int
    side: int


TABLE_1 = (
    Row("3a", 192, 64, 96, 128, 16, 32, 32, 28),
    Row("3b", 256, 128, 128, 192, 32, 96, 64, 28),
    Row("4a", 480, 192, 96, 208, 16, 48, 64, 14),
    Row("4b", 512, 160, 112, 224, 24, 64, 64, 14),
    Row("4c", 512, 128, 128, 256, 24, 64, 64, 14),
    Row("4d", 512, 112, 144, 288, 32, 64, 64, 14),
    Row("4e", 528, 256, 160, 320, 32, 128, 128, 14),
    Row("5a", 832, 256, 160, 320, 32, 128, 128, 7),
    Row("5b", 832, 384, 192, 384, 48, 128, 128, 7),
)


def convolutions(row: Row) -> list[tuple[int, int, int]]:
    """Returns input maps, output maps and kernel of an inception block's convolutions."""
    return [
        (row.inputs, row.one, 1),
        (row.inputs, row.three_reduce, 1),
        (row.three_reduce, row.three, 3),
        (row.inputs, row.five_reduce, 1),
        (row.five_reduce, row.five, 5),
        (row.inputs, row.pool, 1),
    ]


LAYERS = {
    "conv1": ([(3, 64, 7)], 112),
    "conv2": ([(64, 64, 1), (64, 192, 3)], 56),
    **{row.name: (convolutions(row), row.side) for row in TABLE_1},
    "linear": ([(1024, 1000, 1)], 1),
}


def weights(name: str, *, bias: bool = False) -> int:
    return sum(convolution_parameters(i, o, (k, k), bias=bias) for i, o, k in LAYERS[name][0])


def macs(name: str) -> int:
    layers, side = LAYERS[name]
    return sum(convolution_macs(i, o, (k, k), (side, side)) for i, o, k in layers)


TRUE = {  # weights, weights / 1024, with biases, millions of MACs
    "conv1": (9_408, 9.19, 9_472, 118.0),
    "conv2": (114_688, 112.0, 114_944, 359.7),
    "3a": (163_328, 159.5, 163_696, 128.05),
    "3b": (388_096, 379.0, 388_736, 304.27),
    "4a": (375_552, 366.75, 376_176, 73.61),
    "4b": (448_512, 438.0, 449_160, 87.91),
    "4c": (509_440, 497.5, 510_104, 99.85),
    "4d": (604_672, 590.5, 605_376, 118.52),
    "4e": (867_328, 847.0, 868_352, 170.0),
    "5a": (1_042_432, 1018.0, 1_043_456, 51.08),
    "5b": (1_442_816, 1409.0, 1_444_080, 70.70),
    "linear": (1_024_000, 1000.0, 1_025_000, 1.024),
}
SLIDE = {  # K parameters, millions of operations, as printed
    "conv1": (2.7, 34), "conv2": (112, 360), "3a": (159, 128), "3b": (380, 304), "4a": (364, 73), "4b": (437, 88),
    "4c": (463, 100), "4d": (580, 119), "4e": (840, 170), "5a": (1072, 54), "5b": (1388, 71), "linear": (1000, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", TRUE)
def test_true_counts_of_each_row(name):
    count, thousands, with_bias, millions = TRUE[name]
    assert (weights(name), weights(name, bias=True)) == (count, with_bias)
    assert count / 1024 == pytest.approx(thousands, abs=0.005)
    digits = len(str(millions).split(".")[1])
    assert round(macs(name) / 1e6, digits) == millions


def test_true_sums():
    assert sum(weights(name, bias=True) for name in LAYERS) == 6_998_552
    assert sum(weights(name) for name in LAYERS) == 6_998_552 - 8_280 == 6_990_272
    assert round(sum(macs(name) for name in LAYERS) / 1e6, 1) == 1_582.7


def test_sums_of_the_slide():
    thousands, millions = (sum(column) for column in zip(*SLIDE.values(), strict=True))
    assert thousands == pytest.approx(6797.7)
    assert round(thousands * 1024 / 1e6, 2) == 6.96
    assert millions == 1502  # the famous 1.5 billion multiply-adds
    assert millions < sum(macs(name) for name in LAYERS) / 1e6


OFF = {  # by how many per cent the slide's parameters differ from the true ones; the rest are right once rounded
    "3b": 0.3, "4a": -0.7, "4b": -0.2, "4c": -6.9, "4d": -1.8, "4e": -0.8, "5a": 5.3, "5b": -1.5,
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in SLIDE if name != "conv1"])
def test_parameters_of_the_slide(name):
    printed, true = SLIDE[name][0], weights(name) / 1024
    if name in OFF:
        assert round(100 * (printed / true - 1), 1) == OFF[name]
    else:
        assert printed == int(true)  # truncated


@pytest.mark.parametrize("name", [name for name in SLIDE if name not in ("conv1", "5a")])
def test_operations_of_the_slide_are_right(name):
    assert abs(SLIDE[name][1] - macs(name) / 1e6) < 0.7


def test_details_of_the_slides_wrong_rows():
    assert round(weights("3b", bias=True) / 1024, 1) == 379.6
    assert int(100e6 / 14**2) == 510_204  # 4c: the slide's operations are those of the true weights, not of 463K
    wider = convolutions(TABLE_1[7]._replace(inputs=928))
    count = sum(convolution_parameters(i, o, (k, k), bias=False) for i, o, k in wider)
    assert count == 1_097_728  # 5a: what 928 input maps would give
    assert count / 1024 == SLIDE["5a"][0]
    assert round(count * 7**2 / 1e6, 1) == 53.8


def test_the_stem_of_the_slide_is_separable():
    """BN-Inception's paper: "separable convolution with depth multiplier 8 on the first convolutional layer"."""
    depthwise = convolution_parameters(3, 24, (7, 7), groups=3, bias=False)
    pointwise = convolution_parameters(24, 64, (1, 1), bias=False)
    assert (depthwise, pointwise, depthwise + pointwise) == (1_176, 1_536, 2_712)
    assert round(2_712 / 1000, 1) == SLIDE["conv1"][0]
    assert round(2_712 * 112**2 / 1e6, 2) == 34.02


def test_output_sizes_need_pools_in_ceil_mode():
    sizes = {True: [224], False: [224]}
    for ceil, chain in sizes.items():
        chain.append(output_size(224, 7, 2, 3))
        for _ in range(4):
            chain.append(output_size(chain[-1], 3, 2, ceil=ceil))
    assert sizes[True] == [224, 112, 56, 28, 14, 7]
    assert sizes[False][1:4] == [112, 55, 27]
    assert output_size(7, 7) == 1


def test_output_depths_are_the_sums_of_the_branches():
    depths = [row.one + row.three + row.five + row.pool for row in TABLE_1]
    assert depths == [256, 480, 512, 512, 512, 528, 832, 832, 1024]
    assert [row.inputs for row in TABLE_1] == [192, *depths[:-1]]


def test_auxiliary_heads():
    """5x5 average pooling at stride 3 (to 4x4), 128 1x1 maps, 1024 units, 1000 classes."""
    side = output_size(14, 5, 3)
    rest = dense_parameters(128 * side**2, 1024) + dense_parameters(1024, 1000)
    heads = [convolution_parameters(maps, 128, (1, 1)) + rest for maps in (512, 528)]
    assert (side, heads) == (4, [3_188_840, 3_190_888])
    assert sum(heads) + sum(weights(name, bias=True) for name in LAYERS) == 13_378_280


def test_s2_auxiliary_losses_count_three_tenths():
    losses = [cross_entropy(np.log([[p, 1 - p]]), np.array([0])) for p in (0.5, 0.25, 0.125)]
    assert losses[0] + 0.3 * (losses[1] + losses[2]) == pytest.approx(2.5 * np.log(2))
    SLIDE = 6 * np.log(2)  # L = E[-t log y1 - t log y2 - t log y3], all three alike
    assert sum(losses) == pytest.approx(SLIDE)


def test_s1_twelve_times_fewer_parameters_than_alexnet():
    SLIDE = 12
    true = 60_965_224 / 6_998_552
    without_classifier = 60_965_224 / (6_998_552 - weights("linear", bias=True))
    assert (round(true, 1), round(without_classifier, 1)) == (8.7, 10.2)
    assert true < without_classifier < SLIDE


def test_s1_there_is_a_fully_connected_layer_at_the_end():
    assert dense_parameters(1024, 1000) == weights("linear", bias=True) == 1_025_000
