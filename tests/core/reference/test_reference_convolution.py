"""Convolution, its relatives and their backward passes against torch, NumPy and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
import torch
from drawn import CONVOLUTIONS, TRANSPOSED, close, convolutions, gradients, seeds, tensors, transposed
from hypothesis import given
from hypothesis import strategies as st

from neocog.core.errors import NetworkError
from neocog.core.reference.arrays import spaced
from neocog.core.reference.convolution import convolution_layer, convolve, correlate
from neocog.core.reference.convolution_gradients import bias_gradient, input_gradient, weight_gradient
from neocog.core.reference.transposed import spread, transposed_convolution


@given(convolutions())
def test_the_layer_is_torchs(drawn):
    x, weights, bias = tensors(drawn.x, drawn.weights, drawn.bias)
    theirs = CONVOLUTIONS[drawn.x.ndim - 1](x, weights, bias, **drawn.settings)
    close(convolution_layer(drawn.x, drawn.weights, drawn.bias, **drawn.settings), theirs)


@given(convolutions(), seeds)
def test_the_backward_pass_is_torchs_autograd(drawn, rng):
    inputs = tensors(drawn.x, drawn.weights, drawn.bias)
    theirs = CONVOLUTIONS[drawn.x.ndim - 1](*inputs, **drawn.settings)
    upstream = rng.normal(size=theirs.shape)
    dx, dw, db = gradients(theirs, upstream, *inputs)
    close(input_gradient(upstream, drawn.weights, drawn.x.shape[1:], **drawn.settings), dx)
    close(weight_gradient(upstream, drawn.x, drawn.weights.shape[2:], **drawn.settings), dw)
    close(bias_gradient(upstream), db)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@given(convolutions(), st.sampled_from(["same", "valid"]), seeds)
def test_named_paddings_are_torchs(drawn, padding, rng):
    settings = drawn.settings | {"padding": padding, "stride": 1}
    axes = zip(drawn.weights.shape[2:], settings["dilation"], drawn.x.shape[1:], strict=True)
    spare = [max(kernel * dilation - size, 0) for kernel, dilation, size in axes]
    image = np.pad(drawn.x, [(0, 0), *((0, more) for more in spare)], mode="edge")
    x, weights = tensors(image, drawn.weights)
    theirs = CONVOLUTIONS[image.ndim - 1](x, weights, None, **settings)
    close(convolution_layer(image, drawn.weights, **settings), theirs)
    upstream = rng.normal(size=theirs.shape)
    dx, dw = gradients(theirs, upstream, x, weights)
    close(input_gradient(upstream, drawn.weights, image.shape[1:], **settings), dx)
    close(weight_gradient(upstream, image, drawn.weights.shape[2:], **settings), dw)


@given(transposed())
def test_the_transposed_layer_is_torchs(case):
    drawn, extra = case
    settings = drawn.settings | {"output_padding": extra}
    try:
        theirs = TRANSPOSED[drawn.x.ndim - 1](*tensors(drawn.x, drawn.weights, drawn.bias), **settings)
    except RuntimeError:  # nothing is left
        with pytest.raises(NetworkError, match="leaves nothing"):
            transposed_convolution(drawn.x, drawn.weights, drawn.bias, **settings)
    else:
        close(transposed_convolution(drawn.x, drawn.weights, drawn.bias, **settings), theirs)


@given(convolutions(), seeds)
def test_the_transposed_convolution_is_the_transpose(drawn, rng):
    settings = drawn.settings | {"padding": 0}
    image = np.pad(drawn.x, [(0, 0), *((p, p) for p in drawn.settings["padding"])])
    made = convolution_layer(image, drawn.weights, **settings)
    other = rng.normal(size=made.shape)
    back = transposed_convolution(other, drawn.weights, **settings)
    assert np.vdot(made, other) == pytest.approx(np.vdot(image[:, *map(slice, back.shape[1:])], back))


def flat(shape, rng):
    return rng.normal(size=shape)


@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from(["full", "valid"]), seeds)
def test_sound_is_convolved_as_numpy_does(length, taps, mode, rng):
    signal, kernel = flat(max(length, taps), rng), flat(taps, rng)
    close(convolve(signal, kernel, padding=mode), np.convolve(signal, kernel, mode))
    close(correlate(signal, kernel, padding=mode), np.correlate(signal, kernel, mode))


@given(st.sampled_from([1, 3, 5]), st.sampled_from([1, 3]), st.sampled_from(["full", "valid", "same"]), seeds)
def test_pictures_are_convolved_as_scipy_does(height, width, mode, rng):
    image, kernel = flat((6, 7), rng), flat((height, width), rng)
    close(convolve(image, kernel, padding=mode), scipy.signal.convolve(image, kernel, mode, "direct"))
    close(correlate(image, kernel, padding=mode), scipy.signal.correlate(image, kernel, mode, "direct"))


@given(seeds)
def test_convolution_commutes_and_correlation_does_not_flip(rng):
    one, other = flat((3, 4), rng), flat((2, 3), rng)
    close(convolve(one, other, padding="full"), convolve(np.pad(other, ((2, 2), (3, 3))), one))
    close(correlate(one, other), convolve(one, other[::-1, ::-1]))


def test_by_hand():
    assert correlate(np.array([1, 2, 3]), np.array([1, 0, -1])).tolist() == [-2]
    assert convolve(np.array([1, 2, 3]), np.array([1, 0, -1])).tolist() == [2]
    assert convolve(np.array([1, 2]), np.array([1, 10]), padding="full").tolist() == [1, 12, 20]
    assert correlate(np.arange(7), np.array([1, 1]), stride=2, dilation=3).tolist() == [3, 7]
    assert correlate(np.ones((3, 3)), np.ones((3, 3)), padding="same").tolist() == [[4, 6, 4], [6, 9, 6], [4, 6, 4]]


def test_spread_by_hand():
    x, kernel = np.array([[1.0, 2.0]]), np.array([[[1.0, 10.0, 100.0]]])
    assert spaced(x, 3).tolist() == [[1, 0, 0, 2]]
    assert spread(x, kernel, stride=2).tolist() == [[1, 10, 102, 20, 200]]  # they overlap at the third place
    assert transposed_convolution(x, kernel, stride=2, padding=1).tolist() == [[10, 102, 20]]
    longer = transposed_convolution(x, kernel, np.array([0.5]), stride=2, padding=1, output_padding=1)
    assert longer.tolist() == [[10.5, 102.5, 20.5, 200.5]]


def test_gradients_by_hand():
    """The courses' 3x3 image under a 2x2 kernel, written out."""
    x, w, g = np.arange(1.0, 10).reshape(1, 3, 3), np.array([[[[1.0, 2.0], [3.0, 4.0]]]]), np.array([[[1, 10], [0, 5]]])
    assert input_gradient(g, w, (3, 3)).tolist() == [[[1, 12, 20], [3, 39, 50], [0, 15, 20]]]
    assert weight_gradient(g, x, (2, 2)).tolist() == [[[[1 + 20 + 25, 2 + 30 + 30], [4 + 50 + 40, 5 + 60 + 45]]]]
    assert bias_gradient(g).tolist() == [16]


def test_what_no_window_reaches_has_no_gradient():
    assert input_gradient(np.ones((1, 2)), np.ones((1, 1, 2)), (6,), stride=2).tolist() == [[1, 1, 1, 1, 0, 0]]


def test_a_kernel_that_does_not_fit_is_refused():
    with pytest.raises(NetworkError, match="does not fit"):
        correlate(np.ones(2), np.ones(3))


def test_gradients_by_autograd_of_a_second_layer():
    """Two layers in a row: what one hands back is what the other gets."""
    rng = np.random.default_rng(0)
    x, first, second = flat((2, 8, 8), rng), flat((3, 2, 3, 3), rng), flat((2, 3, 3, 3), rng)
    hidden = convolution_layer(x, first, stride=2, padding=1)
    upstream = flat(convolution_layer(hidden, second).shape, rng)
    back = input_gradient(input_gradient(upstream, second, hidden.shape[1:]), first, (8, 8), stride=2, padding=1)
    inputs = tensors(x, first, second)
    made = torch.conv2d(torch.conv2d(inputs[0], inputs[1], stride=2, padding=1), inputs[2])
    close(back, gradients(made, upstream, inputs[0])[0])
