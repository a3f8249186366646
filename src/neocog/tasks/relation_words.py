"""What a run knows of the words of sentences with relations, and the vectors that they start from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from torch import nn

from neocog.core.errors import UsageError
from neocog.core.registry import Record
from neocog.data.dataset import DataSet
from neocog.data.relation_open import Sample, are_bags, samples_of, sentences_of
from neocog.data.relation_preprocess import RelationPreprocessing
from neocog.data.semeval import RelationSentence, marked_tokens
from neocog.data.tokenise import tokeniser
from neocog.data.vectors import WordVectors
from neocog.data.vocabulary import vocabulary
from neocog.tasks.options import TrainOptions
from neocog.tasks.text_words import describe_vectors, fill_named, given_vectors


@dataclass(frozen=True, eq=False)
class RelationWords:
    """The words of one run, looked at once; made from the data and the options alone."""

    data: DataSet[Sample]
    options: TrainOptions

    @cached_property
    def holds_bags(self) -> bool:
        """Whether the samples are bags."""
        return are_bags(self.data)

    @cached_property
    def sentences(self) -> tuple[RelationSentence, ...]:
        """The sentences of the training part; those of a bag as often as it is a sample."""
        samples = samples_of(self.data.parts["train"])
        return tuple(each for sample in samples for each in sentences_of(sample))

    @cached_property
    def tokeniser(self) -> str:
        """The name of the tokeniser: as the user says, else words, numbers and marks."""
        if self.options.tokeniser == "characters":
            raise UsageError("--tokeniser characters: entities are of words; choose another")
        return self.options.tokeniser or "words"

    @cached_property
    def _looked_at(self) -> tuple[tuple[int, ...], Counter[str]]:
        split = tokeniser(self.tokeniser)
        tokens = [marked_tokens(each, split).tokens for each in self.sentences]
        return tuple(map(len, tokens)), Counter(token for each in tokens for token in each)

    @property
    def lengths(self) -> tuple[int, ...]:
        """The number of tokens of each training sentence."""
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

    def preprocessing(self, record: Record) -> RelationPreprocessing:
        """Returns how samples become the network's numbers; raises UsageError where it takes sentences and has bags."""
        own = record.text
        if own is None or own.unit not in ("relations", "bags"):
            raise UsageError(f"{record.name} takes no sentences with relations")
        if self.holds_bags and own.unit != "bags":
            raise UsageError(
                f"{record.name} takes single sentences, and {self.data.source} holds bags; --net pcnn_attention does"
            )
        bags = own.unit == "bags"
        usual = (*([1] if bags else []), max(self.lengths), 3)
        words = vocabulary(self.counts, self.vectors.words if self.vectors else ())
        return RelationPreprocessing(self.tokeniser, words, own.reach, bags, usual)

    def describe(self) -> tuple[str, ...]:
        """Returns the lines on sentences, words and vectors."""
        mean = sum(self.lengths) / len(self.lengths)
        longest = max(self.lengths)
        line = f"{len(self.lengths):,} training sentences have {mean:.1f} tokens on average, at most {longest:,}"
        return (line,) if self.vectors is None else (line, describe_vectors(self.counts, self.vectors))

    def fill(self, network: nn.Module, words: tuple[str, ...]) -> None:
        """Puts the vectors into the network's table of words."""
        fill_named(network, words, self.vectors)
