"""Recurrent cells against torch's, and by hand."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from drawn import close, generator
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from neocog.core.reference.recurrent import (
    Gate,
    GRUGates,
    LSTMGates,
    elman_step,
    gru_step,
    lstm_step,
    sampled_chances,
    unrolled,
)


@st.composite
def sequences(draw, kind):
    """Draws a layer of torch's in double precision, and a sequence (L, I) for it."""
    inputs, units, length = (draw(st.integers(1, 4)) for _ in range(3))
    rng = generator(draw)
    layer = kind(inputs, units, batch_first=True).double()
    with torch.no_grad():
        for weight in layer.parameters():
            weight.copy_(torch.tensor(rng.normal(size=tuple(weight.shape))))
    return layer, rng.normal(size=(length, inputs))


def gates(layer: nn.RNNBase) -> list[Gate]:
    """Returns the gates in torch's order, the two biases as one."""
    inputs, memory, bias, more = (weight.detach().numpy() for weight in layer.parameters())
    number = len(inputs) // layer.hidden_size
    parts = (np.split(each, number) for each in (inputs, memory, bias + more))
    return [Gate(*each) for each in zip(*parts, strict=True)]


def torchs(layer: nn.RNNBase, x: np.ndarray) -> torch.Tensor:
    return layer(torch.tensor(x).unsqueeze(0))[0][0]


@given(sequences(nn.RNN))
def test_elmans_network_is_torchs(drawn):
    layer, x = drawn
    (gate,) = gates(layer)
    close(np.array(unrolled(partial(elman_step, gate), x, np.zeros(layer.hidden_size))), torchs(layer, x))


@given(sequences(nn.LSTM))
def test_long_short_term_memory_is_torchs(drawn):
    layer, x = drawn
    nothing = np.zeros(layer.hidden_size)
    states = unrolled(partial(lstm_step, LSTMGates(*gates(layer))), x, (nothing, nothing))
    close(np.array([h for h, _ in states]), torchs(layer, x))
    close(states[-1][1], layer(torch.tensor(x).unsqueeze(0))[1][1][0, 0])


@given(sequences(nn.GRU))
def test_gated_recurrent_units_are_torchs(drawn):
    layer, x = drawn
    reset, keeping, both = gates(layer)
    own, memory_bias = (np.split(bias.detach().numpy(), 3)[2] for bias in (layer.bias_ih_l0, layer.bias_hh_l0))
    made = GRUGates(reset, keeping, both._replace(bias=own), memory_bias)
    close(np.array(unrolled(partial(gru_step, made), x, np.zeros(layer.hidden_size))), torchs(layer, x))


def unit(inputs: float, memory: float, bias: float) -> Gate:
    return Gate(np.array([[inputs]]), np.array([[memory]]), np.array([bias]))


def test_one_unit_by_hand():
    gate = unit(0.0, 1.0, 0.5)
    first, second = unrolled(partial(elman_step, gate), [np.ones(1), np.ones(1)], np.zeros(1))
    assert (float(first[0]), float(second[0])) == pytest.approx((np.tanh(0.5), np.tanh(0.5 + np.tanh(0.5))))


def test_an_open_forget_gate_keeps_and_a_closed_one_clears():
    shut, held = unit(0, 0, -50), unit(0, 0, 50)
    state = (np.zeros(1), np.array([0.7]))
    kept = lstm_step(LSTMGates(shut, held, held, held), np.ones(1), state)
    assert float(kept[1][0]) == pytest.approx(0.7)
    assert float(kept[0][0]) == pytest.approx(np.tanh(0.7))
    cleared = lstm_step(LSTMGates(held, shut, unit(2, 0, 0), held), np.ones(1), state)
    assert float(cleared[1][0]) == pytest.approx(np.tanh(2))


def test_a_gru_that_keeps_all_never_changes():
    made = GRUGates(unit(1, 1, 0), unit(0, 0, 50), unit(3, 3, 3), np.ones(1))
    states = unrolled(partial(gru_step, made), np.random.default_rng(0).normal(size=(20, 1)), np.array([0.25]))
    assert np.allclose(states, 0.25)


logits = st.lists(st.floats(-30, 30), min_size=2, max_size=6).map(np.array)


@given(logits, st.floats(0.05, 20))
def test_chances_at_a_temperature_are_the_softmax_of_the_logits_over_it(values, temperature):
    close(sampled_chances(values, temperature), (torch.tensor(values) / temperature).softmax(0))


@given(logits, st.floats(0.1, 5), st.floats(1.01, 4))
def test_the_entropy_grows_with_the_temperature(values, temperature, times):
    colder, warmer = sampled_chances(values, temperature), sampled_chances(values, temperature * times)
    assert entropy(colder) <= entropy(warmer) + 1e-9


def entropy(chances: np.ndarray) -> float:
    own = chances[chances > 0]
    return float(-(own * np.log(own)).sum())


def test_towards_zero_the_largest_takes_all():
    assert sampled_chances(np.array([1.0, 3.0, 2.9]), 1e-3).round(6).tolist() == [0, 1, 0]
