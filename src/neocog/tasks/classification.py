"""Loss and metrics of classification, whatever the inputs are: pictures, sentences and sounds share this file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from neocog.core.outputs import WithAuxiliary, primary
from neocog.core.task import Batch


@dataclass(frozen=True)
class ClassificationLoss:
    """Softmax cross-entropy with label smoothing and class weights.

    ``weights`` (classes,) multiply each sample's loss by its class's weight, or are None; ``smoothing`` is the share of
    probability spread evenly over all classes (Szegedy et al. 2016, section 7).
    """

    smoothing: float = 0.0
    weights: Tensor | None = None

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Returns the mean loss; logits (B, classes), targets (B,) class indices or (B, classes) probabilities.

        The mean is over the batch's size also with class weights, so that pieces of a batch and the shares of several
        processes add up to the whole batch's gradient, which torch's own weighted mean does not.
        """
        logits = logits.float()
        weights = None if self.weights is None else self.weights.to(logits.device)
        total = functional.cross_entropy(
            logits, targets, weight=weights, label_smoothing=self.smoothing, reduction="sum"
        )
        return total / logits.shape[0]


def balanced_weights(labels: Sequence[int], classes: int) -> Tensor:
    """Returns a weight a class, inversely proportional to its frequency, whose mean over the samples is 1.

    A class without samples gets weight 0: it has no loss to weigh.
    """
    counts = torch.bincount(torch.tensor(labels, dtype=torch.int64), minlength=classes).double()
    present = counts > 0
    weights = torch.zeros(classes, dtype=torch.float64)
    weights[present] = len(labels) / (present.sum() * counts[present])
    return weights.float()


def network_loss(loss: ClassificationLoss, network: nn.Module, batch: Batch) -> Tensor:
    """Returns the loss of a prepared batch; inputs may be one tensor or several.

    Auxiliary heads add their own losses, at the weight that their paper gives them (Szegedy et al. 2014, section 5).
    """
    inputs = batch.inputs if isinstance(batch.inputs, tuple) else (batch.inputs,)
    outputs = network(*inputs)
    total = loss(primary(outputs), batch.targets)
    if isinstance(outputs, WithAuxiliary):
        for logits in outputs.auxiliary:
            total = total + outputs.weight * loss(logits, batch.targets)
    return total
