"""The official score of SemEval-2010 task 8: macro-averaged F1 of the relations, direction counted, Other left out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from neocog.core.errors import DataError
from neocog.core.precision_recall import PrecisionRecall

OTHER = "Other"
_DIRECTION = re.compile(r"\(e[12],e[12]\)$")


@dataclass(frozen=True)
class RelationScore:
    """The figures of each relation but Other, sums of them, and how many of the labels are right, Other's too."""

    by_relation: Mapping[str, PrecisionRecall]
    micro: PrecisionRecall
    right: int
    sentences: int
    wrong_direction: int

    @property
    def macro_precision(self) -> float:
        """Returns the mean of the relations' precisions."""
        return sum(each.precision for each in self.by_relation.values()) / len(self.by_relation)

    @property
    def macro_recall(self) -> float:
        """Returns the mean of the relations' recalls."""
        return sum(each.recall for each in self.by_relation.values()) / len(self.by_relation)

    @property
    def macro_f1(self) -> float:
        """Returns the mean of the relations' F1, which is the official score."""
        return sum(each.f1 for each in self.by_relation.values()) / len(self.by_relation)

    @property
    def accuracy(self) -> float:
        """Returns the share of labels that are right, direction and Other included."""
        return self.right / self.sentences


def undirected(label: str) -> str:
    """Returns the relation of a label: ``Cause-Effect`` of ``Cause-Effect(e2,e1)``."""
    return _DIRECTION.sub("", label)


def relation_score(gold: Sequence[str], predicted: Sequence[str], *, other: str = OTHER) -> RelationScore:
    """Returns the figures of predicted labels such as ``Cause-Effect(e2,e1)``, by the rules of the official scorer.

    Hendrickx et al. 2010, and version 1.2 of the scorer, evaluation (iii). Both directions of a relation
    are one; the right relation in the wrong direction is no hit, and counts as one predicted and one missed. The
    mean is over the relations that ``gold`` has: a predicted one that it has not costs recall alone.
    Raises DataError where the lengths differ and where ``gold`` has no relation.
    """
    if len(gold) != len(predicted):
        raise DataError(f"{len(predicted)} labels predicted for {len(gold)} sentences")
    there = Counter(undirected(label) for label in gold)
    said = Counter(undirected(label) for label in predicted)
    hits = Counter(undirected(label) for label, guess in zip(gold, predicted, strict=True) if label == guess)
    relations = sorted(set(there) - {other})
    if not relations:
        raise DataError(f"there is no relation but {other} among {len(gold)} sentences; nothing to score")
    by_relation = {name: PrecisionRecall(hits[name], said[name], there[name]) for name in relations}
    micro = PrecisionRecall(
        sum(each.correct for each in by_relation.values()),
        sum(each.predicted for each in by_relation.values()),
        sum(each.gold for each in by_relation.values()),
    )
    turned = sum(
        label != guess and undirected(label) == undirected(guess) for label, guess in zip(gold, predicted, strict=True)
    )
    return RelationScore(by_relation, micro, hits.total(), len(gold), turned)
