"""Recurrent language models, which write text token by token.

Recurrent neural network based language model (Mikolov et al., Interspeech 2010); Generating sequences with recurrent
neural networks (Graves 2013, section 2 and 3.1); Empirical evaluation of gated recurrent neural networks on sequence
modeling (Chung et al. 2014).
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from neocog.core.registry import TextInput, network
from neocog.nn.recurrent import CELLS
from neocog.nn.tables import table

UNITS = 256


class RecurrentLM(nn.Module):
    """Vectors of tokens, a recurrent layer, and a dense layer at every place.

    Tokens (B, L), 0 where the text has not begun, to logits (B, L, classes) of the token that comes next.
    """

    def __init__(self, cell: str, classes: int, tokens: int, dimension: int, dropout: float) -> None:
        super().__init__()
        self.tokens = tokens
        self.symbols = table(tokens, dimension, bound=1.0)
        self.recurrent = CELLS[cell](dimension, UNITS)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(UNITS, classes)

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns logits (B, L, classes) for tokens (B, L) that begin with nothing remembered."""
        return self.head(self.dropout(self.recurrent(self.symbols(tokens))))  # type: ignore[no-any-return]

    def go_on(self, tokens: Tensor, before: Any = None) -> tuple[Tensor, Any]:
        """Returns logits (B, L, classes) of further tokens (B, L), and what the layer remembers behind them."""
        outputs, state = self.recurrent.run(self.symbols(tokens), before)
        return self.head(self.dropout(outputs)), state


@network(
    paper="10.21437/Interspeech.2010-343",
    year=2010,
    task="language modelling",
    input=(97, 128),
    classes=97,
    params=113_633,
    macs=13_664_256,
    text=TextInput(),
    deviations="vectors of tokens instead of one-hot words; hyperbolic tangent; a full softmax; dropout",
)
def elman_lm(classes: int = 97, channels: int = 97, dimension: int = 64, dropout: float = 0.1) -> nn.Module:
    """Elman's network as a language model, 256 units.

    ``channels`` is the number of different tokens, ``dimension`` that of numbers in a token's vector.
    """
    return RecurrentLM("elman", classes, channels, dimension, dropout)


@network(
    paper="1308.0850",
    year=2013,
    task="language modelling",
    input=(97, 128),
    classes=97,
    params=360_929,
    macs=45_121_536,
    text=TextInput(),
    deviations="one layer of 256 cells instead of seven of 700; vectors of characters; no peephole weights; dropout",
)
def lstm_lm(classes: int = 97, channels: int = 97, dimension: int = 64, dropout: float = 0.1) -> nn.Module:
    """Long short-term memory as a language model, 256 cells: a character generator; see `elman_lm`."""
    return RecurrentLM("lstm", classes, channels, dimension, dropout)


@network(
    paper="1412.3555",
    year=2014,
    task="language modelling",
    input=(97, 128),
    classes=97,
    params=278_497,
    macs=34_635_776,
    text=TextInput(),
    deviations="text instead of music and speech; the reset gate follows the recurrent product; dropout",
)
def gru_lm(classes: int = 97, channels: int = 97, dimension: int = 64, dropout: float = 0.1) -> nn.Module:
    """Gated recurrent units as a language model, 256 of them; see `elman_lm`."""
    return RecurrentLM("gru", classes, channels, dimension, dropout)
