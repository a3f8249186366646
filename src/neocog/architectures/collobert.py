"""Natural Language Processing (Almost) from Scratch (Collobert et al., JMLR 12, 2011). Sections 3.2 and 3.3."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from neocog.core.registry import TextInput, network
from neocog.nn.crf import transitions
from neocog.nn.sentence_network import StrongestForEach
from neocog.nn.tables import ChannelsFirst
from neocog.nn.tagger_tables import TaggerTables

WINDOW = 5  # words that the window network sees: table 5 of the paper
HIDDEN = 300
NARROW = 3  # words that a filter of the sentence network sees
SECOND = 500
REACH = 200  # words between which the sentence network tells distances apart


class WindowNetwork(nn.Module):
    """Features of five words, a hidden layer, a score for each tag of the middle one.

    Tokens (B, L, features) to scores (B, L, classes): the hidden layer over each window is a convolution. Zeros stand
    before and behind a sentence. ``crf`` scores transitions, or is None.
    """

    token_axes = 2

    def __init__(self, tables: TaggerTables, classes: int, dropout: float, likelihood: str) -> None:
        super().__init__()
        self.tokens = tables.tokens
        self.lookup = tables
        self.input_dropout = nn.Dropout(dropout)
        self.vectors = ChannelsFirst()
        self.window = nn.Conv1d(tables.dimension, HIDDEN, WINDOW, padding=WINDOW // 2)
        self.hardtanh = nn.Hardtanh()
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Conv1d(HIDDEN, classes, 1)
        self.crf = transitions(classes, likelihood)

    def tables(self) -> list[nn.Embedding]:
        """Returns the tables of word vectors."""
        return [self.lookup.words]

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns the scores (B, L, classes)."""
        channels = self.vectors(self.input_dropout(self.lookup(tokens)))  # (B, E, L)
        hidden = self.hardtanh(self.window(channels))  # (B, H, L)
        return self.head(self.dropout(hidden)).transpose(1, 2)  # type: ignore[no-any-return]


class SentenceNetwork(nn.Module):
    """For each word in turn: filters over the whole sentence that see the distance to that word, the largest answers.

    Tokens (B, L, features) to scores (B, L, classes); words behind a sentence's end take no part in the maximum. Two
    further layers follow (equations 8 to 12 of the paper).
    """

    token_axes = 2

    def __init__(self, tables: TaggerTables, classes: int, dropout: float, likelihood: str) -> None:
        super().__init__()
        self.tokens = tables.tokens
        self.lookup = tables
        self.input_dropout = nn.Dropout(dropout)
        self.strongest = StrongestForEach(tables.dimension, HIDDEN, NARROW, REACH)
        self.hidden = nn.Linear(HIDDEN, SECOND)
        self.hardtanh = nn.Hardtanh()
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(SECOND, classes)
        self.crf = transitions(classes, likelihood)

    def tables(self) -> list[nn.Embedding]:
        """Returns the tables of word vectors."""
        return [self.lookup.words]

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns the scores (B, L, classes)."""
        return self._scored(self.strongest(self.input_dropout(self.lookup(tokens)), tokens[:, :, 0] != 0))

    def at_word(self, tokens: Tensor, word: int) -> Tensor:
        """Returns the scores (B, classes) of the word at one place: a sentence's length times less work."""
        return self._scored(self.strongest(self.input_dropout(self.lookup(tokens)), tokens[:, :, 0] != 0, word))[:, 0]

    def _scored(self, strongest: Tensor) -> Tensor:
        """Returns the scores (B, N, classes) of the largest answers (B, N, H)."""
        return self.head(self.dropout(self.hardtanh(self.hidden(strongest))))  # type: ignore[no-any-return]


@network(
    paper="1103.0398",
    year=2011,
    task="tagging",
    input=(99_999, 64, 4),
    classes=45,
    params=5_098_435,
    macs=6_144_000,
    text=TextInput(),
    deviations="zeros, not a word of its own, stand before and behind a sentence; suffixes only where asked for",
)
def collobert_window(
    classes: int = 45,
    channels: int = 99_999,
    dimension: int = 50,
    suffixes: Sequence[int] = (0, 0),
    likelihood: str = "sentence",
    dropout: float = 0.0,
) -> nn.Module:
    """Collobert's window network: five words with their capitals and suffixes, a hidden layer, the middle one's tags.

    ``channels`` is the number of different words, ``dimension`` that of their vectors, ``suffixes`` the numbers of
    different suffixes of two and of three letters (0: none). ``likelihood`` is word, each tag by itself, or sentence,
    with scores of transitions.

    Raises NetworkError for another likelihood.
    """
    return WindowNetwork(TaggerTables(channels, dimension, suffixes), classes, dropout, likelihood)


@network(
    paper="1103.0398",
    year=2011,
    task="tagging",
    input=(99_999, 64, 4),
    classes=45,
    params=5_231_440,
    macs=14_779_500,
    text=TextInput(),
    deviations=(
        "one distance a place, to the word in question: that to the verb is of semantic roles alone; "
        "zeros, not a word of its own, stand before and behind a sentence; suffixes only where asked for"
    ),
)
def collobert_sentence(
    classes: int = 45,
    channels: int = 99_999,
    dimension: int = 50,
    suffixes: Sequence[int] = (0, 0),
    likelihood: str = "sentence",
    dropout: float = 0.0,
) -> nn.Module:
    """Collobert's sentence network: filters over the whole sentence for each word in turn, the largest answers.

    The arguments are those of `collobert_window`. Raises NetworkError for another likelihood.
    """
    return SentenceNetwork(TaggerTables(channels, dimension, suffixes), classes, dropout, likelihood)
