"""What training asks of a task and of its data, and nothing more: no input is assumed to be a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor, nn

Inputs = Tensor | tuple[Tensor, ...]


@dataclass(frozen=True)
class Batch:
    """Some samples of one part of a data set.

    ``inputs`` is what the task's network takes, first dimension B; ``targets`` the task's truth, (B, ...);
    ``indices`` (B,) int64, each sample's position in its part, so that a mistake can be traced to its file.
    """

    inputs: Inputs
    targets: Tensor
    indices: Tensor

    def __len__(self) -> int:
        return int(self.indices.shape[0])

    def to(self, device: torch.device) -> Batch:
        """Returns the batch on another device."""
        return self.apply(lambda tensor: tensor.to(device, non_blocking=True))

    def rows(self, start: int, stop: int) -> Batch:
        """Returns the samples ``start:stop`` of the batch."""
        return self.apply(lambda tensor: tensor[start:stop])

    def apply(self, function: Any) -> Batch:
        """Returns the batch with ``function`` applied to each of its tensors."""
        inputs = self.inputs
        mapped = tuple(function(tensor) for tensor in inputs) if isinstance(inputs, tuple) else function(inputs)
        return replace(self, inputs=mapped, targets=function(self.targets), indices=function(self.indices))


class Loader(Protocol):
    """Batches of one part of a data set; the same seed, epoch and step give the same batch on any machine."""

    @property
    def samples(self) -> int:
        """Number of samples in the part, over all processes."""

    def steps(self, batch_size: int) -> int:
        """Number of batches an epoch; ``batch_size`` counts the samples of all processes together."""

    def batches(self, batch_size: int, *, epoch: int = 0, start: int = 0) -> Iterator[Batch]:
        """Yields this process's share of each batch from step ``start`` on."""


class Meter(Protocol):
    """Gathers outputs over a part and turns them into metrics."""

    def update(self, outputs: Any, batch: Batch) -> None:
        """Takes in the network's outputs for one batch."""

    def state(self) -> Any:
        """Returns what was gathered as plain tensors, to be sent to another process."""

    def merge(self, states: list[Any]) -> None:
        """Replaces what was gathered by the union of the states of all processes."""

    def compute(self) -> Mapping[str, float]:
        """Returns the metrics under the field's names, as fractions; ``loss`` is always among them."""


class Task(Protocol):
    """Loss and metrics: all that the training loop knows of a task."""

    @property
    def name(self) -> str:
        """The task's name, e.g. ``"image classification"``."""

    @property
    def selects_by(self) -> str:
        """The validation metric by which the best weights are chosen, larger is better, e.g. ``"top1"``."""

    def prepare(self, batch: Batch, generator: torch.Generator | None) -> Batch:
        """Turns a loaded batch, already on its device, into what the network takes; with a generator, augmented."""

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Returns the mean training loss over a prepared batch, a scalar."""

    def outputs(self, network: nn.Module, batch: Batch) -> Any:
        """Returns the network's outputs for a prepared batch, without augmentation."""

    def meter(self) -> Meter:
        """Returns an empty meter."""
