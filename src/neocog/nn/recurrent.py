"""Recurrent layers over texts: Elman's, long short-term memory and gated recurrent units, in one or both directions."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn


class _Recurrent(nn.Module):
    """What the three cells share: vectors (B, L, E) to outputs (B, L, H), one for each place, and no more."""

    hidden_size: int
    bias_ih_l0: Tensor

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__(inputs, units, batch_first=True)
        self.reset()

    def reset(self) -> None:
        """Draws the weights as Keras does: Glorot's for the inputs, orthogonal ones for each gate's recurrence."""
        for name, weight in self.named_parameters():
            if name.startswith("weight_ih"):
                nn.init.xavier_uniform_(weight)
            elif name.startswith("weight_hh"):
                for gate in weight.detach().chunk(weight.shape[0] // self.hidden_size):
                    nn.init.orthogonal_(gate)
            else:
                nn.init.zeros_(weight)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the outputs (B, L, H) of a text that begins with nothing remembered."""
        return self.run(x)[0]

    def run(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Returns the outputs (B, L, H) and the state behind the last place, to go on from.

        It is what the layer remembers, (1, B, H); of the LSTM that and the cells, both (1, B, H).
        """
        # cuDNN has no backward pass through a network in evaluation mode, which explanations need.
        plain = x.is_cuda and not self.training and torch.is_grad_enabled()
        with torch.backends.cudnn.flags(enabled=False) if plain else nullcontext():
            return super().forward(x, state)  # type: ignore[no-any-return]


class Elman(_Recurrent, nn.RNN):  # type: ignore[misc]
    """h = tanh(W x + U h' + b): (B, L, E) to (B, L, H)."""


class LSTM(_Recurrent, nn.LSTM):  # type: ignore[misc]
    """Long short-term memory with a forget gate, which starts open (its bias 1): (B, L, E) to (B, L, H)."""

    def reset(self) -> None:
        """Draws the weights; a cell forgets nothing at first (Gers et al. 2000, section 4)."""
        super().reset()
        self.bias_ih_l0.detach()[self.hidden_size : 2 * self.hidden_size] = 1


class GRU(_Recurrent, nn.GRU):  # type: ignore[misc]
    """Gated recurrent units, the reset gate behind the recurrent product: (B, L, E) to (B, L, H)."""


CELLS: Mapping[str, type[_Recurrent]] = {"elman": Elman, "lstm": LSTM, "gru": GRU}


class BothWays(nn.Module):
    """One recurrent layer from the first place on and, where told, one from the last place back.

    Vectors (B, L, E) and how long each text is (B, 1) to outputs (B, L, H), or (B, L, 2H) in both directions. What
    follows a text changes nothing: the way back begins at the text's own last place.
    """

    def __init__(self, cell: str, inputs: int, units: int, *, bidirectional: bool) -> None:
        super().__init__()
        self.bidirectional = bidirectional
        self.units = units * (2 if bidirectional else 1)
        self.onward = CELLS[cell](inputs, units)
        if bidirectional:
            self.turn = Turn()
            self.back = CELLS[cell](inputs, units)
            self.turn_again = Turn()

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Returns (B, L, H) or (B, L, 2H)."""
        onward: Tensor = self.onward(x)
        if not self.bidirectional:
            return onward
        back = self.turn_again(self.back(self.turn(x, lengths)), lengths)
        return torch.cat([onward, back], 2)


class Lengths(nn.Module):
    """How long each text is: tokens (B, L) to (B, 1), up to the last known token and at least 1.

    Unknown words share number 0 with padding: one inside a text is part of it, one behind its last known word is not.
    """

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns (B, 1) int64."""
        places = torch.ones_like(tokens).cumsum(1)
        return ((tokens != 0) * places).amax(1, keepdim=True).clamp_min(1)


class Turn(nn.Module):
    """Each text's places in the other order, the padding behind it where it was: (B, L, E) to (B, L, E)."""

    by_place = True  # vectors one behind the other, which the explorer shows as maps over the words

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Returns (B, L, E) for ``lengths`` (B, 1)."""
        places = torch.arange(x.shape[1], device=x.device)
        return _taken(x, torch.where(places < lengths, lengths - 1 - places, places))


class LastState(nn.Module):
    """What the layer remembers at the end of its way: outputs (B, L, H) to (B, H).

    Of both directions, side by side in (B, L, 2H), the way back ends at the first word.
    """

    def __init__(self, *, bidirectional: bool) -> None:
        super().__init__()
        self.bidirectional = bidirectional

    def forward(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        """Returns (B, H), or (B, 2H) of both directions, for ``lengths`` (B, 1)."""
        ends = _taken(outputs, lengths - 1)[:, 0]
        if not self.bidirectional:
            return ends
        half = outputs.shape[2] // 2
        return torch.cat([ends[:, :half], outputs[:, 0, half:]], 1)


def _taken(x: Tensor, places: Tensor) -> Tensor:
    """Returns the vectors (B, N, E) at ``places`` (B, N) of x (B, L, E)."""
    return x.gather(1, places.unsqueeze(2).expand(-1, -1, x.shape[2]))
