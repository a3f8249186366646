"""Recurrent networks that tag each word of a sentence, read from both ends: baselines beside Collobert's.

Investigation of recurrent-neural-network architectures and learning methods for spoken language understanding (Mesnil
et al., Interspeech 2013, section 3); Bidirectional LSTM-CRF models for sequence tagging (Huang, Xu and Yu 2015,
section 2); Multi-task cross-lingual sequence tagging from scratch (Yang, Salakhutdinov and Cohen 2016, section 3).
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from neocog.core.registry import TextInput, network
from neocog.nn.crf import transitions
from neocog.nn.recurrent import BothWays, Lengths
from neocog.nn.tagger_tables import TaggerTables

UNITS = 128  # in each direction


class RecurrentTagger(nn.Module):
    """Features of words, a recurrent layer in one or both directions, a score for each tag of every word.

    Tokens (B, L, features) to scores (B, L, classes); what stands behind a sentence changes nothing. ``crf`` scores
    transitions, or is None.
    """

    token_axes = 2

    def __init__(
        self,
        cell: str,
        tables: TaggerTables,
        classes: int,
        dropout: float,
        *,
        likelihood: str,
        bidirectional: bool,
    ) -> None:
        super().__init__()
        self.tokens = tables.tokens
        self.lengths = Lengths()
        self.lookup = tables
        self.input_dropout = nn.Dropout(dropout)
        self.recurrent = BothWays(cell, tables.dimension, UNITS, bidirectional=bidirectional)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(self.recurrent.units, classes)
        self.crf = transitions(classes, likelihood)

    def tables(self) -> list[nn.Embedding]:
        """Returns the tables of word vectors."""
        return [self.lookup.words]

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns the scores (B, L, classes)."""
        lengths = self.lengths(tokens[:, :, 0])
        outputs = self.recurrent(self.input_dropout(self.lookup(tokens)), lengths)  # (B, L, 2H)
        return self.head(self.dropout(outputs))  # type: ignore[no-any-return]


@network(
    paper="10.21437/Interspeech.2013-596",
    year=2013,
    task="tagging",
    input=(99_999, 64, 4),
    classes=45,
    params=5_061_015,
    macs=3_735_552,
    text=TextInput(),
    deviations="hyperbolic tangent; no windows of words; with scores of transitions unless told; capitals and suffixes",
)
def elman_tagger(
    classes: int = 45,
    channels: int = 99_999,
    dimension: int = 50,
    suffixes: Sequence[int] = (0, 0),
    likelihood: str = "sentence",
    dropout: float = 0.5,
    bidirectional: bool = True,
) -> nn.Module:
    """Elman's network as a tagger, 128 units in each direction, with a CRF.

    ``channels`` is the number of different words, ``dimension`` that of their vectors, ``suffixes`` the numbers of
    different suffixes of two and of three letters (0: none). ``likelihood`` is word, each tag by itself, or sentence,
    with scores of transitions. Without ``bidirectional`` a tag is told from the words up to its own.

    Raises NetworkError for another likelihood.
    """
    parts = (TaggerTables(channels, dimension, suffixes), classes, dropout)
    return RecurrentTagger("elman", *parts, likelihood=likelihood, bidirectional=bidirectional)


@network(
    paper="1508.01991",
    year=2015,
    task="tagging",
    input=(99_999, 64, 4),
    classes=45,
    params=5_203_095,
    macs=12_730_368,
    text=TextInput(),
    deviations="128 cells in each direction instead of 300; capitals and suffixes alone of its features of spelling",
)
def lstm_tagger(
    classes: int = 45,
    channels: int = 99_999,
    dimension: int = 50,
    suffixes: Sequence[int] = (0, 0),
    likelihood: str = "sentence",
    dropout: float = 0.5,
    bidirectional: bool = True,
) -> nn.Module:
    """Bidirectional LSTM-CRF: long short-term memory as a tagger, 128 cells in each direction; see `elman_tagger`."""
    parts = (TaggerTables(channels, dimension, suffixes), classes, dropout)
    return RecurrentTagger("lstm", *parts, likelihood=likelihood, bidirectional=bidirectional)


@network(
    paper="1603.06270",
    year=2016,
    task="tagging",
    input=(99_999, 64, 4),
    classes=45,
    params=5_155_735,
    macs=9_732_096,
    text=TextInput(),
    deviations="128 units in each direction; capitals and suffixes instead of a recurrent layer over characters",
)
def gru_tagger(
    classes: int = 45,
    channels: int = 99_999,
    dimension: int = 50,
    suffixes: Sequence[int] = (0, 0),
    likelihood: str = "sentence",
    dropout: float = 0.5,
    bidirectional: bool = True,
) -> nn.Module:
    """Gated recurrent units as a tagger, 128 in each direction, with a CRF; see `elman_tagger`."""
    parts = (TaggerTables(channels, dimension, suffixes), classes, dropout)
    return RecurrentTagger("gru", *parts, likelihood=likelihood, bidirectional=bidirectional)
