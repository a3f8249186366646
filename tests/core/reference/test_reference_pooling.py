"""Pooling, decimation and local connections against torch's autograd, and the rule of ties."""

from __future__ import annotations

import numpy as np
import torch
from drawn import AVERAGE_POOLS, MAX_POOLS, close, gradients, poolings, seeds, tensors
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from neocog.core.reference.convolution import convolution_layer
from neocog.core.reference.local import local_gradients, local_layer
from neocog.core.reference.pooling import (
    Windows,
    average_pool,
    average_pool_gradient,
    decimate,
    max_pool,
    max_pool_gradient,
)


@given(poolings(dilated=True), seeds)
def test_max_pooling_is_torchs_ties_and_overlaps_included(case, rng):
    image, settings = case
    (x,) = tensors(image)
    numbers = [settings[name] for name in ("kernel", "stride", "padding", "dilation", "ceil")]
    theirs = MAX_POOLS[image.ndim - 1](x, *numbers)
    close(max_pool(image, Windows(*numbers)), theirs)
    upstream = rng.normal(size=theirs.shape)
    close(max_pool_gradient(upstream, image, Windows(*numbers)), gradients(theirs, upstream, x)[0])


@given(poolings(dilated=False), st.booleans(), seeds)
def test_average_pooling_is_torchs(case, count, rng):
    image, settings = case
    (x,) = tensors(image)
    numbers = [settings[name] for name in ("kernel", "stride", "padding")]
    theirs = AVERAGE_POOLS[image.ndim - 1](x, *numbers, settings["ceil"], count)
    windows = Windows(*numbers, ceil=settings["ceil"])
    close(average_pool(image, windows, count_padding=count), theirs)
    upstream = rng.normal(size=theirs.shape)
    ours = average_pool_gradient(upstream, image, windows, count_padding=count)
    close(ours, gradients(theirs, upstream, x)[0])


def test_of_equal_inputs_the_first_in_scan_order_wins():
    image, upstream = np.array([[[0.0, 7, 7], [7, 7, 0], [0, 0, 0]]]), np.array([[[1.0, 10], [100, 1000]]])
    ours = max_pool_gradient(upstream, image, Windows(2, 1))
    assert ours.tolist() == [[[0, 11, 0], [100, 1000, 0], [0, 0, 0]]]


def test_padding_never_wins_and_overlaps_accumulate():
    image = np.full((1, 2, 2), -5.0)
    assert max_pool(image, Windows(2, 1, 1)).tolist() == np.full((1, 3, 3), -5.0).tolist()
    assert max_pool_gradient(np.ones((1, 3, 3)), image, Windows(2, 1, 1)).tolist() == [[[4, 2], [2, 1]]]


def test_averages_with_and_without_padding_by_hand():
    image = np.array([[1.0, 2, 3]])
    assert average_pool(image, Windows(2, 2, 1)).tolist() == [[0.5, 2.5]]
    assert average_pool(image, Windows(2, 2, 1), count_padding=False).tolist() == [[1, 2.5]]
    assert average_pool(image, Windows(2, 2, ceil=True)).tolist() == [[1.5, 3]]  # what hangs over never counts
    assert average_pool_gradient(np.array([[6.0, 8]]), image, Windows(2, 1)).tolist() == [[3, 7, 4]]


@given(st.integers(1, 4), st.integers(1, 3), seeds)
def test_disjoint_max_pooling_is_overlapping_pooling_decimated(step, axes, rng):
    image = rng.normal(size=(1,) + (2 * step,) * axes)
    everywhere = max_pool(image, Windows(step, 1))[0]
    close(decimate(everywhere, step), max_pool(image, Windows(step))[0])


@given(st.integers(1, 2), st.integers(1, 2), st.tuples(st.integers(1, 3), st.integers(1, 3)), st.integers(1, 2), seeds)
def test_local_connections_are_torchs_autograd_over_unfolded_patches(inputs, outputs, kernel, stride, rng):
    image = rng.normal(size=(inputs, 5, 6))
    made = [(size - taps) // stride + 1 for size, taps in zip(image.shape[1:], kernel, strict=True)]
    weights, bias = rng.normal(size=(outputs, inputs, *made, *kernel)), rng.normal(size=(outputs, *made))
    x, w, b = tensors(image, weights, bias)
    patches = functional.unfold(x[None], kernel, stride=stride)[0].reshape(inputs, *kernel, *made)
    theirs = torch.einsum("ocyxij,cijyx->oyx", w, patches) + b
    close(local_layer(image, weights, bias, stride=stride), theirs)
    upstream = rng.normal(size=theirs.shape)
    ours = local_gradients(upstream, image, weights, stride=stride)
    for mine, reference in zip(ours, gradients(theirs, upstream, x, w, b), strict=True):
        close(mine, reference)


@given(st.integers(1, 3), st.integers(1, 2), seeds)
def test_local_connections_that_share_their_kernel_are_a_convolution(axes, stride, rng):
    image, kernel = rng.normal(size=(2, *(5,) * axes)), rng.normal(size=(3, 2, *(2,) * axes))
    shared = convolution_layer(image, kernel, stride=stride)
    places = shared.shape[1:]
    own = np.broadcast_to(kernel[:, :, *(None,) * axes], (3, 2, *places, *(2,) * axes))
    close(local_layer(image, own, stride=stride), shared)
