"""Random layers over one, two or three axes, and torch's functions to hold the reference against."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from hypothesis import strategies as st
from torch.nn import functional

from neocog.core.arithmetic import extent

CONVOLUTIONS = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
TRANSPOSED = {1: functional.conv_transpose1d, 2: functional.conv_transpose2d, 3: functional.conv_transpose3d}
MAX_POOLS = {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d}
AVERAGE_POOLS = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}


class Drawn(NamedTuple):
    """Maps (C, ...), weights (O, C / groups, ...), a bias (O,) and the layer's settings, one number an axis."""

    x: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    settings: dict[str, Any]


@st.composite
def convolutions(draw) -> Drawn:
    """Draws a layer that fits its input."""
    axes = draw(st.integers(1, 3))
    kernel, stride, padding, dilation = (
        tuple(draw(st.lists(st.integers(least, most), min_size=axes, max_size=axes)))
        for least, most in ((1, 3), (1, 3), (0, 2), (1, 2))
    )
    sizes = [
        max(extent(k, d) - 2 * p, 1) + draw(st.integers(0, 3))
        for k, p, d in zip(kernel, padding, dilation, strict=True)
    ]
    groups = draw(st.integers(1, 3))
    inputs, outputs = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    rng = generator(draw)
    return Drawn(
        rng.normal(size=(inputs, *sizes)),
        rng.normal(size=(outputs, inputs // groups, *kernel)),
        rng.normal(size=outputs),
        {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups},
    )


@st.composite
def transposed(draw) -> tuple[Drawn, tuple[int, ...]]:
    """Draws a layer to be read as a transposed one, weights (C, O / groups, ...), and its output padding."""
    made = draw(convolutions())
    extra = tuple(
        draw(st.integers(0, max(s, d) - 1))
        for s, d in zip(made.settings["stride"], made.settings["dilation"], strict=True)
    )
    rng = generator(draw)
    x = rng.normal(size=(len(made.weights), *(draw(st.integers(1, 4)) for _ in extra)))
    bias = rng.normal(size=made.weights.shape[1] * made.settings["groups"])
    return Drawn(x, made.weights, bias, made.settings), extra


@st.composite
def poolings(draw, *, dilated: bool) -> tuple[np.ndarray, dict[str, Any]]:
    """Draws maps of few different numbers, so that there are ties, and windows as torch allows them."""
    axes = draw(st.integers(1, 3))
    kernel = tuple(draw(st.lists(st.integers(1, 3), min_size=axes, max_size=axes)))
    settings = {
        "kernel": kernel,
        "stride": tuple(draw(st.integers(1, 3)) for _ in kernel),
        "padding": tuple(draw(st.integers(0, taps // 2)) for taps in kernel),
        "dilation": tuple(draw(st.integers(1, 2)) if dilated else 1 for _ in kernel),
        "ceil": draw(st.booleans()),
    }
    sizes = [extent(k, d) + draw(st.integers(0, 3)) for k, d in zip(kernel, settings["dilation"], strict=True)]
    return generator(draw).integers(0, 4, size=(2, *sizes)).astype(float), settings


def generator(draw) -> np.random.Generator:
    return np.random.default_rng(draw(st.integers(0, 2**32 - 1)))


seeds = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def tensors(*arrays: np.ndarray) -> list[torch.Tensor]:
    """Returns tensors that ask for gradients."""
    return [torch.tensor(array, dtype=torch.float64, requires_grad=True) for array in arrays]


def gradients(outputs: torch.Tensor, upstream: np.ndarray, *inputs: torch.Tensor) -> list[np.ndarray]:
    """Returns what torch's autograd makes of the upstream gradient."""
    return [each.numpy() for each in torch.autograd.grad(outputs, inputs, torch.tensor(upstream))]


def close(ours: np.ndarray, theirs: np.ndarray | torch.Tensor) -> None:
    """Asserts that shapes are equal and numbers the same but for the last digits of double precision."""
    theirs = theirs.detach().numpy() if isinstance(theirs, torch.Tensor) else theirs
    assert np.shape(ours) == np.shape(theirs)
    np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-9)
