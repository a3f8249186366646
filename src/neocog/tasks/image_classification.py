"""The task of image classification: pictures in, one of a list of classes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from neocog.core.outputs import primary
from neocog.core.recipe import Augmentation, Recipe
from neocog.core.task import Batch
from neocog.data.augment import augment_batch
from neocog.data.mix import cutmix, mixup
from neocog.data.preprocess import PicturePreprocessing
from neocog.data.resize import normalise
from neocog.tasks.classification import ClassificationLoss, balanced_weights, network_loss
from neocog.tasks.metrics import ClassificationMeter

NAME = "image classification"


@dataclass(frozen=True)
class ImageClassification:
    """`core.task.Task` for pictures: batches hold uint8 (B, C, H, W) until `prepare` makes them the network's.

    ``augmentation`` is what is left to do on whole batches after the loader has done its part.
    """

    classes: tuple[str, ...]
    preprocessing: PicturePreprocessing
    recipe: Recipe
    augmentation: Augmentation
    criterion: ClassificationLoss
    name: str = NAME
    selects_by: str = "top1"

    def prepare(self, batch: Batch, generator: torch.Generator | None) -> Batch:
        """Normalises, and with a generator augments and mixes.

        Inputs become float (B, C, H, W); targets stay (B,) or, mixed, become probabilities (B, classes).
        """
        pictures = batch.inputs
        assert isinstance(pictures, Tensor)
        if generator is None:
            return replace(batch, inputs=normalise(pictures, self.preprocessing))
        changed = augment_batch(pictures, self.augmentation, generator)
        inputs, targets = normalise(changed, self.preprocessing), batch.targets
        inputs, targets = self._mix(inputs, targets, generator)
        return replace(batch, inputs=inputs, targets=targets)

    def _mix(self, inputs: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """MixUp or CutMix; where the recipe has both, each batch gets one of them by a fair coin."""
        use_cutmix = self.recipe.cutmix > 0
        if use_cutmix and self.recipe.mixup > 0:
            use_cutmix = bool(torch.rand((), generator=generator) < 0.5)
        if use_cutmix:
            return cutmix(inputs, targets, len(self.classes), self.recipe.cutmix, generator)
        if self.recipe.mixup > 0:
            return mixup(inputs, targets, len(self.classes), self.recipe.mixup, generator)
        return inputs, targets

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Returns the mean cross-entropy of a prepared batch."""
        return network_loss(self.criterion, network, batch)

    def outputs(self, network: nn.Module, batch: Batch) -> Tensor:
        """Returns the logits (B, classes) of a prepared batch."""
        return primary(network(batch.inputs))

    def meter(self) -> ClassificationMeter:
        """Returns an empty meter."""
        return ClassificationMeter(len(self.classes))


def make_task(
    classes: tuple[str, ...],
    preprocessing: PicturePreprocessing,
    recipe: Recipe,
    augmentation: Augmentation,
    labels: Sequence[int],
) -> ImageClassification:
    """Returns the task of a run; ``labels`` are the training part's, for class weights where the recipe has them."""
    weights = balanced_weights(labels, len(classes)) if recipe.class_weights else None
    criterion = ClassificationLoss(recipe.label_smoothing, weights)
    return ImageClassification(classes, preprocessing, recipe, augmentation, criterion)
