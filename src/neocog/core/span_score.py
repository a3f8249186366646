"""Precision, recall and F1 of spans, counted as conlleval counts them: a span is right whole, in place and type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from neocog.core.errors import DataError
from neocog.core.precision_recall import PrecisionRecall
from neocog.core.spans import spans


@dataclass(frozen=True)
class SpanScore:
    """The figures of all spans and of each type, and how many of the words have the right tag."""

    overall: PrecisionRecall
    by_type: Mapping[str, PrecisionRecall]
    right_tags: int
    words: int

    @property
    def accuracy(self) -> float:
        """Returns the share of words with the right tag; 0 where there are no words."""
        return self.right_tags / self.words if self.words else 0.0


def span_score(gold: Iterable[Sequence[str]], predicted: Iterable[Sequence[str]]) -> SpanScore:
    """Returns the figures of predicted tags, in sentences as the gold ones are.

    Micro-averaged over sentences and types, as in Tjong Kim Sang and Buchholz 2000. Spans end with their
    sentence, and ill-formed tags are read as `spans` does. As in conlleval, a word's tag is right where letter and type
    are, whatever the spans. Raises DataError where numbers of sentences or of words differ, and for other tags.
    """
    true, guessed, correct = Counter[str](), Counter[str](), Counter[str]()
    right = words = 0
    for number, (own, other) in enumerate(_pairs(list(gold), list(predicted)), 1):
        if len(own) != len(other):
            raise DataError(f"sentence {number}: {len(other)} tags predicted for {len(own)} words")
        there, found = set(spans(own)), set(spans(other))
        true.update(span.type for span in there)
        guessed.update(span.type for span in found)
        correct.update(span.type for span in there & found)
        right += sum(tag == guess for tag, guess in zip(own, other, strict=True))
        words += len(own)
    by_type = {kind: PrecisionRecall(correct[kind], guessed[kind], true[kind]) for kind in sorted({*true, *guessed})}
    overall = PrecisionRecall(correct.total(), guessed.total(), true.total())
    return SpanScore(overall, by_type, right, words)


def _pairs(gold: list[Sequence[str]], predicted: list[Sequence[str]]) -> Iterable[tuple[Sequence[str], Sequence[str]]]:
    if len(gold) != len(predicted):
        raise DataError(f"{len(predicted)} sentences predicted where there are {len(gold)}")
    return zip(gold, predicted, strict=True)
