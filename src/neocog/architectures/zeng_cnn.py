"""Relation Classification via Convolutional Deep Neural Network (Zeng et al., COLING 2014). Sections 3.3 to 3.5."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neocog.core.registry import TextInput, network
from neocog.nn.marked import DISTANCE_DIMENSION, HERE, REACH, MaxOver, is_token
from neocog.nn.tables import ChannelsFirst, DistanceTable, table

WINDOW = 3  # table 1: "window size w"
CONVOLVED = 200  # "hidden layer 1", the filters
HIDDEN = 100  # "hidden layer 2", the sentence's features
DIMENSION = 50  # Turian et al.'s vectors
WORDS = 268_810  # of which there are so many
PLACES = (0, -1, 1)  # table 1: L1 to L4, each entity and its neighbours at both sides


class Lexical(nn.Module):
    """The vectors of both entities and of the words beside them: vectors (B, L, E), sentences (B, L, 3) to (B, 6 E).

    An entity of several words has their mean; what is not there has zeros.
    """

    def forward(self, vectors: Tensor, sentences: Tensor) -> Tensor:
        """Returns (B, 6 E): first entity, word before, word behind, then those of the second."""
        codes = sentences[..., 1:].transpose(1, 2).unsqueeze(2)  # (B, 2, 1, L)
        wanted = torch.tensor(PLACES, device=codes.device).view(1, 1, -1, 1) + HERE
        at = (codes == wanted).flatten(1, 2).to(vectors.dtype)  # (B, 6, L)
        at = at / at.sum(-1, keepdim=True).clamp_min(1)
        return (at @ vectors).flatten(1)


class ZengCNN(nn.Module):
    """Filters over words and distances, the largest answer of each, a tanh layer, and beside it the lexical features.

    Sentences (B, L, 3) as `neocog.nn.marked` has them, to logits (B, classes). A filter sees the vectors of three words
    and the distances of the middle one (section 3.4.3: "[WF, PF]").
    """

    token_axes = 2

    def __init__(self, classes: int, words: int, dimension: int, dropout: float) -> None:
        super().__init__()
        self.tokens = words
        self.words = table(words, dimension)
        self.word_dropout = nn.Dropout(dropout)
        self.vectors = ChannelsFirst()
        self.filters = nn.Conv1d(dimension, CONVOLVED, WINDOW, padding=WINDOW // 2)
        self.to_first = DistanceTable(REACH, DISTANCE_DIMENSION)
        self.to_second = DistanceTable(REACH, DISTANCE_DIMENSION)
        self.distances = ChannelsFirst()
        self.distance_filters = nn.Conv1d(2 * DISTANCE_DIMENSION, CONVOLVED, 1, bias=False)
        self.over_time = MaxOver()
        self.hidden = nn.Linear(CONVOLVED, HIDDEN)
        self.tanh = nn.Tanh()
        self.lexical = Lexical()
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(HIDDEN + 2 * len(PLACES) * dimension, classes)

    def tables(self) -> list[nn.Embedding]:
        """Returns the table of word vectors."""
        return [self.words]

    def forward(self, sentences: Tensor) -> Tensor:
        """Returns logits (B, classes) for sentences (B, L, 3)."""
        words, first, second = sentences.unbind(-1)
        vectors = self.word_dropout(self.words(words))  # (B, L, E)
        answers = self.filters(self.vectors(vectors))  # (B, 200, L)
        distances = self.distances(torch.cat([self.to_first(first), self.to_second(second)], -1))
        answers = answers + self.distance_filters(distances)
        strongest = self.over_time(answers, is_token(sentences).unsqueeze(1))  # (B, 200)
        sentence = self.tanh(self.hidden(strongest))  # (B, 100)
        features = torch.cat([self.lexical(vectors, sentences), sentence], 1)
        return self.head(self.dropout(features))  # type: ignore[no-any-return]


@network(
    paper="C14-1220",
    year=2014,
    task="relation classification",
    input=(WORDS, 64, 3),
    classes=19,
    params=13_501_089,
    macs=2_075_600,
    text=TextInput("relations", reach=REACH),
    deviations=(
        "without the WordNet hypernyms of the lexical features (L5); dropout, of word vectors and of all features, "
        "is off unless told, as the paper has none; "
        "distances are told apart up to 30; a row of zeros in each table for padding"
    ),
)
def zeng_cnn(classes: int = 19, channels: int = WORDS, dimension: int = DIMENSION, dropout: float = 0.0) -> nn.Module:
    """Zeng's sentence CNN for relations: 200 filters over words and distances, and the words at the entities.

    ``channels`` is the number of different words, ``dimension`` that of their vectors.
    """
    return ZengCNN(classes, channels, dimension, dropout)
