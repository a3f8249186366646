"""The courses' worked examples: output sizes, AlexNet's table, receptive fields.

S0 to S4 are the five courses' slides. Where a slide is wrong, its number stands here as SLIDE beside the true one.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from neocog.core.arithmetic import (
    Window,
    convolution_macs,
    convolution_parameters,
    dense_macs,
    dense_parameters,
    extent,
    inputs_seen,
    output_shape,
    output_size,
    receptive_field,
    size_through,
)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "expected"),
    [
        (227, 11, 4, 0, 55),
        (224, 11, 4, 0, 54),
        (224, 11, 4, 2, 55),
        (5, 3, 2, 1, 3),
        (3, 3, 2, 1, 2),
        (4, 2, 1, 0, 3),  # S4
        (5, 3, 1, 0, 3),  # S0, S3
        (32, 3, 1, "same", 32),  # S2
    ],
)
def test_output_sizes(size, kernel, stride, padding, expected):
    assert output_size(size, kernel, stride, padding) == expected
    if isinstance(padding, int):  # O = (I - K + 2 P) / S + 1, rounded down
        assert int((size - kernel + 2 * padding) / stride + 1) == expected


def test_alexnets_input_is_227_since_the_formula_does_not_divide_224():
    assert (224 - 11) / 4 + 1 == 54.25
    assert (227 - 11) / 4 + 1 == 55


def test_a_dilated_kernel_spans_more():
    """S2: "a bigger spatial extent than its number of values"; K becomes d (K - 1) + 1."""
    assert extent(3, dilation=2) == 5
    assert output_size(9, 3, dilation=2) == output_size(9, 5)


def test_s4_a_4x4_picture_gives_3x3_under_a_2x2_filter_only():
    SLIDE_FILTER = 3  # of the slides before
    assert output_shape((4, 4), 2) == (3, 3)
    assert output_shape((4, 4), SLIDE_FILTER) == (2, 2)


class Layer(NamedTuple):
    """A row of AlexNet's table; ``groups`` are those of the published network on two GPUs."""

    name: str
    kernel: int
    stride: int
    padding: int
    outputs: int = 0  # 0 for a pooling
    groups: int = 1


ALEXNET = (
    Layer("conv1", 11, 4, 0, 96),
    Layer("pool1", 3, 2, 0),
    Layer("conv2", 5, 1, 2, 256, groups=2),
    Layer("pool2", 3, 2, 0),
    Layer("conv3", 3, 1, 1, 384),
    Layer("conv4", 3, 1, 1, 384, groups=2),
    Layer("conv5", 3, 1, 1, 256, groups=2),
    Layer("pool5", 3, 2, 0),
)
DENSE = (9216, 4096, 4096, 1000)


def alexnet(*, grouped: bool) -> list[tuple[str, int, int, int, int]]:
    """Returns name, side, maps, parameters and MACs of each layer."""
    side, maps, rows = 227, 3, []
    for layer in ALEXNET:
        side = output_size(side, layer.kernel, layer.stride, layer.padding)
        kernel, groups = (layer.kernel, layer.kernel), layer.groups if grouped else 1
        params = macs = 0
        if layer.outputs:
            params = convolution_parameters(maps, layer.outputs, kernel, groups=groups)
            macs = convolution_macs(maps, layer.outputs, kernel, (side, side), groups=groups)
            maps = layer.outputs
        rows.append((layer.name, side, maps, params, macs))
    dense = zip(("fc1", "fc2", "fc3"), DENSE[:-1], DENSE[1:], strict=True)
    return rows + [(name, 1, o, dense_parameters(i, o), dense_macs(i, o)) for name, i, o in dense]


def test_alexnet_layer_by_layer_without_groups():
    rows = alexnet(grouped=False)
    assert rows == [
        ("conv1", 55, 96, 34_944, 105_415_200),
        ("pool1", 27, 96, 0, 0),
        ("conv2", 27, 256, 614_656, 447_897_600),
        ("pool2", 13, 256, 0, 0),
        ("conv3", 13, 384, 885_120, 149_520_384),
        ("conv4", 13, 384, 1_327_488, 224_280_576),
        ("conv5", 13, 256, 884_992, 149_520_384),
        ("pool5", 6, 256, 0, 0),
        ("fc1", 1, 4096, 37_752_832, 37_748_736),
        ("fc2", 1, 4096, 16_781_312, 16_777_216),
        ("fc3", 1, 1000, 4_097_000, 4_096_000),
    ]
    assert rows[7][1] ** 2 * rows[7][2] == DENSE[0]
    assert sum(row[3] for row in rows) == 62_378_344
    assert sum(row[4] for row in rows) == 1_135_256_096


def test_alexnet_as_published_on_two_gpus():
    rows = alexnet(grouped=True)
    params = {name: count for name, _, _, count, _ in rows}
    assert (params["conv2"], params["conv4"], params["conv5"]) == (307_456, 663_936, 442_624)
    assert sum(params.values()) == 60_965_224
    assert sum(row[4] for row in rows) == 724_406_816


def test_s0_alexnets_62_3_million_are_those_without_groups():
    SLIDE = 62.3
    ungrouped, published = (sum(row[3] for row in alexnet(grouped=grouped)) / 1e6 for grouped in (False, True))
    assert int(ungrouped * 10) / 10 == SLIDE
    assert round(ungrouped, 1) == 62.4
    assert round(published, 1) == 61.0


def grown(windows):
    """Returns size and jump of the receptive field behind each layer."""
    fields = [receptive_field(windows[: count + 1]) for count in range(len(windows))]
    return [(field.size, field.jump) for field in fields]


def test_receptive_fields_of_alexnet():
    windows = [Window(layer.kernel, layer.stride, layer.padding) for layer in ALEXNET]
    expected = [(11, 4), (19, 8), (51, 8), (67, 16), (99, 16), (131, 16), (163, 16), (195, 32)]
    assert grown(windows) == expected


def test_receptive_fields_of_vgg16():
    blocks = [[Window(3, 1, 1)] * count + [Window(2, 2)] for count in (2, 2, 3, 3, 3)]
    assert grown([window for block in blocks for window in block])[-2:] == [(196, 16), (212, 32)]


def test_s1_two_strided_layers_on_5x5_see_more_than_the_picture():
    once, twice = receptive_field([Window(3, 2, 1)]), receptive_field([Window(3, 2, 1)] * 2)
    assert output_size(output_size(5, 3, 2, 1), 3, 2, 1) == 2
    assert (once.size, once.jump, twice.size, twice.jump) == (3, 2, 7, 4)
    assert once.centre == twice.centre == 0.5
    assert [twice.inside(unit, 5) for unit in (0, 1)] == [range(4), range(1, 5)]  # clipped


def test_small_kernels_one_after_the_other():
    """S1, S2 (VGG): two 3x3 layers see 5x5, three 7x7; S1 in 1-D: 7 inputs become 5, 3, 1."""
    assert [receptive_field([Window(3)] * layers).size for layers in (1, 2, 3)] == [3, 5, 7]
    assert [size_through(7, [Window(3)] * layers) for layers in (1, 2, 3)] == [5, 3, 1]


@pytest.mark.parametrize(
    ("dilations", "size", "touched"), [((1, 2), 7, 7), ((1, 2, 4), 15, 15), ((2, 2), 9, 5)], ids=str
)
def test_s1_dilated_layers_skip_some_connections(dilations, size, touched):
    windows = [Window(3, dilation=dilation) for dilation in dilations]
    assert (receptive_field(windows).size, len(inputs_seen(windows))) == (size, touched)


def test_s2_wavenet():
    stack = [Window(2, dilation=dilation) for dilation in (1, 2, 4, 8)]
    assert receptive_field(stack).size == 16
    assert receptive_field([Window(2), *stack]).size == 17  # behind one more causal layer
    assert receptive_field([Window(2, dilation=2**power) for power in range(10)]).size == 1024
    assert 2**9 == 512  # the last dilation of that block
