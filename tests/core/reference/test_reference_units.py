"""Perceptron, activations, softmax, dropout and back-propagation against torch's autograd."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from drawn import close, gradients, seeds, tensors
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from neocog.core.reference import perceptron
from neocog.core.reference.activations import ACTIVATIONS, leaky_relu, leaky_relu_derivative
from neocog.core.reference.dropout import dropout
from neocog.core.reference.mlp import Layer, backward, descended, forward, learned
from neocog.core.reference.perceptron import Unit, corrected, fires
from neocog.core.reference.softmax import (
    cross_entropy,
    cross_entropy_gradient,
    log_softmax,
    softmax,
    softmax_gradient,
)

TORCHS = {
    "identity": lambda z: z * 1,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "scaled_tanh": lambda z: 1.7159 * torch.tanh(2 / 3 * z),
    "relu": torch.relu,
    "relu6": functional.relu6,
    "leaky_relu": functional.leaky_relu,
    "elu": functional.elu,
    "softplus": functional.softplus,
    "silu": functional.silu,
    "gelu": functional.gelu,
}
numbers = st.lists(st.one_of(st.sampled_from([0.0, 6.0, -700.0, 700.0]), st.floats(-50, 50)), min_size=1, max_size=8)


@given(st.sampled_from(sorted(ACTIVATIONS)), numbers)
def test_activations_and_derivatives_are_torchs(name, values):
    (z,) = tensors(np.array(values))
    theirs = TORCHS[name](z)
    close(ACTIVATIONS[name].function(np.array(values)), theirs)
    close(ACTIVATIONS[name].derivative(np.array(values)), gradients(theirs, np.ones(len(values)), z)[0])


def test_every_activation_has_a_counterpart():
    assert set(TORCHS) == set(ACTIVATIONS)


def test_activations_by_hand():
    assert ACTIVATIONS["sigmoid"].function(np.array([0.0, np.log(3)])).tolist() == pytest.approx([0.5, 0.75])
    assert ACTIVATIONS["sigmoid"].derivative(np.array([0.0])).tolist() == [0.25]  # the largest it gets
    assert ACTIVATIONS["scaled_tanh"].function(np.array([1.0, -1.0])).tolist() == pytest.approx([1, -1], abs=1e-4)
    assert leaky_relu(np.array([-2.0, 3.0]), 0.2).tolist() == [-0.4, 3]
    assert leaky_relu_derivative(np.array([-2.0, 3.0]), 0.2).tolist() == [0.2, 1]


points = st.tuples(st.integers(-3, 3), st.integers(-3, 3))


@given(st.lists(points, min_size=2, max_size=8), points.filter(any), st.integers(-2, 2))
def test_a_perceptron_learns_what_a_line_separates(inputs, normal, offset):
    x = np.array([each for each in inputs if each[0] * normal[0] + each[1] * normal[1] != offset] or [normal], float)
    targets = (x @ np.array(normal) > offset).astype(int)
    unit = perceptron.learned(Unit(np.zeros(2), 0.0), x, targets, epochs=1000)
    assert fires(unit, x).tolist() == targets.tolist()


@given(st.integers(0, 1), st.floats(0.1, 2), seeds)
def test_a_perceptrons_step_is_a_step_down_its_own_gradient(target, rate, rng):
    unit, x = Unit(rng.normal(size=3), float(rng.normal())), rng.normal(size=3)
    weights, bias = tensors(unit.weights, np.array(unit.bias))
    z = weights @ torch.tensor(x) + bias
    loss = ((z > 0).double() - target) * z  # |z| where the output is wrong, else zero
    dw, db = torch.autograd.grad(loss, (weights, bias))
    after = corrected(unit, x, target, rate)
    close(after.weights, unit.weights - rate * dw.numpy())
    assert after.bias == pytest.approx(unit.bias - rate * float(db))


def test_a_perceptron_is_and_and_or_but_never_exclusive_or():
    x = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    start = Unit(np.zeros(2), 0.0)
    for targets in ([0, 0, 0, 1], [0, 1, 1, 1]):
        assert fires(perceptron.learned(start, x, np.array(targets)), x).tolist() == targets
    assert fires(perceptron.learned(start, x, np.array([0, 1, 1, 0])), x).tolist() != [0, 1, 1, 0]


@given(st.integers(1, 4), st.integers(1, 5), st.sampled_from([1.0, 30.0, 1000.0]), seeds)
def test_softmax_and_cross_entropy_are_torchs(samples, classes, scale, rng):
    logits, labels = scale * rng.normal(size=(samples, classes)), rng.integers(0, classes, samples)
    (z,) = tensors(logits)
    close(softmax(logits), z.softmax(1))
    close(log_softmax(logits), z.log_softmax(1))
    upstream = rng.normal(size=logits.shape)
    close(softmax_gradient(upstream, logits), gradients(z.softmax(1), upstream, z)[0])
    loss = functional.cross_entropy(z, torch.tensor(labels))
    assert cross_entropy(logits, labels) == pytest.approx(float(loss.detach()), abs=1e-12)
    close(cross_entropy_gradient(logits, labels), gradients(loss, np.ones(()), z)[0])


def test_softmax_does_not_overflow():
    assert softmax(np.array([1000.0, 1000.0, -1000.0])).tolist() == [0.5, 0.5, 0]
    assert cross_entropy(np.zeros((1, 4)), np.array([2])) == pytest.approx(np.log(4))


@given(st.floats(0, 0.9), st.integers(0, 2**31), seeds)
def test_dropout_is_torchs_under_the_same_mask(probability, seed, rng):
    (x,) = tensors(rng.normal(size=(4, 3)))
    torch.manual_seed(seed)
    theirs = functional.dropout(x, probability)
    kept = (theirs != 0).double().detach().numpy()
    close(dropout(x.detach().numpy(), kept, probability), theirs)
    upstream = rng.normal(size=(4, 3))
    close(dropout(upstream, kept, probability), gradients(theirs, upstream, x)[0])


@given(
    st.lists(st.tuples(st.integers(1, 4), st.sampled_from(sorted(ACTIVATIONS))), min_size=1, max_size=4),
    st.integers(1, 3),
    seeds,
)
def test_back_propagation_is_torchs_autograd(table, samples, rng):
    sizes = [2, *(outputs for outputs, _ in table)]
    layers = [
        Layer(rng.normal(size=(outputs, inputs)), rng.normal(size=outputs), activation)
        for inputs, (outputs, activation) in zip(sizes[:-1], table, strict=True)
    ]
    x = rng.normal(size=(samples, 2))
    below, *parameters = tensors(x, *(array for layer in layers for array in layer[:2]))
    made = below
    for number, layer in enumerate(layers):
        made = TORCHS[layer.activation](made @ parameters[2 * number].T + parameters[2 * number + 1])
    activations = forward(layers, x)
    close(activations[-1], made)
    upstream = rng.normal(size=made.shape)
    ours, dx = backward(layers, activations, upstream)
    theirs = gradients(made, upstream, below, *parameters)
    close(dx, theirs[0])
    for mine, reference in zip((array for each in ours for array in each), theirs[1:], strict=True):
        close(mine, reference)


@given(seeds, st.floats(0.01, 1))
def test_a_step_of_gradient_descent_is_torchs_sgd(rng, rate):
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2)).double()
    arrays = [parameter.detach().numpy().copy() for parameter in module.parameters()]
    layers = [Layer(arrays[0], arrays[1], "tanh"), Layer(arrays[2], arrays[3])]
    x, labels = rng.normal(size=(5, 3)), rng.integers(0, 2, 5)
    loss = functional.cross_entropy(module(torch.tensor(x)), torch.tensor(labels))
    loss.backward()
    torch.optim.SGD(module.parameters(), rate).step()
    after, before = learned(layers, x, labels, rate)
    assert before == pytest.approx(float(loss.detach()))
    for ours, theirs in zip((array for layer in after for array in layer[:2]), module.parameters(), strict=True):
        close(ours, theirs)


def test_gradient_descent_learns_exclusive_or():
    rng = np.random.default_rng(0)
    layers = [Layer(rng.normal(size=(8, 2)), np.zeros(8), "tanh"), Layer(rng.normal(size=(2, 8)), np.zeros(2))]
    x, labels = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    for _ in range(300):
        layers, loss = learned(layers, x, labels, 0.5)
    assert loss < 0.1
    assert forward(layers, x)[-1].argmax(1).tolist() == labels.tolist()


def test_a_step_by_hand():
    layers = [Layer(np.array([[2.0]]), np.array([1.0]), "relu")]
    x = np.array([[3.0]])
    (gradient,), dx = backward(layers, forward(layers, x), np.array([[10.0]]))
    assert (gradient.weights.tolist(), gradient.bias.tolist(), dx.tolist()) == ([[30]], [10], [[20]])
    (after,) = descended(layers, [gradient], 0.1)
    assert (after.weights.tolist(), after.bias.tolist(), after.activation) == ([[-1]], [0], "relu")
