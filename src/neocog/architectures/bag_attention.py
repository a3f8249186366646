"""Neural Relation Extraction with Selective Attention over Instances (Lin et al., ACL 2016). Section 3."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neocog.core.registry import TextInput, network
from neocog.nn.marked import DISTANCE_DIMENSION, PIECES, REACH, MarkedVectors, MaxOver, is_token, pieces

WINDOW = 3  # table 1: "window size l"
MAPS = 230  # "sentence embedding size"
DIMENSION = 50  # "word dimension"
WORDS = 114_042  # of the authors' vectors, trained on the New York Times
RELATIONS = 53  # of the New York Times corpus, NA among them

DEVIATIONS = (
    "distances are told apart up to 30, as the authors' code has it; the query of a relation is its row of the matrix "
    "that scores it, as there; a bag's chances, each from its own relation's attention, are scaled to the sum of 1; a "
    "row of zeros in each table for padding"
)


class SelectiveAttention(nn.Module):
    """How much each relation heeds each sentence: softmax over a bag of x A r, A diagonal (equations 7 and 8).

    Sentences (B, S, F), queries (K, F) or (B, K, F), and which sentences there are (B, S), to weights (B, K, S) that
    sum to 1 over S.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(features))

    def forward(self, sentences: Tensor, queries: Tensor, there: Tensor) -> Tensor:
        """Returns the weights (B, K, S), 0 for a sentence that is not there."""
        match = (queries * self.scale) @ sentences.transpose(1, 2)  # (B, K, S)
        return match.masked_fill(~there.unsqueeze(1), -torch.inf).softmax(-1)

    def macs(self, output_shape: tuple[int, ...]) -> int:
        """Returns the multiply-accumulates of the matches, output (K, S)."""
        relations, sentences = output_shape
        return relations * sentences * len(self.scale)


class BagNetwork(nn.Module):
    """Each sentence's features, their mean as each relation's attention weighs them, and the scores of that mean.

    Bags (B, S, L, 3), a bag's sentences as `neocog.nn.marked` has them and zeros for those that it has not. In training
    the bag's own relation is the one that attends, and the result are logits (B, classes). Otherwise each relation
    attends for itself, and the result are the logarithms (B, classes) of what each gets by its own attention.
    """

    token_axes = 3

    def __init__(self, classes: int, words: int, dimension: int, dropout: float, *, piecewise: bool) -> None:
        super().__init__()
        self.tokens = words
        self.piecewise = piecewise
        features = MAPS * (PIECES if piecewise else 1)
        self.vectors = MarkedVectors(words, dimension)
        self.filters = nn.Conv1d(dimension + 2 * DISTANCE_DIMENSION, MAPS, WINDOW, padding=WINDOW // 2)
        self.over_pieces = MaxOver()
        self.tanh = nn.Tanh()
        self.heed = SelectiveAttention(features)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(features, classes)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def tables(self) -> list[nn.Embedding]:
        """Returns the table of word vectors."""
        return [self.vectors.words]

    def attention(self, bags: Tensor) -> Tensor:
        """Returns how much each relation heeds each sentence, (B, classes, S), for bags (B, S, L, 3)."""
        return self.heed(*self._sentences(bags))  # type: ignore[no-any-return]

    def forward(self, bags: Tensor, relations: Tensor | None = None) -> Tensor:
        """Returns (B, classes) for bags (B, S, L, 3): logits with the true ``relations`` (B,), else log-chances."""
        sentences, queries, there = self._sentences(bags)
        if relations is not None:
            weights = self.heed(sentences, queries[relations].unsqueeze(1), there)  # (B, 1, S)
            return self.head(self.dropout((weights @ sentences).squeeze(1)))  # type: ignore[no-any-return]
        weighed = self.heed(sentences, queries, there) @ sentences  # (B, K, F)
        chances = self.head(self.dropout(weighed)).log_softmax(-1)  # (B, K, K)
        return chances.diagonal(dim1=1, dim2=2)  # type: ignore[no-any-return]

    def _sentences(self, bags: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the sentences' features (B, S, F), the queries (K, F), and which sentences there are (B, S)."""
        there = is_token(bags).any(-1)
        own = bags[there]  # (N, L, 3): the padding costs nothing
        answers = self.filters(self.vectors(own))  # (N, 230, L)
        within = pieces(own) if self.piecewise else is_token(own).unsqueeze(1)
        made = self.tanh(self.over_pieces(answers, within))  # (N, F)
        sentences = made.new_zeros(*there.shape, made.shape[1])
        return sentences.masked_scatter(there.unsqueeze(-1), made), self.head.weight, there


@network(
    paper="P16-1200",
    year=2016,
    task="relation classification",
    input=(WORDS, 1, 64, 3),
    classes=RELATIONS,
    params=5_781_713,
    macs=4_624_380,
    text=TextInput("bags", reach=REACH),
    deviations=DEVIATIONS,
)
def pcnn_attention(
    classes: int = RELATIONS, channels: int = WORDS, dimension: int = DIMENSION, dropout: float = 0.5
) -> nn.Module:
    """PCNN with selective attention: of a bag of sentences each relation heeds those that speak for it.

    ``channels`` is the number of different words, ``dimension`` that of their vectors.
    """
    return BagNetwork(classes, channels, dimension, dropout, piecewise=True)


@network(
    paper="P16-1200",
    year=2016,
    task="relation classification",
    input=(WORDS, 1, 64, 3),
    classes=RELATIONS,
    params=5_756_873,
    macs=3_307_860,
    text=TextInput("bags", reach=REACH),
    deviations=DEVIATIONS,
)
def cnn_attention(
    classes: int = RELATIONS, channels: int = WORDS, dimension: int = DIMENSION, dropout: float = 0.5
) -> nn.Module:
    """The same over the largest answers in the whole sentence, without pieces.

    ``channels`` is the number of different words, ``dimension`` that of their vectors.
    """
    return BagNetwork(classes, channels, dimension, dropout, piecewise=False)
