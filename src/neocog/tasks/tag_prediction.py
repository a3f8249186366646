"""Predicting tags: sentences, as words or as a text, through the words and suffixes of the model file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from neocog.core.errors import UnreadableInput
from neocog.core.task import Inputs
from neocog.data.conll import MOST_WORDS, TaggedSentence
from neocog.data.tag_preprocess import TagPreprocessing
from neocog.data.tokenise import cased_words
from neocog.nn.crf import Constraints, constraints
from neocog.tasks.prediction import Answer
from neocog.tasks.tagging import answers

TOGETHER_WORDS = 1 << 12  # words, padding counted, that the network sees at once


@dataclass(frozen=True)
class TaggedNumbers:
    """What the network made of one sentence: the numbers of its tags (L,), and how probable each is."""

    tags: Sequence[int]
    chances: Sequence[float]


@dataclass(frozen=True)
class TagPredictor:
    """`neocog.tasks.prediction.Predictor` for sentences: a text, a sequence of words, or a `TaggedSentence`.

    ``tags`` are those that the network learned, in order.
    """

    preprocessing: TagPreprocessing
    tags: tuple[str, ...]
    instant: ClassVar[bool] = True
    batches: ClassVar[tuple[int, int]] = (1024, 1024)

    @classmethod
    def from_contract(cls, contract: Mapping[str, Any], classes: Sequence[str]) -> TagPredictor:
        """Returns the predictor that follows a model file's preprocessing."""
        return cls(TagPreprocessing.from_contract(contract), tuple(classes))

    @cached_property
    def allowed(self) -> Constraints | None:
        """What the scheme of the learned tags allows."""
        learned = self.preprocessing.learned
        return None if learned is None else constraints(self.tags, learned)

    def singles(self, inputs: Any) -> Iterable[Any]:
        """Returns the sentences one by one; a sequence of strings is as many texts."""
        return [inputs] if isinstance(inputs, (str, TaggedSentence)) else inputs

    def words(self, raw: Any) -> tuple[str, ...]:
        """Returns the words of a sentence; raises UnreadableInput for what has none, or too many."""
        if isinstance(raw, TaggedSentence):
            found = raw.words
        elif isinstance(raw, str):
            found = tuple(cased_words(raw))
        elif isinstance(raw, Sequence) and all(isinstance(each, str) for each in raw):
            found = tuple(raw)
        else:
            raise UnreadableInput(f"expected a sentence or its words, got {type(raw).__name__}")
        if not found or not all(word.strip() for word in found):
            raise UnreadableInput("the sentence is empty" if not found else "a word of the sentence is empty")
        if len(found) > MOST_WORDS:
            raise UnreadableInput(f"{len(found):,} words in one sentence, more than {MOST_WORDS:,}")
        return found

    def read(self, raw: Any) -> Tensor:
        """Returns the numbers of a sentence's words (L, features) int64; raises UnreadableInput as `words` does."""
        return self.preprocessing.numbers(self.words(raw))

    def collate(self, samples: Sequence[Tensor]) -> Tensor:
        """Returns int64 (B, L, features)."""
        return self.preprocessing.batch(samples)

    def outputs(self, network: nn.Module, inputs: Inputs) -> list[TaggedNumbers]:
        """Returns the best tags of each sentence of int64 (B, L, features); those of similar length go together."""
        if not isinstance(inputs, Tensor):
            raise TypeError(f"expected one tensor of tokens, got {len(inputs)}")
        lengths = (inputs[:, :, 0] != 0).sum(1)
        order = lengths.argsort(descending=True, stable=True)
        found: dict[int, TaggedNumbers] = {}
        while len(order):
            longest = int(lengths[order[0]])
            some, order = torch.tensor_split(order, [max(1, TOGETHER_WORDS // longest)])
            made = answers(network, inputs[some, :longest], self.allowed)
            rows = zip(some.tolist(), lengths[some].tolist(), made.tags.tolist(), made.chances.tolist(), strict=True)
            found.update((row, TaggedNumbers(tags[:n], chances[:n])) for row, n, tags, chances in rows)
        return [found[row] for row in range(len(inputs))]

    def nothing(self, classes: int) -> list[TaggedNumbers]:
        """Returns the answers for no sentences."""
        del classes
        return []

    def named(self, made: TaggedNumbers) -> list[str]:
        """Returns an answer's tags as the data have them."""
        return self.preprocessing.to_data([self.tags[place] for place in made.tags])

    def answers(self, outputs: Sequence[TaggedNumbers], classes: Sequence[str], top: int) -> list[Answer]:
        """Returns the tags of each sentence's words; ``top`` does not matter."""
        del classes, top
        return [Answer(tuple(self.named(each)), tuple(each.chances)) for each in outputs]
