"""Output sizes, parameters and multiply-accumulates against hand-computed cases and against torch itself."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch.nn import functional

from neocog.core.arithmetic import (
    Window,
    convolution_macs,
    convolution_parameters,
    dense_macs,
    dense_parameters,
    extent,
    output_size,
    same_padding,
    size_through,
    transposed_output_size,
)
from neocog.core.errors import NetworkError


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "dilation", "expected"),
    [
        (227, 11, 4, 0, 1, 55),  # AlexNet's conv1
        (224, 11, 4, 2, 1, 55),  # 55.25, rounded down
        (5, 3, 2, 1, 1, 3),
        (3, 3, 2, 1, 1, 2),
        (4, 2, 1, 0, 1, 3),
        (5, 3, 1, "valid", 1, 3),
        (32, 3, 1, "same", 1, 32),
        (32, 5, 2, "same", 1, 16),
        (5, 3, 1, "full", 1, 7),
        (9, 3, 1, 0, 4, 1),  # spans 9
    ],
)
def test_output_size_by_hand(size, kernel, stride, padding, dilation, expected):
    assert output_size(size, kernel, stride, padding, dilation) == expected


def test_ceil_mode_gives_googlenets_sizes():
    assert [output_size(size, 3, 2, ceil=True) for size in (112, 56, 28, 14)] == [56, 28, 14, 7]
    assert [output_size(size, 3, 2) for size in (112, 56, 28, 14)] == [55, 27, 13, 6]


def test_ceil_mode_drops_a_window_that_begins_behind_the_input():
    assert output_size(4, 2, 3, ceil=True) == 2  # windows at 0 and 3, the last half outside
    assert output_size(3, 2, 3, ceil=True) == 1  # a window at 3 would see nothing


def test_in_ceil_mode_the_only_window_may_hang_over_too():
    assert output_size(2, 3, 2, ceil=True) == 1
    with pytest.raises(NetworkError, match="at least 2"):
        output_size(1, 3, 2, ceil=True)


sizes = st.integers(1, 24)
kernels = st.integers(1, 5)
strides = st.integers(1, 4)


@given(sizes, kernels, strides, st.integers(0, 4), st.integers(1, 3))
def test_output_size_is_that_of_a_torch_convolution(size, kernel, stride, padding, dilation):
    assume(size + 2 * padding >= extent(kernel, dilation))
    result = functional.conv1d(torch.zeros(1, 1, size), torch.zeros(1, 1, kernel), None, stride, padding, dilation)
    assert output_size(size, kernel, stride, padding, dilation) == result.shape[-1]


@given(sizes, kernels, strides, st.data(), st.booleans())
def test_output_size_is_that_of_a_torch_pooling(size, kernel, stride, data, ceil):
    padding = data.draw(st.integers(0, kernel // 2))
    assume(size + 2 * padding >= kernel - ceil * (stride - 1))
    result = functional.max_pool1d(torch.zeros(1, 1, size), kernel, stride, padding, ceil_mode=ceil)
    assert output_size(size, kernel, stride, padding, ceil=ceil) == result.shape[-1]


@given(sizes, kernels, strides, st.integers(1, 3))
def test_same_padding_makes_the_size_over_the_stride_rounded_up(size, kernel, stride, dilation):
    before, after = same_padding(size, kernel, stride, dilation)
    assert 0 <= after - before <= 1
    assert output_size(size, kernel, stride, "same", dilation) == -(-size // stride)


@given(sizes, kernels, strides, st.integers(0, 2), st.integers(0, 3), st.integers(1, 3))
def test_transposed_output_size_is_torchs(size, kernel, stride, padding, output_padding, dilation):
    assume(output_padding < max(stride, dilation))
    assume((size - 1) * stride - 2 * padding + extent(kernel, dilation) + output_padding >= 1)
    weight = torch.zeros(1, 1, kernel)
    result = functional.conv_transpose1d(
        torch.zeros(1, 1, size), weight, None, stride, padding, output_padding, 1, dilation
    )
    assert transposed_output_size(size, kernel, stride, padding, output_padding, dilation) == result.shape[-1]


def test_a_kernel_that_does_not_fit_names_the_size_that_would():
    with pytest.raises(NetworkError, match=r"spans 9 .* axis of 4 .* at least 7"):
        output_size(4, 3, padding=1, dilation=4)


@pytest.mark.parametrize(
    "numbers", [(0, 3, 1, 0, 1), (5, 0, 1, 0, 1), (5, 3, 0, 0, 1), (5, 3, 1, -1, 1), (5, 3, 1, 0, 0)]
)
def test_impossible_numbers_are_refused(numbers):
    with pytest.raises(NetworkError):
        output_size(*numbers)


def test_an_unknown_padding_is_refused():
    with pytest.raises(NetworkError, match="valid, same, full"):
        output_size(5, 3, padding="mirror")


def test_a_transposed_convolution_that_leaves_nothing_is_refused():
    with pytest.raises(NetworkError, match="leaves nothing"):
        transposed_output_size(1, 3, padding=2)


def test_size_through_a_chain_and_the_least_that_it_takes():
    lenet = (Window(5), Window(2, 2), Window(5), Window(2, 2), Window(5))
    assert [size_through(size, lenet) for size in (32, 35, 36)] == [1, 1, 2]
    with pytest.raises(NetworkError, match="at least 32 a side, got 31"):
        size_through(31, lenet)


@given(st.lists(st.builds(Window, kernels, strides), max_size=4), st.integers(1, 60))
def test_size_through_accepts_exactly_what_the_layers_accept(windows, size):
    def layer_by_layer() -> int:
        left = size
        for window in windows:
            left = output_size(left, window.kernel, window.stride)
        return left

    try:
        expected = layer_by_layer()
    except NetworkError:
        with pytest.raises(NetworkError):
            size_through(size, windows)
    else:
        assert size_through(size, windows) == expected


def test_parameters_by_hand():
    assert convolution_parameters(3, 16, (3, 3)) == 448
    assert convolution_parameters(96, 256, (5, 5), groups=2) == 307_456  # AlexNet's conv2 on two GPUs
    assert convolution_parameters(96, 256, (5, 5)) == 614_656
    assert convolution_parameters(32, 32, (3, 3), groups=32, bias=False) == 288
    assert convolution_parameters(40, 10, (7,)) == 2_810
    assert convolution_parameters(1, 2, (3, 3, 3)) == 56
    assert dense_parameters(9216, 4096) == 37_752_832
    assert dense_parameters(100, 50) + dense_parameters(50, 100) == 10_150


def test_macs_by_hand():
    assert convolution_macs(3, 96, (11, 11), (55, 55)) == 105_415_200
    assert convolution_macs(96, 256, (5, 5), (27, 27), groups=2) == 447_897_600 // 2
    assert convolution_macs(40, 10, (7,), (100,)) == 280_000
    assert dense_macs(4096, 1000) == 4_096_000


def test_uneven_groups_are_refused():
    with pytest.raises(NetworkError, match="3 groups do not divide 4 input maps and 6 output maps"):
        convolution_parameters(4, 6, (3, 3), groups=3)
