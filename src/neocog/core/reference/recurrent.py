"""Recurrent cells step by step: Elman 1990, Hochreiter and Schmidhuber 1997 with Gers et al. 2000, Cho et al. 2014.

A cell looks at an input x (I,) and at what it remembers, h (H,), and says what it remembers next. Each gate has weights
for the inputs (H, I), for the memory (H, H) and a bias (H,); gates open (1) or close (0) by the sigmoid s.

    Elman   h = tanh(W x + U h' + b)
    LSTM    c = s(f) c' + s(i) tanh(g);   h = s(o) tanh(c)            where f, i, g, o are each W x + U h' + b
    GRU     h = (1 - s(z)) n + s(z) h';   n = tanh(W x + b + s(r) (U h' + d))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

import numpy as np

from neocog.core.reference.activations import sigmoid
from neocog.core.reference.arrays import Array

State = TypeVar("State")


class Gate(NamedTuple):
    """Weights for the inputs (H, I), for the memory (H, H), and a bias (H,)."""

    inputs: Array
    memory: Array
    bias: Array

    def potential(self, x: Array, h: Array) -> Array:
        """Returns W x + U h + b (H,)."""
        return np.asarray(self.inputs @ x + self.memory @ h + self.bias)


class LSTMGates(NamedTuple):
    """What comes in, what is forgotten, what is proposed, and what goes out."""

    entering: Gate
    forgetting: Gate
    proposal: Gate
    leaving: Gate


class GRUGates(NamedTuple):
    """What of the memory the proposal sees, how much of the memory stays, the proposal, and its second bias d (H,)."""

    reset: Gate
    keeping: Gate
    proposal: Gate
    memory_bias: Array


def elman_step(gate: Gate, x: Array, h: Array) -> Array:
    """Returns the memory (H,) after an input: Elman's context units hold a copy of the last one."""
    return np.tanh(gate.potential(x, h))


def lstm_step(gates: LSTMGates, x: Array, state: tuple[Array, Array]) -> tuple[Array, Array]:
    """Returns output h and cell c, each (H,), after an input.

    The cell is a sum, so that a gradient comes back through many steps undiminished where the forget gate is open.
    """
    h, c = state
    kept = sigmoid(gates.forgetting.potential(x, h)) * c
    c = kept + sigmoid(gates.entering.potential(x, h)) * np.tanh(gates.proposal.potential(x, h))
    return sigmoid(gates.leaving.potential(x, h)) * np.tanh(c), c


def gru_step(gates: GRUGates, x: Array, h: Array) -> Array:
    """Returns the memory (H,) after an input: so much of the old one, and the rest of the proposal."""
    kept = sigmoid(gates.keeping.potential(x, h))
    seen = sigmoid(gates.reset.potential(x, h)) * (gates.proposal.memory @ h + gates.memory_bias)
    proposal = np.tanh(gates.proposal.inputs @ x + gates.proposal.bias + seen)
    return np.asarray((1 - kept) * proposal + kept * h)


def unrolled(step: Callable[[Array, State], State], inputs: Iterable[Array], state: State) -> list[State]:
    """Returns the state after each input of a sequence: one cell at every place, each going on from the last."""
    states = []
    for x in inputs:
        state = step(x, state)
        states.append(state)
    return states


def sampled_chances(logits: Array, temperature: float) -> Array:
    """Returns softmax(logits / T): what a generator draws its next symbol by; colder is surer, at 1 as it has learned.

    The temperature is positive; towards 0 all of the chance goes to the largest logit.
    """
    scaled = (np.asarray(logits, float) - np.max(logits)) / temperature
    chances = np.exp(scaled)
    return np.asarray(chances / chances.sum())
