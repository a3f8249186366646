"""Output sizes, parameters and multiply-accumulates are those of torch's own modules, in one to three dimensions."""

from __future__ import annotations

from math import prod
from typing import Any

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from neocog.core.arithmetic import (
    convolution_macs,
    convolution_parameters,
    dense_macs,
    dense_parameters,
    each_axis,
    extent,
    local_parameters,
    norm_parameters,
    output_shape,
    transposed_output_shape,
)
from neocog.core.errors import NetworkError
from neocog.core.layers import layer_table

CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
MAX_POOLS = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}
AVERAGE_POOLS = {1: nn.AvgPool1d, 2: nn.AvgPool2d, 3: nn.AvgPool3d}


def per_axis(draw: Any, axes: int, least: int, most: int) -> tuple[int, ...]:
    return tuple(draw(st.lists(st.integers(least, most), min_size=axes, max_size=axes)))


def made_of(layer: nn.Module, shape: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
    """Returns the shape that torch makes of one sample and the multiply-accumulates that its own counter counts."""
    with FlopCounterMode(display=False) as counter:
        outputs = layer(torch.zeros(1, *shape, device="meta"))
    return tuple(outputs.shape[1:]), counter.get_total_flops() // 2


def weights_of(layer: nn.Module) -> int:
    return sum(parameter.numel() for parameter in layer.parameters())


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@given(st.data(), st.integers(1, 3), st.integers(1, 3), st.booleans())
def test_convolutions(data, axes, groups, bias):
    sizes, kernel = per_axis(data.draw, axes, 1, 9), per_axis(data.draw, axes, 1, 4)
    dilation = per_axis(data.draw, axes, 1, 3)
    padding = data.draw(st.sampled_from(["valid", "same", "full", "numbers"]))
    stride = (1,) * axes if padding == "same" else per_axis(data.draw, axes, 1, 3)  # torch has no "same" but at 1
    ours = theirs = padding
    if padding == "full":
        theirs = tuple(map(lambda k, d: extent(k, d) - 1, kernel, dilation))
    if padding == "numbers":
        ours = theirs = per_axis(data.draw, axes, 0, 3)
    inputs, outputs = groups * data.draw(st.integers(1, 2)), groups * data.draw(st.integers(1, 2))
    numbers = theirs if isinstance(theirs, tuple) else (0,) * axes
    spans = map(extent, kernel, dilation)
    assume(padding == "same" or all(n + 2 * p >= e for n, p, e in zip(sizes, numbers, spans, strict=True)))
    with torch.device("meta"):
        layer = CONVOLUTIONS[axes](inputs, outputs, kernel, stride, theirs, dilation, groups, bias)
    shape, macs = made_of(layer, (inputs, *sizes))
    made = output_shape(sizes, kernel, stride, ours, dilation)
    assert (outputs, *made) == shape
    assert convolution_parameters(inputs, outputs, kernel, groups=groups, bias=bias) == weights_of(layer)
    assert convolution_macs(inputs, outputs, kernel, made, groups=groups) == macs
    (row,) = layer_table(nn.Sequential(layer), (inputs, *sizes))
    assert (row.output_shape, row.params, row.macs) == (shape, weights_of(layer), macs)


@given(st.data(), st.integers(1, 3), st.integers(1, 3), st.booleans())
def test_transposed_convolutions(data, axes, groups, bias):
    sizes, kernel, stride = (per_axis(data.draw, axes, 1, most) for most in (6, 4, 3))
    dilation, padding = per_axis(data.draw, axes, 1, 3), per_axis(data.draw, axes, 0, 2)
    extra = tuple(data.draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True))
    inputs, outputs = groups * data.draw(st.integers(1, 2)), groups * data.draw(st.integers(1, 2))
    try:
        made = transposed_output_shape(sizes, kernel, stride, padding, extra, dilation)
    except NetworkError:
        assume(False)
    with torch.device("meta"):
        layer = TRANSPOSED[axes](inputs, outputs, kernel, stride, padding, extra, groups, bias, dilation)
    shape, macs = made_of(layer, (inputs, *sizes))
    assert (outputs, *made) == shape
    assert convolution_parameters(inputs, outputs, kernel, groups=groups, bias=bias) == weights_of(layer)
    assert convolution_macs(inputs, outputs, kernel, sizes, groups=groups) == macs
    (row,) = layer_table(nn.Sequential(layer), (inputs, *sizes))
    assert (row.output_shape, row.params, row.macs) == (shape, weights_of(layer), macs)


@given(st.data(), st.integers(1, 3), st.booleans(), st.booleans())
def test_poolings(data, axes, ceil, largest):
    sizes, kernel, stride = (per_axis(data.draw, axes, 1, most) for most in (9, 4, 4))
    padding = tuple(data.draw(st.integers(0, taps // 2)) for taps in kernel)
    dilation = per_axis(data.draw, axes, 1, 2) if largest else (1,) * axes
    assume(largest or all(n >= k for n, k in zip(sizes, kernel, strict=True)))  # torch averages no less in 3-D
    if largest:
        layer = MAX_POOLS[axes](kernel, stride, padding, dilation, ceil_mode=ceil)
    else:
        layer = AVERAGE_POOLS[axes](kernel, stride, padding, ceil_mode=ceil)
    try:
        shape, _ = made_of(layer, (2, *sizes))
    except RuntimeError:
        with pytest.raises(NetworkError, match="does not fit"):
            output_shape(sizes, kernel, stride, padding, dilation, ceil=ceil)
        return
    assert (2, *output_shape(sizes, kernel, stride, padding, dilation, ceil=ceil)) == shape
    (row,) = layer_table(nn.Sequential(layer), (2, *sizes))
    assert (row.output_shape, row.params, row.macs) == (shape, 0, 0)


@given(st.integers(1, 9), st.integers(1, 9), st.booleans())
def test_dense_layers_and_norms(inputs, outputs, bias):
    with torch.device("meta"):
        layer = nn.Linear(inputs, outputs, bias)
    _, macs = made_of(layer, (inputs,))
    assert (dense_parameters(inputs, outputs, bias=bias), dense_macs(inputs, outputs)) == (weights_of(layer), macs)
    for norm in (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d):
        assert norm_parameters(inputs) == weights_of(norm(inputs))


def test_local_connections_have_a_convolution_at_every_place():
    assert local_parameters(16, 16, (9, 9), (55, 55)) == 55 * 55 * 16 * (81 * 16 + 1)  # DeepFace's L4
    assert local_parameters(2, 3, (4,), (5,), bias=False) == 5 * prod((2, 3, 4))


def test_settings_are_for_all_axes_or_one_an_axis():
    assert output_shape((9, 8), 3) == output_shape((9, 8), (3, 3)) == (7, 6)
    assert output_shape((9, 8, 7), 3, (1, 2, 3), ("same", "valid", 1)) == (9, 3, 3)
    assert transposed_output_shape((4,), 2, 2) == (8,)
    assert each_axis("same", 2) == ("same", "same")
    with pytest.raises(NetworkError, match=r"one for each of 2 axes; got \(3, 3, 3\)"):
        output_shape((9, 8), (3, 3, 3))
