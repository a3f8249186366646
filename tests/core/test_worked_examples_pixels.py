"""The courses' worked examples: convolution, pooling and filters, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from neocog.core.reference.arrays import spaced
from neocog.core.reference.convolution import convolution_layer, convolve, correlate
from neocog.core.reference.convolution_gradients import input_gradient, weight_gradient
from neocog.core.reference.filters import (
    HIGH_PASS_HORIZONTAL,
    HIGH_PASS_VERTICAL,
    LOW_PASS,
    SOBEL_X,
    SOBEL_Y,
    filtered,
    sobel_magnitude,
)
from neocog.core.reference.pooling import Windows, decimate, max_pool, max_pool_gradient

POOLED = np.array([[[2, 4, 8, 3, 6], [9, 3, 4, 2, 5], [5, 4, 6, 3, 1], [2, 3, 1, 3, 4], [2, 7, 4, 5, 7]]], float)
WINNERS = [[(1, 0), (0, 2), (0, 2)], [(1, 0), (2, 2), (2, 2)], [(4, 1), (4, 1), (4, 4)]]
UPSTREAM = np.array([[[1, 3, 1], [1, 4, 2], [6, 2, 1]]], float)


def test_s1_max_pooling_forward():
    assert max_pool(POOLED, Windows(3, 1))[0].tolist() == [[9, 8, 8], [9, 6, 6], [7, 7, 7]]


@pytest.mark.parametrize("place", list(np.ndindex(3, 3)), ids=str)
def test_s1_winners(place):
    """No window has a tie, so the gradient of one output goes to one input."""
    row, column = place
    window = POOLED[0, row : row + 3, column : column + 3]
    assert (window == window.max()).sum() == 1
    only = np.zeros_like(UPSTREAM)
    only[0, row, column] = 1
    reached = max_pool_gradient(only, POOLED, Windows(3, 1))[0]
    assert np.argwhere(reached).tolist() == [list(WINNERS[row][column])]


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        (1, {(1, 0): 1}),
        (2, {(1, 0): 1, (0, 2): 3}),
        (3, {(1, 0): 1, (0, 2): 4}),  # 3 + 1; here the slides stop
        (9, {(0, 2): 4, (1, 0): 2, (2, 2): 6, (4, 1): 8, (4, 4): 1}),
    ],
)
def test_s1_max_pooling_backward_window_by_window(windows, expected):
    upstream = np.where(np.arange(9).reshape(1, 3, 3) < windows, UPSTREAM, 0)
    gradient = max_pool_gradient(upstream, POOLED, Windows(3, 1))[0]
    assert {tuple(place): gradient[tuple(place)] for place in np.argwhere(gradient)} == expected


def test_s1_max_pooling_backward():
    gradient = max_pool_gradient(UPSTREAM, POOLED, Windows(3, 1))[0]
    assert gradient.tolist() == [
        [0, 0, 4, 0, 0], [2, 0, 0, 0, 0], [0, 0, 6, 0, 0], [0, 0, 0, 0, 0], [0, 8, 0, 0, 1],
    ]  # fmt: skip
    assert gradient.sum() == UPSTREAM.sum() == 21


def test_s0_windows_that_do_not_overlap_hand_each_gradient_to_one_input():
    image, upstream = np.arange(16.0).reshape(1, 4, 4), np.arange(1.0, 5).reshape(1, 2, 2)
    gradient = max_pool_gradient(upstream, image, Windows(2))[0]
    assert gradient.tolist() == [[0, 0, 0, 0], [0, 1, 0, 2], [0, 0, 0, 0], [0, 3, 0, 4]]


def test_s4_a_cross_under_a_filter():
    cross, kernel = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]]), np.array([[0, 2, 0], [2, 4, 3], [3, 1, 0]])
    assert (cross * kernel).sum(1).tolist() == [2, 9, 1]
    assert correlate(cross, kernel).tolist() == [[12]]
    SLIDE_LAST_PRODUCT = (0, 1)  # the value is the same
    assert (kernel[2, 2], cross[2, 2]) == (0, 0) != SLIDE_LAST_PRODUCT
    bar = np.array([[0, 0, 0], [1, 1, 1], [0, 0, 0]])
    assert (bar * kernel).sum(1).tolist() == [0, 9, 0]
    assert correlate(bar, kernel).tolist() == [[9]]


def test_s4_a_volume_of_three_channels():
    kernel = np.array([[-2, 3], [5, -1]])
    patches = np.array([[[3, 1], [4, 1]], [[2, -1], [-3, 1]], [[1, -1], [2, -1]]])
    assert [int(correlate(patch, kernel).item()) for patch in patches] == [16, -23, 6]
    assert convolution_layer(patches, np.stack([[kernel] * 3]), np.array([-2])).tolist() == [[[-3]]]


def test_s4_filters_make_as_many_maps_of_the_size_of_the_output():
    SLIDE_SIDE = 3  # "p x p", which is the size of the filter
    made = convolution_layer(np.ones((1, 8, 8)), np.ones((5, 1, 3, 3)))
    assert made.shape == (5, 6, 6)
    assert made.shape[1] != SLIDE_SIDE


def test_s0_s3_a_5x5_picture_under_a_3x3_kernel():
    image = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]])
    kernel = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]])
    assert correlate(image, kernel).tolist() == [[4, 3, 4], [2, 4, 3], [2, 3, 4]]
    assert convolve(image, kernel).tolist() == correlate(image, kernel).tolist()  # the kernel is symmetric


STEP = np.array([[255, 255, 0, 0]] * 4, float)


def test_s3_low_pass():
    smoothed = filtered(STEP, LOW_PASS)
    assert smoothed.tolist() == [[255, 191.25, 63.75, 0]] * 4
    assert smoothed.round().tolist() == [[255, 191, 64, 0]] * 4
    mirrored = correlate(np.pad(STEP, 1, mode="reflect"), LOW_PASS)
    assert mirrored[:, 1:].tolist() == smoothed[:, 1:].tolist()
    zeros = filtered(STEP, LOW_PASS, "zero").round().tolist()
    assert zeros == [[143, 143, 48, 0], [191, 191, 64, 0], [191, 191, 64, 0], [143, 143, 48, 0]]


def test_s3_high_pass():
    assert filtered(STEP, HIGH_PASS_VERTICAL).tolist() == [[0, 765, 765, 0]] * 4
    assert not filtered(STEP, HIGH_PASS_HORIZONTAL).any()
    assert filtered(STEP, HIGH_PASS_VERTICAL, "valid").tolist() == [[765, 765]] * 2
    assert convolve(STEP, HIGH_PASS_VERTICAL).tolist() == [[-765, -765]] * 2  # a true convolution turns the kernel


def sobel(image):
    """Returns Gx, Gy and G where the whole 3x3 neighbourhood lies inside."""
    return filtered(image, SOBEL_X, "valid"), filtered(image, SOBEL_Y, "valid"), sobel_magnitude(image, "valid")


def test_s0_sobel_kernels():
    assert SOBEL_X.tolist() == [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    assert SOBEL_Y.tolist() == [[-1, -2, -1], [0, 0, 0], [1, 2, 1]]


def test_s0_sobel_on_a_vertical_step():
    across, down, steep = sobel(np.array([[0, 0, 0, 1, 1, 1]] * 5, float))
    assert across.tolist() == steep.tolist() == [[0, 4, 4, 0]] * 3
    assert not down.any()


def test_s0_sobel_on_a_dot():
    dot = np.zeros((5, 5))
    dot[2, 2] = 1
    across, down, steep = sobel(dot)
    assert across.tolist() == [[1, 0, -1], [2, 0, -2], [1, 0, -1]]
    assert down.tolist() == [[1, 2, 1], [0, 0, 0], [-1, -2, -1]]
    assert_allclose(steep, [[1.4142, 2, 1.4142], [2, 0, 2], [1.4142, 2, 1.4142]], atol=5e-5)


def test_s0_sobel_on_a_triangle():
    _, _, steep = sobel(np.tri(6))
    diagonals = {offset: set(np.diagonal(steep, offset).round(4).tolist()) for offset in range(-3, 4)}
    centre = {offset: values for offset, values in diagonals.items() if values != {0.0}}
    assert 3 * np.sqrt(2) == pytest.approx(4.2426, abs=5e-5)
    assert sorted(map(tuple, centre.values())) == [(1.4142,), (1.4142,), (4.2426,), (4.2426,)]
    offsets = sorted(centre)
    assert [centre[offset] for offset in offsets] == [{1.4142}, {4.2426}, {4.2426}, {1.4142}]
    assert offsets == list(range(offsets[0], offsets[0] + 4))  # next to one another


def test_s0_decimation_of_what_was_pooled():
    pooled = np.array([[3, 4, 1], [0, 2, 3], [2, 2, 0]]).repeat(2, 0).repeat(2, 1)
    assert pooled[0].tolist() == [3, 3, 4, 4, 1, 1]
    assert decimate(pooled, 2).tolist() == [[3, 4, 1], [0, 2, 3], [2, 2, 0]]
    assert max_pool(pooled[None], Windows(2))[0].tolist() == decimate(pooled, 2).tolist()


def test_s2_four_neurons_and_their_gradients():
    """A 3x3 filter at stride 2 on 5x5: dL/dx00 = dL/dy00 f00."""
    rng = np.random.default_rng(0)
    x, f, g = rng.normal(size=(1, 5, 5)), rng.normal(size=(1, 1, 3, 3)), rng.normal(size=(1, 2, 2))
    y = convolution_layer(x, f, stride=2)
    assert y.shape == (1, 2, 2)
    assert y[0, 0, 0] == pytest.approx((x[0, :3, :3] * f[0, 0]).sum())
    dx, df = input_gradient(g, f, (5, 5), stride=2), weight_gradient(g, x, (3, 3), stride=2)
    assert dx[0, 0, 0] == pytest.approx(g[0, 0, 0] * f[0, 0, 0, 0])
    apart = spaced(g, 2)[0]  # (3, 3)
    assert_allclose(dx[0], correlate(apart, f[0, 0, ::-1, ::-1], padding="full"))
    assert_allclose(df[0, 0], correlate(x[0], apart))
    for array, gradient in ((x, dx), (f, df)):  # and by differences
        for place in np.ndindex(*array.shape):
            nudge = np.zeros_like(array)
            nudge[place] = 1e-3
            ends = [convolution_layer(x + s * nudge, f, stride=2) if array is x else
                    convolution_layer(x, f + s * nudge, stride=2) for s in (1, -1)]  # fmt: skip
            assert gradient[place] == pytest.approx(((ends[0] - ends[1]) * g).sum() / 2e-3)
