"""A model measured on labelled samples: every answer, and the figures that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neocog.core.contract import ModelContract
from neocog.data.dataset import Items, Part
from neocog.tasks import metrics, statistics
from neocog.tasks.metrics import Answers
from neocog.tasks.model import Model
from neocog.tasks.result import Refused, Table, number
from neocog.tasks.statistics import ClassScores, Integers, Interval, Reliability

WORST = 24


@dataclass(frozen=True)
class Mistake:
    """A wrong answer: ``index`` is the sample's position in the part, probabilities are in [0, 1]."""

    index: int
    name: str
    truth: str
    predicted: str
    probability: float
    probability_of_truth: float


@dataclass(frozen=True)
class TestResult:
    """What a classifier answered for one part of a data set: `neocog.tasks.result.Result`.

    ``items`` are the part's samples, ``answers`` those that could be read, by position in it, ``refused`` the others.
    ``statement`` says in a sentence what was tested; ``warnings`` what makes the figures doubtful. ``official`` are the
    task's own figures, the one that matters most first; none where it is the share of right answers. ``what`` is the
    word for the samples.
    """

    __test__ = False  # pytest would take the name for a test

    contract: ModelContract
    data: str
    part: str
    statement: str
    items: Items[Any]
    answers: Answers
    refused: tuple[Refused, ...] = ()
    warnings: tuple[str, ...] = ()
    official: Mapping[str, float] = field(default_factory=dict)
    what: str = "samples"

    @property
    def classes(self) -> tuple[str, ...]:
        """The model's classes, in order."""
        return self.contract.classes

    @property
    def samples(self) -> int:
        """Number of samples that were answered."""
        return len(self.answers)

    @cached_property
    def metrics(self) -> Mapping[str, float]:
        """The task's own figures and those of `neocog.tasks.metrics.metrics`."""
        return {**self.official, **metrics.metrics(self.answers)}

    @cached_property
    def intervals(self) -> Mapping[str, Interval]:
        """The 95 % Wilson intervals of ``top1`` and ``top5``."""
        hits = {name: round(self.metrics[name] * self.samples) if self.samples else 0 for name in ("top1", "top5")}
        return {name: statistics.wilson_interval(count, self.samples) for name, count in hits.items()}

    @cached_property
    def confusion(self) -> Integers:
        """(K, K) counts: row the true class, column the answer."""
        return statistics.confusion_matrix(self.answers.truth, self.answers.predicted, len(self.classes))

    @cached_property
    def scores(self) -> ClassScores:
        """Precision, recall, F1 and counts of each class."""
        return statistics.class_scores(self.confusion)

    @cached_property
    def reliability(self) -> Reliability:
        """The reliability curve of the answers."""
        answers = self.answers
        confidence = answers.probabilities.max(1) if len(answers) else np.empty(0)
        return statistics.reliability(np.nan_to_num(confidence), answers.predicted == answers.truth)

    def mistakes(self, count: int = WORST) -> tuple[Mistake, ...]:
        """Returns the most confident wrong answers, worst first."""
        answers = self.answers
        rows = statistics.worst_mistakes(answers.probabilities, answers.truth, count)
        return tuple(self._mistake(int(row)) for row in rows)

    def _mistake(self, row: int) -> Mistake:
        truth, predicted = int(self.answers.truth[row]), int(self.answers.predicted[row])
        chances = np.exp(self.answers.log_probabilities[row])
        index = int(self.answers.indices[row])
        return Mistake(
            index=index,
            name=self.items.name(index),
            truth=self.classes[truth],
            predicted=self.classes[predicted],
            probability=float(chances[predicted]),
            probability_of_truth=float(chances[truth]),
        )

    def verdict(self, which: str = "") -> str:
        """Returns e.g. ``98.6 % of 360 samples right (95 % interval 96.8 to 99.4 %)``, behind the task's own figure."""
        low, high = self.intervals["top1"]
        right = f"{100 * self.metrics['top1']:.1f} % of {self.samples:,} {which}{self.what} right"
        own = "".join(f"{name.replace('_', ' ')} {100 * value:.1f} %; " for name, value in [*self.official.items()][:1])
        return f"{own}{right} (95 % interval {100 * low:.1f} to {100 * high:.1f} %)"

    def tables(self) -> dict[str, Table]:
        """Returns the tables ``classes``, ``confusion`` and ``answers``; what has no meaning is empty."""
        names, rows = list(self.classes), self.class_rows()
        classes = [list(rows[0]), *(["" if cell is None else cell for cell in row.values()] for row in rows)]
        confusion = [[name, *row] for name, row in zip(names, self.confusion.tolist(), strict=True)]
        return {
            "classes": classes,
            "confusion": [["truth", *names], *confusion],
            "answers": [["input", "truth", "label", "probability", "error"], *self._answer_rows()],
        }

    def _answer_rows(self) -> Table:
        names, answers = self.classes, self.answers
        chances = answers.probabilities.max(1).tolist()
        rows: Table = [
            [self.items.name(int(index)), names[truth], names[answer], f"{chance:.9g}", ""]
            for index, truth, answer, chance in zip(
                answers.indices, answers.truth, answers.predicted, chances, strict=True
            )
        ]
        return [*rows, *([each.name, "", "", "", each.reason] for each in self.refused)]

    def to_json(self) -> dict[str, Any]:
        """Returns everything as plain values; NaN, for what has no meaning, as None."""
        curve = self.reliability
        return {
            "data": self.data,
            "part": self.part,
            "statement": self.statement,
            "n": self.samples,
            **{name: number(value) for name, value in self.metrics.items()},
            **{f"{name}_interval": list(ends) for name, ends in self.intervals.items()},
            "classes": self.class_rows(),
            "confusion": self.confusion.tolist(),
            "calibration": {
                "edges": curve.edges.tolist(),
                "count": curve.count.tolist(),
                "confidence": [number(value) for value in curve.confidence],
                "accuracy": [number(value) for value in curve.accuracy],
            },
            "mistakes": [vars(mistake) for mistake in self.mistakes()],
            "refused": [vars(refused) for refused in self.refused],
            "warnings": list(self.warnings),
        }

    def class_rows(self) -> list[dict[str, Any]]:
        """Returns a row a class: class, precision, recall, f1 (None where without meaning), support, predicted."""
        scores = self.scores
        return [
            {
                "class": name,
                "precision": number(scores.precision[place]),
                "recall": number(scores.recall[place]),
                "f1": number(scores.f1[place]),
                "support": int(scores.support[place]),
                "predicted": int(scores.predicted[place]),
            }
            for place, name in enumerate(self.classes)
        ]


def answer(
    model: Model, part: Part[Any], *, batch_size: int | None = None, workers: int | None = None
) -> tuple[Answers, tuple[Refused, ...]]:
    """Returns the model's answers for a part whose labels are the model's class indices, and what was refused."""

    def read(index: int) -> Tensor:
        return model.predictor.read(part.items.read(index))

    scores: list[Tensor] = [torch.empty(0, len(model.classes))]
    answered: list[int] = []
    refused: list[Refused] = []
    for keys, errors, logs in model.batches(read, range(len(part)), batch_size=batch_size, workers=workers):
        scores.append(logs)
        for index, error in zip(keys, errors, strict=True):
            if error is None:
                answered.append(index)
            else:
                refused.append(Refused(part.items.name(index), str(error)))
    indices = torch.tensor(answered, dtype=torch.int64)
    truth = torch.tensor([part.labels[index] for index in answered], dtype=torch.int64)
    return metrics.make_answers(torch.cat(scores), truth, indices), tuple(refused)
