"""Recurrent layers: both directions, texts of different lengths, a state to go on from."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from neocog.core.layers import layer_table, parameter_arithmetic
from neocog.nn.recurrent import CELLS, BothWays, LastState, Lengths, Turn

every_cell = pytest.mark.parametrize("cell", CELLS)
TORCHS = {"elman": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def test_a_text_ends_with_its_last_known_word():
    tokens = torch.tensor([[3, 0, 2, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 7]])
    assert Lengths()(tokens).tolist() == [[3], [1], [5]]


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_turning_twice_changes_nothing_and_once_turns_each_text(lengths):
    x = torch.arange(len(lengths) * 6.0).reshape(len(lengths), 6, 1)
    told = torch.tensor(lengths).unsqueeze(1)
    turned = Turn()(x, told)
    for row, length in enumerate(lengths):
        assert torch.equal(turned[row, :length], x[row, :length].flip(0))
        assert torch.equal(turned[row, length:], x[row, length:])
    assert torch.equal(Turn()(turned, told), x)


@every_cell
def test_both_directions_are_torchs_over_packed_texts(cell):
    torch.manual_seed(0)
    layer = BothWays(cell, 5, 4, bidirectional=True)
    theirs = TORCHS[cell](5, 4, batch_first=True, bidirectional=True)
    own = {f"{name}{end}": w for part, end in (("onward", ""), ("back", "_reverse"))
           for name, w in getattr(layer, part).state_dict().items()}  # fmt: skip
    theirs.load_state_dict(own)
    x, lengths = torch.randn(3, 7, 5), torch.tensor([7, 2, 4])
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    outputs, behind = theirs(packed)
    wanted, _ = nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True)
    ours = layer(x, lengths.unsqueeze(1))
    for row, length in enumerate(lengths.tolist()):
        torch.testing.assert_close(ours[row, :length], wanted[row, :length])
    state = behind[0] if isinstance(behind, tuple) else behind
    last = LastState(bidirectional=True)(ours, lengths.unsqueeze(1))
    torch.testing.assert_close(last, torch.cat([state[0], state[1]], 1))
    torch.testing.assert_close(LastState(bidirectional=False)(ours, lengths.unsqueeze(1))[:, :4], last[:, :4])


@every_cell
def test_a_text_in_two_pieces_is_the_text_in_one(cell):
    torch.manual_seed(1)
    layer, x = CELLS[cell](3, 6), torch.randn(2, 9, 3)
    first, state = layer.run(x[:, :4])
    second, _ = layer.run(x[:, 4:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), layer(x))


@every_cell
def test_recurrence_starts_as_a_rotation_and_a_cell_forgets_nothing_at_first(cell):
    layer = CELLS[cell](3, 6)
    for gate in layer.weight_hh_l0.split(6):
        torch.testing.assert_close(gate @ gate.T, torch.eye(6), atol=1e-5, rtol=0)
    biases = layer.bias_ih_l0.split(6)
    assert [float(bias.detach().sum()) for bias in biases] == ([0, 6, 0, 0] if cell == "lstm" else [0] * len(biases))


@pytest.mark.parametrize(
    ("layer", "text", "macs"),
    [
        (nn.RNN(3, 4, batch_first=True), "4 x (3 + 4 + 2) = 36", 5 * 4 * 7),
        (nn.GRU(3, 4), "3 x 4 x (3 + 4 + 2) = 108", 5 * 3 * 4 * 7),
        (nn.LSTM(3, 4, 2, batch_first=True), "4 x 4 x (3 + 4 + 2) + 4 x 4 x (4 + 4 + 2) = 304", 5 * (112 + 128)),
        (nn.LSTM(3, 4, bidirectional=True), "2 x 4 x 4 x (3 + 4 + 2) = 288", 5 * 2 * 112),
        (nn.LSTM(3, 4, bias=False, batch_first=True), "16x3 + 16x4 = 112", 5 * 112),
    ],
)
def test_recurrent_layers_count_every_weight_at_every_step(layer, text, macs):
    assert parameter_arithmetic(layer) == text

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.recurrent = layer

        def forward(self, x: torch.Tensor) -> torch.Tensor:  # (B, L, E)
            return self.recurrent(x if layer.batch_first else x.transpose(0, 1))[0]

    (row,) = layer_table(Network(), (5, 3))
    assert (row.input_shape, row.output_shape[0], row.macs) == ((5, 3), 5, macs)
    assert row.params == int(text.rpartition("= ")[2])


def test_a_cell_that_is_called_place_by_place_counts_each_call_and_its_weights_once():
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.LSTMCell(3, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            state = None
            for place in range(x.shape[1]):
                state = self.cell(x[:, place], state)
            return state[0]

    rows = layer_table(Network(), (5, 3))
    assert [row.macs for row in rows] == [112] * 5
    assert [row.params for row in rows] == [144, 0, 0, 0, 0]
