"""Filters, maximal inputs, the sparse autoencoder, errors and counts of the reference."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import scipy.ndimage
import torch
from drawn import close, seeds, tensors
from hypothesis import given
from hypothesis import strategies as st

from neocog.core.errors import NetworkError
from neocog.core.reference.classification_error import top_k_error
from neocog.core.reference.filters import LOW_PASS, SOBEL_X, SOBEL_Y, filtered, sobel_magnitude
from neocog.core.reference.localisation import Box, localisation_error, overlap
from neocog.core.reference.maximal_input import maximal_input
from neocog.core.reference.mlp import Layer
from neocog.core.reference.sparse_autoencoder import Costs, cost, divergence, gradients
from neocog.core.reference.text import average_length, coverage, vocabulary
from neocog.core.reference.voting import exactly_right, majority_right


@given(st.integers(1, 7), st.integers(1, 7), st.sampled_from([("zero", "constant"), ("replicate", "nearest")]), seeds)
def test_filters_are_scipys(height, width, border, rng):
    image = rng.normal(size=(height, width))
    ours, theirs = border
    for kernel in (LOW_PASS, SOBEL_X, rng.normal(size=(5, 3))):
        close(filtered(image, kernel, ours), scipy.ndimage.correlate(image, kernel, mode=theirs))
    sides = [scipy.ndimage.sobel(image, axis, mode=theirs) for axis in (0, 1)]
    close(sobel_magnitude(image, ours), np.hypot(*sides))


def test_sobel_takes_each_direction_apart():
    ramp = np.arange(5.0)[None, :] * np.ones((4, 1))
    assert filtered(ramp, SOBEL_X, "valid").tolist() == np.full((2, 3), 8.0).tolist()
    assert not filtered(ramp, SOBEL_Y, "valid").any()


@given(st.integers(1, 6), st.floats(0.1, 10), seeds)
def test_no_input_within_the_bound_excites_more(size, bound, rng):
    weights = rng.normal(size=size)
    best = maximal_input(weights, bound)
    assert np.linalg.norm(best) == pytest.approx(bound)
    assert weights @ best == pytest.approx(bound * np.linalg.norm(weights))
    others = rng.normal(size=(100, size))
    others *= bound / np.linalg.norm(others, axis=1, keepdims=True)
    assert (others @ weights).max() <= weights @ best + 1e-12


def test_a_unit_without_weights_prefers_nothing():
    with pytest.raises(NetworkError, match="prefers no input"):
        maximal_input(np.zeros(3))


@given(st.floats(0.01, 0.5), st.floats(0, 4), st.floats(0, 1), seeds)
def test_the_sparse_autoencoder_is_torchs_autograd(target, penalty, decay, rng):
    costs = Costs(decay, penalty, target)
    x = rng.random((4, 5))
    arrays = [rng.normal(size=shape) for shape in ((3, 5), (3,), (5, 3), (5,))]
    w1, b1, w2, b2 = parameters = tensors(*arrays)
    hidden = torch.sigmoid(torch.tensor(x) @ w1.T + b1)
    made = torch.sigmoid(hidden @ w2.T + b2)
    rho = hidden.mean(0)
    sparsity = target * (target / rho).log() + (1 - target) * ((1 - target) / (1 - rho)).log()
    error = (made - torch.tensor(x)).square().sum(1).mean() / 2
    theirs = error + decay / 2 * (w1.square().sum() + w2.square().sum()) + penalty * sparsity.sum()
    layers = (Layer(arrays[0], arrays[1], "sigmoid"), Layer(arrays[2], arrays[3], "sigmoid"))
    assert cost(layers, x, costs) == pytest.approx(float(theirs.detach()))
    ours = [array for gradient in gradients(layers, x, costs) for array in gradient]
    for mine, reference in zip(ours, torch.autograd.grad(theirs, parameters), strict=True):
        close(mine, reference)


def test_divergence_is_zero_where_the_units_are_as_active_as_wanted():
    assert divergence(0.05, np.array([0.05])).tolist() == [0]
    assert divergence(0.5, np.array([0.25])).tolist() == pytest.approx([0.5 * np.log(2) + 0.5 * np.log(2 / 3)])


def test_top_k_error_by_hand():
    scores, labels = np.array([[0.1, 0.5, 0.4], [0.3, 0.3, 0.4], [0.8, 0.1, 0.1]]), np.array([2, 1, 2])
    assert [top_k_error(scores, labels, k) for k in (1, 2, 3)] == pytest.approx([1, 2 / 3, 0])
    assert top_k_error(np.zeros((1, 4)), np.array([1]), 2) == 0  # of equal scores the first classes rank first
    assert top_k_error(np.zeros((1, 4)), np.array([2]), 2) == 1


@given(st.integers(1, 6), st.integers(2, 8), seeds)
def test_top_k_error_is_that_of_torchs_topk(samples, classes, rng):
    scores, labels = rng.permuted(np.tile(np.arange(classes), (samples, 1)), axis=1), rng.integers(0, classes, samples)
    for k in range(1, classes + 1):
        found = (torch.tensor(scores).topk(k).indices == torch.tensor(labels)[:, None]).any(1)
        assert top_k_error(scores, labels, k) == pytest.approx(1 - float(found.double().mean()))


boxes = st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6), st.integers(0, 6)).map(
    lambda corners: Box(corners[0], corners[1], corners[0] + corners[2], corners[1] + corners[3])
)


@given(boxes, boxes)
def test_overlap_is_that_of_the_pixels(one, other):
    def pixels(box):
        return {(x, y) for x in range(box.left, box.right) for y in range(box.top, box.bottom)}

    union = pixels(one) | pixels(other)
    expected = len(pixels(one) & pixels(other)) / len(union) if union else 0
    assert overlap(one, other) == overlap(other, one) == pytest.approx(expected)


def test_a_class_without_a_good_guess_is_missed():
    truth = {"cat": [Box(0, 0, 2, 2)], "dog": [Box(4, 4, 8, 8)]}
    assert localisation_error([], truth) == 1
    assert localisation_error([("dog", Box(0, 0, 2, 2)), ("cat", Box(4, 4, 8, 8))], truth) == 1
    assert localisation_error([("cat", Box(0, 0, 2, 2))], truth) == 0.5


@given(st.integers(1, 12), st.floats(0, 1))
def test_votes_are_all_that_can_happen(voters, probability):
    assert sum(exactly_right(voters, right, probability) for right in range(voters + 1)) == pytest.approx(1)
    if voters % 2:
        assert majority_right(voters, probability) + majority_right(voters, 1 - probability) == pytest.approx(1)


def test_words_are_counted_once():
    sentences = [["not", "bad"], ["bad", "bad", "film", "!"]]
    assert vocabulary(sentences) == {"not", "bad", "film", "!"}
    assert average_length(sentences) == 3
    assert coverage(vocabulary(sentences), {"not", "bad", "good"}) == 0.5


def test_the_reference_loads_no_torch():
    code = (
        "import pkgutil, sys, importlib, neocog.core.reference as r;"
        "[importlib.import_module(f'{r.__name__}.{m.name}') for m in pkgutil.iter_modules(r.__path__)];"
        "print('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
