"""The figures of tagging: right tags, and spans as conlleval counts them, with intervals over sentences."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neocog.core.span_score import SpanScore, span_score
from neocog.core.spans import spans
from neocog.tasks.statistics import Floats, Integers, Interval

RESAMPLES = 1000  # of the sentences, for an interval (Efron 1979)


@dataclass(frozen=True)
class TaggedWords:
    """Sentences one behind the other: their ``lengths`` (N,), and ``truth`` and ``answered`` of all their words.

    These are (W,) places in ``classes``. ``spans_are_tagged`` tells tags of spans from those of single words; the tags
    themselves cannot where all are ``O``.
    """

    classes: tuple[str, ...]
    lengths: Integers
    truth: Integers
    answered: Integers
    spans_are_tagged: bool

    @cached_property
    def sentences(self) -> tuple[list[list[str]], list[list[str]]]:
        """The true and the answered tags of each sentence."""
        names = np.array(self.classes, dtype=object)
        cuts = np.cumsum(self.lengths)[:-1]
        true, answered = (np.split(names[column], cuts) for column in (self.truth, self.answered))
        return [list(each) for each in true], [list(each) for each in answered]

    @cached_property
    def score(self) -> SpanScore:
        """The figures of spans."""
        return span_score(*self.sentences)

    @property
    def has_spans(self) -> bool:
        """Whether there is a span, true or answered: without one F1 has no meaning."""
        return self.spans_are_tagged and bool(self.score.by_type)

    @cached_property
    def right(self) -> Integers:
        """(N,) the right tags of each sentence."""
        hits = (self.truth == self.answered).astype(np.int64)
        return np.add.reduceat(hits, np.cumsum(self.lengths) - self.lengths) if len(self.lengths) else hits


def metrics(words: TaggedWords) -> dict[str, float]:
    """Returns the metrics, fractions in [0, 1]: of spans ``f1``, ``precision`` and ``recall``, then ``accuracy``.

    ``accuracy`` is the share of right tags, ``sentence_accuracy`` that of sentences without a mistake; NaN where there
    are no words. The figures of spans are NaN where there is none, true or answered (0 in conlleval's table), and as
    conlleval's where there is one.
    """
    of_spans = ("f1", "precision", "recall") if words.spans_are_tagged else ()
    made = dict.fromkeys(of_spans, float("nan"))
    if not len(words.truth):
        return {**made, "accuracy": float("nan"), "sentence_accuracy": float("nan")}
    if words.has_spans:
        made = {name: getattr(words.score.overall, name) for name in of_spans}
    made["accuracy"] = float((words.truth == words.answered).mean())
    made["sentence_accuracy"] = float((words.right == words.lengths).mean())
    return made


def intervals(words: TaggedWords) -> dict[str, Interval]:
    """Returns 95 % intervals of ``accuracy``, and of ``f1`` where there are spans, by drawing sentences anew.

    The words of a sentence are right or wrong together, so that an interval over words would be too narrow. The draws
    are the same every time.
    """
    if not len(words.lengths):
        return {}
    drawn = np.random.default_rng(0).integers(0, len(words.lengths), (RESAMPLES, len(words.lengths)))
    accuracy = words.right[drawn].sum(1) / np.maximum(words.lengths[drawn].sum(1), 1)
    found = {"accuracy": _middle(accuracy)}
    if words.has_spans:
        counts = [
            (len(set(own) & set(other)), len(own) + len(other))
            for own, other in ((spans(true), spans(answered)) for true, answered in zip(*words.sentences, strict=True))
        ]
        both, either = (np.array(column)[drawn].sum(1) for column in zip(*counts, strict=True))
        found["f1"] = _middle(2 * both[either > 0] / either[either > 0])  # a draw without a span has no F1
    return found


def _middle(values: Floats) -> Interval:
    low, high = np.quantile(values, (0.025, 0.975))
    return Interval(float(low), float(high))
