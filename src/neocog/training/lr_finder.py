"""The learning-rate range test: the rate grows at every step, and the loss tells where it is too large (Smith 2017)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import nn

from neocog.core.errors import TrainingError
from neocog.core.recipe import Recipe
from neocog.core.task import Batch, Loader, Task
from neocog.training.phases import Phase
from neocog.training.probe import rehearsal
from neocog.training.step import Place

_SMOOTHING = 0.9
_DIVERGED = 4.0  # the test ends when the smoothed loss is so many times the smallest


@dataclass(frozen=True)
class RangeTest:
    """The curve of a range test, equally long: ``rates`` growing geometrically, ``losses`` smoothed.

    ``suggestion`` is the rate of the steepest fall, ``largest`` that of the smallest loss: beyond it training fails.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    suggestion: float
    largest: float


def find_learning_rate(
    network: nn.Module,
    task: Task,
    train: Loader,
    recipe: Recipe,
    *,
    phase: Phase | None = None,
    device: torch.device | None = None,
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 100,
) -> RangeTest:
    """Trains a copy of the network while the rate grows from ``lowest`` to ``highest``; the network stays as it is.

    Raises TrainingError when no rate makes the loss fall.
    """
    phase = phase or Phase("range test", recipe.epochs, recipe.learning_rate)
    device = device or torch.device("cpu")
    rates = [lowest * (highest / lowest) ** (number / (steps - 1)) for number in range(steps)]
    losses, average = list[float](), 0.0
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        stepper = rehearsal(network, task, replace(recipe, clip=0.0), phase, device)
        for number, (rate, batch) in enumerate(zip(rates, _endless(train, recipe.batch_size), strict=False)):
            loss = float(stepper.step(batch, Place(0, 0, number, number), rate).loss)
            average = _SMOOTHING * average + (1 - _SMOOTHING) * loss
            smoothed = average / (1 - _SMOOTHING ** (number + 1))
            if not math.isfinite(loss) or (losses and smoothed > _DIVERGED * max(min(losses), 1e-6)):
                break
            losses.append(smoothed)
    return _read(rates[: len(losses)], losses)


def _read(rates: list[float], losses: list[float]) -> RangeTest:
    """Returns the test with its suggestion: where the loss falls steepest over the logarithm of the rate."""
    lowest = losses.index(min(losses)) if losses else 0
    if lowest == 0:
        raise TrainingError(
            "no learning rate makes the loss fall; the labels may not belong to the inputs, or the batch is too small."
        )
    width = max(1, lowest // 8)  # one step's fall is its batch's luck
    falls = [losses[start] - losses[start + width] for start in range(lowest - width + 1)]
    steepest = falls.index(max(falls)) + width // 2
    return RangeTest(tuple(rates), tuple(losses), rates[steepest], rates[lowest])


def _endless(train: Loader, batch_size: int) -> Iterator[Batch]:
    epoch = 0
    while True:
        yield from train.batches(batch_size, epoch=epoch)
        epoch += 1
