"""The task of relation classification: sentences with two entities, or bags of them, in, one of the relations out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from neocog.core.recipe import Recipe
from neocog.core.relation_score import OTHER, RelationScore, relation_score
from neocog.core.task import Batch
from neocog.tasks.classification import ClassificationLoss, balanced_weights
from neocog.tasks.metrics import Answers, ClassificationMeter

NAME = "relation classification"
OTHERS = (OTHER, "NA", "no_relation")  # what data sets call no relation: SemEval-2010, the New York Times, TACRED


@dataclass(frozen=True)
class RelationClassification:
    """`core.task.Task` for relations: batches hold int64 (B, L, 3), or with ``bags`` (B, S, L, 3)."""

    classes: tuple[str, ...]
    criterion: ClassificationLoss
    bags: bool
    name: str = NAME
    selects_by: str = "macro_f1"

    def prepare(self, batch: Batch, generator: torch.Generator | None) -> Batch:
        """Returns the batch as it is."""
        del generator
        return batch

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Returns the mean cross-entropy of a batch; in a bag the true relation attends (Lin et al. 2016)."""
        known = (batch.targets,) if self.bags else ()
        return self.criterion(network(batch.inputs, *known), batch.targets)

    def outputs(self, network: nn.Module, batch: Batch) -> Tensor:
        """Returns scores (B, relations) of a batch, whose softmax are the probabilities."""
        return network(batch.inputs)  # type: ignore[no-any-return]

    def meter(self) -> RelationMeter:
        """Returns an empty meter."""
        return RelationMeter(self.classes)


class RelationMeter(ClassificationMeter):
    """The meter of classification, with the official figures first."""

    def __init__(self, classes: tuple[str, ...]) -> None:
        super().__init__(len(classes))
        self.names = classes

    def compute(self) -> Mapping[str, float]:
        """Returns `official` and the metrics of classification, what chooses the best epoch first."""
        own = official(self.answers(), self.names)
        return {"macro_f1": own["macro_f1"], **super().compute(), **own}


def make_task(classes: tuple[str, ...], recipe: Recipe, labels: Sequence[int], *, bags: bool) -> RelationClassification:
    """Returns the task of a run; ``labels`` are the training part's, for class weights where the recipe has them."""
    weights = balanced_weights(labels, len(classes)) if recipe.class_weights else None
    return RelationClassification(classes, ClassificationLoss(recipe.label_smoothing, weights), bags)


def official(answers: Answers, classes: Sequence[str]) -> dict[str, float]:
    """Returns ``macro_f1``, ``macro_precision`` and ``macro_recall`` by the rules of SemEval-2010 task 8, as fractions.

    NaN where no sample has a relation.
    """
    score = score_of(answers, classes)
    if score is None:
        return dict.fromkeys(("macro_f1", "macro_precision", "macro_recall"), float("nan"))
    return {
        "macro_f1": score.macro_f1,
        "macro_precision": score.macro_precision,
        "macro_recall": score.macro_recall,
    }


def score_of(answers: Answers, classes: Sequence[str]) -> RelationScore | None:
    """Returns the official score of all answers, None where no sample has a relation."""
    other = next((name for name in OTHERS if name in classes), OTHER)
    gold, said = ([classes[place] for place in column] for column in (answers.truth, answers.predicted))
    return relation_score(gold, said, other=other) if set(gold) - {other} else None
