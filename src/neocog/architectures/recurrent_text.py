"""Recurrent networks that classify texts: the baselines beside the networks of convolutions.

Finding structure in time (Elman, Cognitive Science 1990, equation of figure 2); Long short-term memory (Hochreiter and
Schmidhuber, Neural Computation 1997), with the forget gate of Gers et al. 2000; Learning phrase representations using
RNN encoder-decoder (Cho et al., EMNLP 2014, section 2.3).
"""

from __future__ import annotations

from torch import Tensor, nn

from neocog.core.errors import NetworkError, near_names
from neocog.core.registry import TextInput, network
from neocog.nn.recurrent import BothWays, LastState, Lengths
from neocog.nn.tables import StaticTable, table

MODES = ("rand", "static", "non-static")
UNITS = 128


class RecurrentText(nn.Module):
    """Word vectors, a recurrent layer, and a dense layer over what it remembers at the end of the text.

    Tokens (B, L), L at least 1, to logits (B, classes). What follows a text's last known word changes nothing.
    """

    def __init__(
        self, cell: str, classes: int, words: int, dimension: int, mode: str, dropout: float, *, bidirectional: bool
    ) -> None:
        super().__init__()
        if mode not in MODES:
            raise NetworkError(
                f"{cell}_text has no mode {mode!r}.{near_names(mode, MODES)} There are {', '.join(MODES)}."
            )
        self.tokens = words
        self.lengths = Lengths()
        self.words = StaticTable(words, dimension) if mode == "static" else table(words, dimension)
        self.recurrent = BothWays(cell, dimension, UNITS, bidirectional=bidirectional)
        self.last = LastState(bidirectional=bidirectional)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(self.recurrent.units, classes)

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns logits (B, classes) for tokens (B, L)."""
        lengths = self.lengths(tokens)
        outputs = self.recurrent(self.words(tokens), lengths)  # (B, L, H)
        return self.head(self.dropout(self.last(outputs, lengths)))  # type: ignore[no-any-return]


@network(
    paper="10.1207/s15516709cog1402_1",
    year=1990,
    task="text classification",
    input=(18_765, 64),
    classes=2,
    params=5_685_098,
    macs=3_506_432,
    text=TextInput(),
    deviations="classifies, where the paper predicts the next word; hyperbolic tangent; gradients through all of time",
)
def elman_text(
    classes: int = 2,
    channels: int = 18_765,
    dimension: int = 300,
    mode: str = "rand",
    dropout: float = 0.5,
    bidirectional: bool = False,
) -> nn.Module:
    """Elman's simple recurrent network over word vectors, 128 units, classified by its last state.

    ``channels`` is the number of different words; ``dimension`` that of their vectors; ``mode`` is rand, static or
    non-static. With ``bidirectional`` a second layer reads the text from its end.

    Raises NetworkError for another mode.
    """
    return RecurrentText("elman", classes, channels, dimension, mode, dropout, bidirectional=bidirectional)


@network(
    paper="10.1162/neco.1997.9.8.1735",
    year=1997,
    task="text classification",
    input=(18_765, 64),
    classes=2,
    params=5_850_218,
    macs=14_024_960,
    text=TextInput(),
    deviations="with the forget gate of Gers et al. 2000; classifies texts; gradients through all of time",
)
def lstm_text(
    classes: int = 2,
    channels: int = 18_765,
    dimension: int = 300,
    mode: str = "rand",
    dropout: float = 0.5,
    bidirectional: bool = False,
) -> nn.Module:
    """Long short-term memory over word vectors, 128 units, classified by its last state; see `elman_text`."""
    return RecurrentText("lstm", classes, channels, dimension, mode, dropout, bidirectional=bidirectional)


@network(
    paper="1406.1078",
    year=2014,
    task="text classification",
    input=(18_765, 64),
    classes=2,
    params=5_795_178,
    macs=10_518_784,
    text=TextInput(),
    deviations="classifies, where the paper translates; the reset gate follows the recurrent product, with a bias",
)
def gru_text(
    classes: int = 2,
    channels: int = 18_765,
    dimension: int = 300,
    mode: str = "rand",
    dropout: float = 0.5,
    bidirectional: bool = False,
) -> nn.Module:
    """Gated recurrent units over word vectors, 128 of them, classified by their last state; see `elman_text`."""
    return RecurrentText("gru", classes, channels, dimension, mode, dropout, bidirectional=bidirectional)
