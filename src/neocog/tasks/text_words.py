"""What a run knows of words: the tokens of its training part, and the vectors that they start from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import nn

from neocog.core.errors import DataError, UsageError
from neocog.core.registry import Record
from neocog.data.dataset import DataSet
from neocog.data.text_items import TextItems
from neocog.data.text_preprocess import TextPreprocessing
from neocog.data.tokenise import suits_kim, tokeniser
from neocog.data.vectors import WordVectors, read_vectors
from neocog.data.vocabulary import coverage, vocabulary
from neocog.nn.tables import OneHot, StaticTable
from neocog.tasks.options import TrainOptions

WORDS = 50_000  # of the vectors' most frequent words, beside those of the training part
BOUND = 0.25  # between whose negative and itself tables are drawn


@dataclass(frozen=True, eq=False)
class Words:
    """The words of one run, looked at once; made from the data and the options alone."""

    data: DataSet[str]
    options: TrainOptions

    @cached_property
    def tokeniser(self) -> str:
        """The name of the tokeniser: as the user says, else Kim's for English."""
        if self.options.tokeniser:
            return self.options.tokeniser
        return "kim" if suits_kim(_texts(self.data, "train")) else "words"

    @cached_property
    def _looked_at(self) -> tuple[tuple[int, ...], Counter[str]]:
        lengths: list[int] = []
        counts: Counter[str] = Counter()
        for sentence in map(tokeniser(self.tokeniser), _texts(self.data, "train")):
            lengths.append(len(sentence))
            counts.update(sentence)
        return tuple(lengths), counts

    @property
    def lengths(self) -> tuple[int, ...]:
        """The number of tokens of each training text."""
        return self._looked_at[0]

    @property
    def counts(self) -> Counter[str]:
        """How often each token occurs in the training part."""
        return self._looked_at[1]

    @cached_property
    def vectors(self) -> WordVectors | None:
        """The vectors of the file that the user names, None without one."""
        return given_vectors(self.options, self.counts.keys)

    @property
    def dimension(self) -> int | None:
        """Numbers in a vector, None where nothing says how many."""
        return self.vectors.dimension if self.vectors is not None else self.options.dimension

    def preprocessing(self, record: Record) -> TextPreprocessing:
        """Returns how texts become the network's numbers."""
        own = record.text
        assert own is not None
        if own.unit == "characters":
            if self.options.vectors or self.options.tokeniser not in (None, "characters"):
                raise UsageError(f"{record.name} reads characters; leave --vectors and --tokeniser out")
            name, words, usual = "characters", tuple(own.alphabet), own.length
        else:
            name, words = self.tokeniser, vocabulary(self.counts, self.vectors.words if self.vectors else ())
            usual = sum(own.margin) + max(self.lengths, default=0)
        if not words:
            raise DataError(f"{self.data.source}: the tokeniser {name!r} leaves no word of any training text")
        return TextPreprocessing(name, words, own.margin, own.length, own.backward, usual)

    def describe(self) -> tuple[str, ...]:
        """Returns a line on what the vectors cover, none without vectors."""
        return () if self.vectors is None else (describe_vectors(self.counts, self.vectors),)

    def outside(self, alphabet: Collection[str]) -> float:
        """Returns the share, 0 to 1, of the training part's characters but spaces that an alphabet does not have."""
        counts = Counter(
            character for text in _texts(self.data, "train") for character in "".join(text.lower().split())
        )
        return 1 - coverage(counts, alphabet)[1] if counts else 0.0

    def without_token(self) -> list[str]:
        """Returns the names of the training texts of which the tokeniser leaves nothing."""
        items = self.data.parts["train"].items
        return [items.name(place) for place, length in enumerate(self.lengths) if not length]

    def fill(self, network: nn.Module, words: tuple[str, ...]) -> None:
        """Puts the vectors into the network's tables, at the variance of the table itself (`docs/decisions/0009`).

        Kim 2014, section 4.3: words without a vector are drawn so that their variance is that of the given ones.
        """
        if self.vectors is not None:
            fill_tables(_tables(network, len(words) + 1), words, self.vectors, scaled=True)


def given_vectors(options: TrainOptions, own: Callable[[], Collection[str]]) -> WordVectors | None:
    """Returns the vectors of the file that the user names, None without one; ``own`` gives the run's own words.

    Raises UsageError where the user asks for another dimension than theirs.
    """
    if options.vectors is None:
        return None
    made = read_vectors(options.vectors, own(), first=WORDS if options.words is None else options.words)
    if options.dimension not in (None, made.dimension):
        raise UsageError(f"--dimension {options.dimension}: the vectors of {made.source} have {made.dimension} numbers")
    return made


def fill_named(network: nn.Module, words: Sequence[str], vectors: WordVectors | None) -> None:
    """Puts vectors, as they are, into the tables that a network names; raises UsageError where it names none."""
    if vectors is None:
        return
    tables = getattr(network, "tables", None)
    if tables is None:
        raise UsageError(f"{type(network).__name__} names no tables of word vectors; leave --vectors out")
    fill_tables(tables(), words, vectors)


def fill_tables(
    tables: Iterable[nn.Embedding], words: Sequence[str], vectors: WordVectors, *, scaled: bool = False
) -> None:
    """Puts vectors into tables of word vectors; words without one get the variance of those that have one.

    ``words`` are those of the rows from 1 on. With ``scaled`` all vectors are multiplied by one number, so that they
    have the variance of what is drawn between minus and plus `BOUND`. Kim 2014, section 4.3.
    """
    known = {word: row for row, word in enumerate(vectors.words)}
    pairs = [(number, known[word]) for number, word in enumerate(words, 1) if word in known]
    numbers, rows = (torch.tensor(each, dtype=torch.int64) for each in zip(*pairs, strict=True))
    given = torch.from_numpy(vectors.matrix)[rows]
    ratio = float(given.std()) * 3**0.5 / BOUND if given.numel() > 1 else 1.0  # of the deviations: given to drawn
    given = given / ratio if scaled and ratio > 0 else given
    own = ~torch.isin(torch.arange(len(words) + 1), numbers)
    own[0] = False
    drawn: torch.Tensor | None = None
    for table in tables:
        with torch.no_grad():
            drawn = table.weight[own] * (1.0 if scaled else ratio) if drawn is None else drawn
            table.weight[own] = drawn
            table.weight[numbers] = given


def describe_vectors(counts: Counter[str], vectors: WordVectors) -> str:
    """Returns the line that says what vectors cover of the words of a training part, each counted as often as it is."""
    types, tokens = coverage(counts, vectors.words)
    return (
        f"vectors {vectors.source}: {len(vectors.words):,} of {vectors.total:,} words taken, "
        f"{vectors.dimension} numbers each; they cover {types:.1%} of the {len(counts):,} words of the "
        f"training part and {tokens:.1%} of its running text; the others start at random"
    )


def _tables(network: nn.Module, rows: int) -> Iterable[nn.Embedding]:
    """Returns the tables of word vectors, the moving ones first."""
    tables = [each for each in network.modules() if isinstance(each, nn.Embedding) and not isinstance(each, OneHot)]
    return sorted((each for each in tables if len(each.weight) == rows), key=lambda each: isinstance(each, StaticTable))


def _texts(data: DataSet[str], name: str) -> tuple[str, ...]:
    items = data.parts[name].items
    assert isinstance(items, TextItems)
    return items.texts
