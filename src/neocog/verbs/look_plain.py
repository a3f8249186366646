"""Texts as ``look`` takes them: one answer a text, n-grams over all of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import nn

from neocog.core.outputs import primary
from neocog.data.dataset import DataSet
from neocog.data.text_open import open_texts
from neocog.data.text_rows import Reading
from neocog.tasks.model import Model
from neocog.verbs.look_kind import Asked, Named, Question, best, readable
from neocog.verbs.look_ngrams import text_ngrams
from neocog.verbs.look_text_result import FilterNgram, LookedText
from neocog.verbs.look_words import SeenText, preprocessing_of, seen_text
from neocog.verbs.text_inputs import expand_texts


@dataclass(frozen=True)
class PlainTexts:
    """`neocog.verbs.look_kind.Kind` for texts that are classified."""

    model: Model
    refused: ClassVar[Mapping[str, str]] = MappingProxyType({})
    takes_words: ClassVar[bool] = False
    prefix: ClassVar[str] = ""

    @property
    def vocabulary(self) -> Sequence[str]:
        """The words of the model's table; a model of characters has none."""
        told = preprocessing_of(self.model)
        return () if told.tokeniser == "characters" else told.words

    @property
    def module(self) -> nn.Module:
        """The network itself."""
        return self.model.network

    def named(self, inputs: Iterable[str | Path], reading: Reading) -> Iterator[Named]:
        """Yields the texts that the inputs name."""
        return expand_texts(inputs, reading=reading)

    def looked(self, name: str, raw: Any, asked: Asked) -> tuple[LookedText, tuple[Question, ...]]:
        """Returns a text, and its answer as what is explained; raises UnreadableInput."""
        seen = seen_text(self.model, readable(raw))
        with torch.no_grad():
            logits = primary(self.model.network(seen.inputs.clone()))[0].detach().cpu()
        chances = logits.double().softmax(0)
        order, answers = best(chances, self.model.classes)
        between = "" if preprocessing_of(self.model).tokeniser == "characters" else " "
        question = Question(self.model.network, seen, logits, chances, asked.targets(order))
        return LookedText(name, seen.tokens, seen.known, answers, between=between), (question,)

    def ngrams(self, question: Question, layer: str, target: int) -> tuple[FilterNgram, ...]:
        """Returns for each filter the n-gram of the text that fires it; raises NetworkError."""
        return text_ngrams(question.module, question.seen, layer, target)

    def open(self, source: str | Path, reading: Reading) -> DataSet[str]:
        """Opens labelled texts as they are stored; raises DataError."""
        return open_texts(source, reading=reading, for_training=False)

    def seen(self, raw: Any) -> tuple[SeenText, ...]:
        """Returns what the model sees of a text; raises UnreadableInput."""
        return (seen_text(self.model, raw),)
