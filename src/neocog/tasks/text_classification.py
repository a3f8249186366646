"""The task of text classification: the numbers of tokens in, one of a list of classes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from neocog.core.outputs import primary
from neocog.core.recipe import Recipe
from neocog.core.task import Batch
from neocog.tasks.classification import ClassificationLoss, balanced_weights, network_loss
from neocog.tasks.metrics import ClassificationMeter

NAME = "text classification"


@dataclass(frozen=True)
class TextClassification:
    """`core.task.Task` for texts: batches hold int64 (B, L), which is what the network takes."""

    classes: tuple[str, ...]
    criterion: ClassificationLoss
    name: str = NAME
    selects_by: str = "top1"

    def prepare(self, batch: Batch, generator: torch.Generator | None) -> Batch:
        """Returns the batch as it is."""
        del generator
        return batch

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Returns the mean cross-entropy of a batch."""
        return network_loss(self.criterion, network, batch)

    def outputs(self, network: nn.Module, batch: Batch) -> Tensor:
        """Returns the logits (B, classes) of a batch."""
        return primary(network(batch.inputs))

    def meter(self) -> ClassificationMeter:
        """Returns an empty meter."""
        return ClassificationMeter(len(self.classes))


def make_task(classes: tuple[str, ...], recipe: Recipe, labels: Sequence[int]) -> TextClassification:
    """Returns the task of a run; ``labels`` are the training part's, for class weights where the recipe has them."""
    weights = balanced_weights(labels, len(classes)) if recipe.class_weights else None
    return TextClassification(classes, ClassificationLoss(recipe.label_smoothing, weights))
