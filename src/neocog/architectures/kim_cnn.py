"""Convolutional Neural Networks for Sentence Classification (Kim, EMNLP 2014). Section 2 and 3.2."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from neocog.core.errors import NetworkError, near_names
from neocog.core.registry import TextInput, network
from neocog.nn.dropout import OriginalDropout
from neocog.nn.tables import ChannelsFirst, StaticTable, table
from neocog.nn.token_convolution import strongest_answers

Mode = Literal["rand", "static", "non-static", "multichannel"]
MODES: tuple[str, ...] = get_args(Mode)

WINDOWS = (3, 4, 5)  # words that a filter sees: "filter windows (h) of 3, 4, 5 with 100 feature maps each"
MAPS = 100


class KimCNN(nn.Module):
    """Word vectors, filters of three widths over them, the largest answer of each filter, a dense layer.

    Tokens (B, L), L at least 5, to logits (B, classes). ``words`` holds the vectors that move, ``static_words`` those
    that do not; with both the filters see the sum of the two, which is the sum of what they give for each (equation 2
    is linear before the nonlinearity). The rectifier comes after the maximum over time, with which it commutes. A
    training step has the same numbers in fewer operations (`neocog.nn.token_convolution`), without convolution layers.
    """

    def __init__(self, classes: int, words: int, dimension: int, mode: str, dropout: float) -> None:
        super().__init__()
        self.tokens = words
        self.joined = False
        if mode in ("static", "multichannel"):
            self.static_words = StaticTable(words, dimension)
        if mode != "static":
            self.words = table(words, dimension)
        self.vectors = ChannelsFirst()
        filters = [nn.Conv1d(dimension, MAPS, window) for window in WINDOWS]
        self.filters = nn.ModuleList(filters)
        self.over_time = nn.ModuleList(nn.AdaptiveMaxPool1d(1) for _ in WINDOWS)
        self.relu = nn.ReLU()
        self.dropout = OriginalDropout(dropout)
        self.head = nn.Linear(MAPS * len(WINDOWS), classes)
        for layer in filters:
            assert layer.bias is not None
            nn.init.uniform_(layer.weight, -0.01, 0.01)
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def tables(self) -> list[nn.Embedding]:
        """Returns the tables of word vectors."""
        return [getattr(self, name) for name in ("static_words", "words") if hasattr(self, name)]

    def fold(self) -> None:
        """Has inference go the way of a training step, many sentences at once."""
        self.joined, self.texts_together = True, 1024

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns logits (B, classes) for tokens (B, L)."""
        tables = self.tables()
        if self.joined or (self.training and torch.is_grad_enabled()):
            strongest = strongest_answers(tokens, tables, list(self.filters))  # type: ignore[arg-type]
        else:
            vectors = tables[0](tokens)
            for each in tables[1:]:
                vectors = vectors + each(tokens)
            channels = self.vectors(vectors)  # (B, E, L)
            pooled = [pool(layer(channels)) for layer, pool in zip(self.filters, self.over_time, strict=True)]
            strongest = torch.cat(pooled, 1).flatten(1)
        return self.head(self.dropout(self.relu(strongest)))  # type: ignore[no-any-return]


@network(
    paper="1408.5882",
    year=2014,
    task="text classification",
    input=(18_765, 64),
    classes=2,
    params=5_990_702,
    macs=21_900_600,
    text=TextInput(margin=(max(WINDOWS) - 1, max(WINDOWS))),  # the last: one window of zeros behind every text
    deviations=(
        "the rectifier follows the maximum over time, with which it commutes; "
        "multichannel sums the two channels before the filters, which are linear"
    ),
)
def kim_cnn(
    classes: int = 2, channels: int = 18_765, dimension: int = 300, mode: str = "rand", dropout: float = 0.5
) -> nn.Module:
    """Kim's sentence CNN: filters over 3, 4 and 5 words, 100 each, the largest answer of each.

    ``channels`` is the number of different words; ``dimension`` that of their vectors; ``mode`` is rand, static,
    non-static or multichannel (two tables, one of them static).

    Raises NetworkError for another mode.
    """
    if mode not in MODES:
        raise NetworkError(f"kim_cnn has no mode {mode!r}.{near_names(mode, MODES)} There are {', '.join(MODES)}.")
    return KimCNN(classes, channels, dimension, mode, dropout)
