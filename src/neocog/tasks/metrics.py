"""The meter of classification: gathers scores over a part and turns them into the field's metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neocog.core.task import Batch
from neocog.tasks import statistics
from neocog.tasks.statistics import Floats, Integers

State = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class Answers:
    """All answers over a part, in the order of its samples.

    ``log_probabilities`` (N, K) float64; ``truth`` (N,) class indices; ``indices`` (N,) positions in the part.
    """

    log_probabilities: Floats
    truth: Integers
    indices: Integers

    @property
    def probabilities(self) -> Floats:
        """(N, K), each row sums to 1."""
        probabilities: Floats = np.exp(self.log_probabilities)
        return probabilities

    @property
    def predicted(self) -> Integers:
        """(N,) the most probable class of each sample; of equal ones the first."""
        predicted: Integers = self.log_probabilities.argmax(1)
        return predicted

    def __len__(self) -> int:
        return len(self.truth)


class ClassificationMeter:
    """Gathers scores (B, K) and class indices (B,); `core.task.Meter` for classification.

    Scores are logits, or log-probabilities where a task has already averaged: their softmax is the same. They stay
    on their device until `state`, `answers` or `compute`, so that no batch waits for the device.
    """

    def __init__(self, classes: int) -> None:
        self.classes = classes
        self._gathered: list[State] = []

    def update(self, outputs: Tensor, batch: Batch) -> None:
        """Takes in (B, K) scores; the batch's targets are class indices (B,)."""
        self._gathered.append((outputs.detach(), batch.targets, batch.indices))

    def state(self) -> State:
        """Returns scores (N, K) float32, targets (N,) and indices (N,), on the CPU."""
        if not self._gathered:
            return torch.empty(0, self.classes), torch.empty(0, dtype=torch.int64), torch.empty(0, dtype=torch.int64)
        scores, targets, indices = (torch.cat(column) for column in zip(*self._gathered, strict=True))
        return scores.float().cpu(), targets.cpu(), indices.cpu()

    def merge(self, states: list[State]) -> None:
        """Replaces what was gathered by the union of all processes' states, each sample once, in the part's order."""
        scores, targets, indices = (torch.cat(column) for column in zip(*states, strict=True))
        _, first = np.unique(indices.numpy(), return_index=True)
        rows = torch.from_numpy(first)
        self._gathered = [(scores[rows], targets[rows], indices[rows])]

    def answers(self) -> Answers:
        """Returns what was gathered, sorted by the samples' positions, so that no order of batches can matter."""
        return make_answers(*self.state())

    def compute(self) -> Mapping[str, float]:
        """Returns the metrics of `metrics`; NaN where nothing was gathered."""
        return metrics(self.answers())


def make_answers(scores: Tensor, targets: Tensor, indices: Tensor) -> Answers:
    """Returns the answers for scores (N, K) whose softmax are the probabilities, sorted by ``indices`` (N,)."""
    order = torch.argsort(indices, stable=True)
    logs = torch.log_softmax(scores[order].double(), dim=1)
    return Answers(logs.numpy(), targets[order].numpy(), indices[order].numpy())


def metrics(answers: Answers) -> dict[str, float]:
    """Returns the metrics of classification, fractions in [0, 1] but for the loss.

    ``loss`` is the mean cross-entropy in nats; ``top1`` and ``top5`` the share whose true class is the first, or
    among the first five (of all classes where there are fewer, so 1); ``f1`` the macro mean over the classes in truth
    or prediction; ``balanced_accuracy`` the mean recall of the classes with samples; ``ece`` the expected calibration
    error over 15 bins.
    """
    if not len(answers):
        return dict.fromkeys(("loss", "top1", "top5", "f1", "balanced_accuracy", "ece"), float("nan"))
    logs, truth, predicted = answers.log_probabilities, answers.truth, answers.predicted
    rank = statistics.ranks(logs, truth)
    scores = statistics.class_scores(statistics.confusion_matrix(truth, predicted, logs.shape[1]))
    # A row of NaN is wrong, and says so by the loss; its confidence counts as none.
    confidence = np.nan_to_num(answers.probabilities.max(1))
    return {
        "loss": float(-np.take_along_axis(logs, truth[:, None], axis=1).mean()),
        "top1": float((rank < 1).mean()),
        "top5": float((rank < 5).mean()),
        "f1": scores.macro_f1,
        "balanced_accuracy": scores.balanced_accuracy,
        "ece": statistics.reliability(confidence, rank < 1).error,
    }
