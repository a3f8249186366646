"""A tagger measured on sentences: every answer, and the figures that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from neocog.core.contract import ModelContract
from neocog.data.conll import TaggedSentence
from neocog.data.dataset import Items
from neocog.tasks import statistics, tag_metrics
from neocog.tasks.result import Refused, Table, number
from neocog.tasks.statistics import Integers, Interval
from neocog.tasks.tag_metrics import TaggedWords

WORST = 24


@dataclass(frozen=True)
class MistakenSentence:
    """A sentence with wrong tags: ``index`` is its position in the part, ``wrong`` how many tags are wrong."""

    index: int
    name: str
    words: tuple[str, ...]
    truth: tuple[str, ...]
    answered: tuple[str, ...]
    wrong: int


@dataclass(frozen=True)
class TaggingResult:
    """What a tagger answered for one part of a data set: `neocog.tasks.result.Result`.

    ``tags`` are all in truth or answers, in order; ``indices`` (N,) the answered sentences' positions in ``items``;
    ``words`` their tags; ``chances`` (W,) the probability of each answered tag.
    """

    contract: ModelContract
    data: str
    part: str
    statement: str
    items: Items[TaggedSentence]
    indices: Integers
    words: TaggedWords
    chances: Sequence[float]
    refused: tuple[Refused, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags, in order."""
        return self.words.classes

    @property
    def samples(self) -> int:
        """Number of sentences that were answered."""
        return len(self.indices)

    @property
    def what(self) -> str:
        """The word for the samples."""
        return "sentences"

    @cached_property
    def metrics(self) -> dict[str, float]:
        """The figures of `neocog.tasks.tag_metrics.metrics`."""
        return tag_metrics.metrics(self.words)

    @cached_property
    def intervals(self) -> dict[str, Interval]:
        """95 % intervals of accuracy and F1, over sentences."""
        return tag_metrics.intervals(self.words)

    @cached_property
    def confusion(self) -> Integers:
        """(K, K) counts of words: row the true tag, column the answer."""
        return statistics.confusion_matrix(self.words.truth, self.words.answered, len(self.tags))

    def verdict(self, which: str = "") -> str:
        """Returns e.g. ``F1 93.6 % of spans in 2,012 sentences (95 % interval 93.2 to 94.0 %), 95.9 % ...``."""
        sentences = f"{self.samples:,} {which}{self.what}"
        right = f"{100 * self.metrics['accuracy']:.1f} % of {len(self.words.truth):,} tags right"
        if not self.words.spans_are_tagged:
            return f"{right} in {sentences} ({self._interval('accuracy')})"
        if not self.words.has_spans:
            return f"no span, true or answered, in {sentences}, so no F1; {right} ({self._interval('accuracy')})"
        return f"F1 {100 * self.metrics['f1']:.1f} % of spans in {sentences} ({self._interval('f1')}), {right}"

    def _interval(self, name: str) -> str:
        low, high = self.intervals[name]
        return f"95 % interval {100 * low:.1f} to {100 * high:.1f} %"

    def class_rows(self) -> list[dict[str, Any]]:
        """Returns a row a type of span, or a tag where words are tagged: precision, recall, f1, support, predicted."""
        if self.words.spans_are_tagged:
            return [
                {
                    "class": name,
                    "precision": each.precision,
                    "recall": each.recall,
                    "f1": each.f1,
                    "support": each.gold,
                    "predicted": each.predicted,
                }
                for name, each in self.words.score.by_type.items()
            ]
        scores = statistics.class_scores(self.confusion)
        return [
            {
                "class": name,
                "precision": number(scores.precision[place]),
                "recall": number(scores.recall[place]),
                "f1": number(scores.f1[place]),
                "support": int(scores.support[place]),
                "predicted": int(scores.predicted[place]),
            }
            for place, name in enumerate(self.tags)
        ]

    def mistakes(self, count: int = WORST) -> tuple[MistakenSentence, ...]:
        """Returns the sentences with the most wrong tags, the most first."""
        wrong = self.words.lengths - self.words.right
        worst = [int(place) for place in np.argsort(-wrong, kind="stable")[:count] if wrong[place]]
        return tuple(self._mistake(place, int(wrong[place])) for place in worst)

    def _mistake(self, place: int, wrong: int) -> MistakenSentence:
        index = int(self.indices[place])
        true, answered = (tuple(column[place]) for column in self.words.sentences)
        return MistakenSentence(index, self.items.name(index), self.items.read(index).words, true, answered, wrong)

    def tables(self) -> dict[str, Table]:
        """Returns ``classes`` (a row a type of span, or a tag), ``confusion`` of tags, ``answers`` a row a word."""
        rows = self.class_rows()
        header = ["class", "precision", "recall", "f1", "support", "predicted"]
        names = list(self.tags)
        return {
            "classes": [header, *(["" if cell is None else cell for cell in row.values()] for row in rows)],
            "confusion": [
                ["truth", *names],
                *([n, *row] for n, row in zip(names, self.confusion.tolist(), strict=True)),
            ],
            "answers": [["input", "word", "truth", "tag", "probability", "error"], *self._answer_rows()],
        }

    def _answer_rows(self) -> Table:
        made: Table = []
        chances = iter(self.chances)
        for index, true, answered in zip(self.indices, *self.words.sentences, strict=True):
            words = self.items.read(int(index)).words
            for word, truth, tag in zip(words, true, answered, strict=True):
                made.append([self.items.name(int(index)), word, truth, tag, f"{next(chances):.9g}", ""])
        return [*made, *([each.name, "", "", "", "", each.reason] for each in self.refused)]

    def to_json(self) -> dict[str, Any]:
        """Returns everything as plain values; NaN, for what has no meaning, as None."""
        return {
            "data": self.data,
            "part": self.part,
            "statement": self.statement,
            "n": self.samples,
            "words": len(self.words.truth),
            **{name: number(value) for name, value in self.metrics.items()},
            **{f"{name}_interval": list(ends) for name, ends in self.intervals.items()},
            "classes": self.class_rows(),
            "tags": list(self.tags),
            "confusion": self.confusion.tolist(),
            "mistakes": [vars(mistake) for mistake in self.mistakes()],
            "refused": [vars(refused) for refused in self.refused],
            "warnings": list(self.warnings),
        }
