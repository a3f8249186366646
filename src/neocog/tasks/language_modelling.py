"""The task of language modelling: at every place of a text, which token comes next."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from neocog.core.task import Batch
from neocog.data.window_source import NOT_SCORED

NAME = "language modelling"


@dataclass(frozen=True)
class LanguageModelling:
    """`core.task.Task` for running text: batches hold windows of `neocog.data.window_source.WindowSource`.

    A recurrent network begins each window of training with nothing remembered: gradients go through the window, and no
    state has to be kept with a checkpoint.
    """

    unit: str
    label_smoothing: float = 0.0
    name: str = NAME
    selects_by: str = "probability"

    def prepare(self, batch: Batch, generator: torch.Generator | None) -> Batch:
        """Returns the batch as it is."""
        del generator
        return batch

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Returns the mean cross-entropy of the next token."""
        logits = network(batch.inputs).flatten(0, 1).float()
        targets, smoothing = batch.targets.flatten(), self.label_smoothing
        return functional.cross_entropy(logits, targets, ignore_index=NOT_SCORED, label_smoothing=smoothing)

    def outputs(self, network: nn.Module, batch: Batch) -> Tensor:
        """Returns how many nats each token cost (B, L), 0 where none is scored."""
        assert isinstance(batch.inputs, Tensor)
        return costs(network, batch.inputs, batch.targets)

    def meter(self) -> LanguageMeter:
        """Returns an empty meter."""
        return LanguageMeter(self.unit)


def costs(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Returns the nats (B, L) float32 of the targets, -log p, and 0 where there is none to be told."""
    logits = network(inputs).float().transpose(1, 2)  # (B, K, L)
    return functional.cross_entropy(logits, targets, ignore_index=NOT_SCORED, reduction="none")


class LanguageMeter:
    """Adds up nats and tokens; ``unit`` is what a token is called."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self._sums = torch.zeros(2, dtype=torch.float64)

    def update(self, outputs: Tensor, batch: Batch) -> None:
        """Takes in nats (B, L) of a batch's targets."""
        count = (batch.targets != NOT_SCORED).sum()
        self._sums = self._sums + torch.stack([outputs.double().sum(), count.double()]).cpu()

    def state(self) -> Tensor:
        """Returns nats and tokens (2,)."""
        return self._sums

    def merge(self, states: list[Tensor]) -> None:
        """Adds up the states of all processes, whose windows differ."""
        self._sums = torch.stack(states).sum(0)

    def compute(self) -> Mapping[str, float]:
        """Returns the figures of `figures`."""
        nats, count = self._sums.tolist()
        return figures(nats / count if count else math.nan, self.unit)


def figures(nats: float, unit: str) -> dict[str, float]:
    """Returns what a mean cost of so many nats a token means.

    ``bits_per_character`` or ``bits_per_word`` is nats / ln 2; ``perplexity`` exp(nats): as unsure as among so many
    equally likely tokens; ``probability`` exp(-nats), the geometric mean of what the tokens that came were given.
    """
    return {
        f"bits_per_{unit}": nats / math.log(2),
        "perplexity": math.exp(min(nats, 700.0)),
        "probability": math.exp(-nats),
        "loss": nats,
    }
