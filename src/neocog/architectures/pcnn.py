"""Distant Supervision for Relation Extraction via Piecewise Convolutional Neural Networks (Zeng et al., EMNLP 2015)."""

from __future__ import annotations

from torch import Tensor, nn

from neocog.core.registry import TextInput, network
from neocog.nn.marked import DISTANCE_DIMENSION, PIECES, REACH, MarkedVectors, MaxOver, pieces

WINDOW = 3  # table 1: "window size"
MAPS = 230  # "feature maps"
DIMENSION = 50  # "word dimension"
WORDS = 114_042  # of the authors' vectors, trained on the New York Times


class PCNN(nn.Module):
    """Filters over words and distances, and the largest answer of each in each of the three pieces of a sentence.

    Sentences (B, L, 3) as `neocog.nn.marked` has them, to logits (B, classes).
    """

    token_axes = 2

    def __init__(self, classes: int, words: int, dimension: int, dropout: float) -> None:
        super().__init__()
        self.tokens = words
        self.vectors = MarkedVectors(words, dimension)
        self.filters = nn.Conv1d(dimension + 2 * DISTANCE_DIMENSION, MAPS, WINDOW, padding=WINDOW // 2)
        self.over_pieces = MaxOver()
        self.tanh = nn.Tanh()
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(MAPS * PIECES, classes)

    def tables(self) -> list[nn.Embedding]:
        """Returns the table of word vectors."""
        return [self.vectors.words]

    def forward(self, sentences: Tensor) -> Tensor:
        """Returns logits (B, classes) for sentences (B, L, 3)."""
        answers = self.filters(self.vectors(sentences))  # (B, 230, L)
        strongest = self.tanh(self.over_pieces(answers, pieces(sentences)))  # (B, 690)
        return self.head(self.dropout(strongest))  # type: ignore[no-any-return]


@network(
    paper="D15-1203",
    year=2015,
    task="relation classification",
    input=(WORDS, 64, 3),
    classes=53,
    params=5_781_023,
    macs=2_686_170,
    text=TextInput("relations", reach=REACH),
    deviations=(
        "each sentence is a sample with its own relation, without the multi-instance learning over bags "
        "(pcnn_attention takes bags); a row of zeros in each table for padding"
    ),
)
def pcnn(classes: int = 53, channels: int = WORDS, dimension: int = DIMENSION, dropout: float = 0.5) -> nn.Module:
    """Zeng's piecewise CNN: 230 filters, the largest answer before, between and behind the entities.

    ``channels`` is the number of different words, ``dimension`` that of their vectors.
    """
    return PCNN(classes, channels, dimension, dropout)
