"""What a run will cost, from a few of its steps: asked before training, on a copy that is thrown away."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import mean

import torch
from torch import nn

from neocog.core.device import peak_memory, reset_peak_memory
from neocog.core.recipe import Recipe
from neocog.core.task import Batch, Loader, Task
from neocog.training.freeze import train_only
from neocog.training.phases import Phase
from neocog.training.precision import choose_arithmetic
from neocog.training.step import Place, Stepper

# The first steps choose kernels, fill the allocator and start the readers; they say nothing of the rest.
_WARM_STEPS = 2


@dataclass(frozen=True)
class Estimate:
    """Cost of training: ``step_seconds`` a step, ``steps`` an epoch, ``peak_bytes`` of memory while a step runs.

    The memory is the GPU's, or the whole process's on a CPU.
    """

    step_seconds: float
    steps: int
    peak_bytes: int

    @property
    def epoch_seconds(self) -> float:
        """Seconds an epoch takes, without its validation."""
        return self.step_seconds * self.steps

    def epochs_within(self, seconds: float, *, least: int = 1) -> int:
        """Returns how many epochs fit into ``seconds``, at least ``least``."""
        return max(least, int(seconds / max(self.epoch_seconds, 1e-9)))


def probe(
    network: nn.Module,
    task: Task,
    train: Loader,
    recipe: Recipe,
    *,
    phase: Phase | None = None,
    device: torch.device | None = None,
    steps: int = 6,
    seconds: float = 3.0,
) -> Estimate:
    """Trains a copy of the network for a few steps and returns what they cost, reading the data included.

    After two warm steps it takes up to ``steps`` more, or until ``seconds`` have passed. ``phase`` says which layers
    move; all unless told. The network, torch's generator and the loader's place in the run stay as they are.
    """
    device = device or torch.device("cpu")
    phase = phase or Phase("probe", recipe.epochs, recipe.learning_rate)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        reset_peak_memory(device)
        stepper = rehearsal(network, task, recipe, phase, device)
        durations = list(_durations(stepper, train.batches(recipe.batch_size), phase, steps, seconds))
        peak = peak_memory(device)
    kept = durations[_WARM_STEPS:] or durations[-1:] or [0.0]
    return Estimate(mean(kept), train.steps(recipe.batch_size), peak)


def rehearsal(network: nn.Module, task: Task, recipe: Recipe, phase: Phase, device: torch.device) -> Stepper:
    """Returns a stepper on a copy of the network, ready to take the phase's steps."""
    trial = copy.deepcopy(network)
    arithmetic = choose_arithmetic(trial, recipe.precision, device)
    arithmetic.lay_out(trial)
    train_only(trial, phase.trains)
    return Stepper(trial, task, replace(recipe, ema=0.0), phase, arithmetic)


def _durations(stepper: Stepper, batches: Iterator[Batch], phase: Phase, steps: int, seconds: float) -> Iterator[float]:
    """Yields the seconds of each step, from asking for the batch to the moved weights."""
    last = start = time.perf_counter()
    for number, batch in enumerate(batches):
        loss = stepper.step(batch, Place(0, 0, number, number), phase.learning_rate * 1e-3).loss
        float(loss)  # waits for the device
        now = time.perf_counter()
        yield now - last
        last = now
        if number + 1 >= _WARM_STEPS + steps or (number >= _WARM_STEPS and now - start > seconds):
            return
