"""A small real training for the tests: threads that read, dropout, batch norm, MixUp, EMA, two phases.

As a program, ``python toy_training.py OUT [--resume]`` runs it in the run folder OUT, writes a line a step to stdout,
and the final weights to ``OUT/final.safetensors``; under torchrun all its processes train together.
"""

from __future__ import annotations

import os
import sys
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from neocog.core import runfolder
from neocog.core.randomness import generator
from neocog.core.recipe import Recipe
from neocog.core.runfolder import RunFolder
from neocog.core.task import Batch
from neocog.data.loader import BatchLoader
from neocog.data.mix import mixup
from neocog.training.distributed import SINGLE, World, joined
from neocog.training.loop import Fit, fit
from neocog.training.phases import Phase
from neocog.training.progress import Silent
from neocog.training.sync_norm import synchronise

CLASSES = 3
PHASES = (Phase("head", 2, 0.05, ("head",)), Phase("all", 3, 0.02, None, {"conv1": 0.5}))


class ToySource:
    """Noise pictures with one brighter channel, which is their class; each training sample gets its own noise."""

    def __init__(self, samples: int, seed: int = 0) -> None:
        own = generator(seed, "toy data", samples)
        self.labels = torch.arange(samples) % CLASSES
        self.pictures = torch.randn(samples, CLASSES, 6, 6, generator=own)
        self.pictures[torch.arange(samples), self.labels] += 0.7
        self.draws = 2
        self.instant = False

    def __len__(self) -> int:
        return len(self.labels)

    def load(self, indices: Tensor, uniform: Tensor | None = None) -> Batch:
        pictures = self.pictures[indices]
        if uniform is not None:
            pictures = pictures * (0.9 + 0.2 * uniform[:, :1, None, None])
        return Batch(pictures, self.labels[indices], indices)


class ToyMeter:
    def __init__(self) -> None:
        self.correct = torch.zeros(0, dtype=torch.bool)
        self.losses = torch.zeros(0)
        self.seen = torch.zeros(0, dtype=torch.int64)

    def update(self, outputs: Tensor, batch: Batch) -> None:
        losses = functional.cross_entropy(outputs.float(), batch.targets, reduction="none")
        self.correct = torch.cat([self.correct, outputs.argmax(1) == batch.targets])
        self.losses = torch.cat([self.losses, losses])
        self.seen = torch.cat([self.seen, batch.indices])

    def state(self) -> tuple[Tensor, ...]:
        return self.correct, self.losses, self.seen

    def merge(self, states: list[Any]) -> None:
        self.correct, self.losses, self.seen = (torch.cat(column) for column in zip(*states, strict=True))

    def compute(self) -> Mapping[str, float]:
        return {
            "loss": float(self.losses.mean()),
            "top1": float(self.correct.float().mean()),
            "seen_once": float(len(self.seen.unique()) == len(self.seen)),
            "n": float(len(self.seen)),
        }


@dataclass
class ToyTask:
    """Classification with MixUp; ``at_loss`` are called before each training loss, to make trouble in tests."""

    mixup: float = 0.4
    name: str = "toy"
    selects_by: str = "top1"
    at_loss: list[Any] = field(default_factory=list)

    def prepare(self, batch: Batch, generator: torch.Generator | None) -> Batch:
        if generator is None or not self.mixup or not len(batch):
            return batch
        inputs, targets = mixup(batch.inputs, batch.targets, CLASSES, self.mixup, generator)
        return replace(batch, inputs=inputs, targets=targets)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        for action in self.at_loss:
            action(batch)
        total = functional.cross_entropy(network(batch.inputs).float(), batch.targets, reduction="sum")
        return total / len(batch)

    def outputs(self, network: nn.Module, batch: Batch) -> Tensor:
        return network(batch.inputs)

    def meter(self) -> ToyMeter:
        return ToyMeter()


def toy_network(*, norm: bool = True, dropout: float = 0.2) -> nn.Module:
    torch.manual_seed(7)
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(CLASSES, 8, 3),
            norm=nn.BatchNorm2d(8) if norm else nn.Identity(),
            relu=nn.ReLU(),
            drop=nn.Dropout(dropout),
            conv2=nn.Conv2d(8, 8, 3),
            pool=nn.AdaptiveAvgPool2d(1),
            flat=nn.Flatten(),
            head=nn.Linear(8, CLASSES),
        )
    )


def toy_recipe(**changes: Any) -> Recipe:
    plain = Recipe("toy", 4, 16, learning_rate=0.05, decay=1e-3, schedule="cosine", warmup=0.5, precision="fp32")
    return replace(plain, **changes)


def toy_loader(samples: int, *, shuffle: bool = True, world: World = SINGLE, workers: int = 2) -> BatchLoader:
    return BatchLoader(ToySource(samples), seed=5, shuffle=shuffle, rank=world.rank, world=world.size, workers=workers)


def run_toy(folder: RunFolder | None, world: World = SINGLE, *, sync: bool = False, **options: Any) -> Fit:
    """Trains the toy; options of `fit` and ``network``, ``task``, ``recipe``, ``samples`` may be given."""
    network = options.pop("network", None) or toy_network()
    task = options.pop("task", None) or ToyTask()
    recipe = options.pop("recipe", None) or toy_recipe(ema=0.9, nesterov=True)
    samples = options.pop("samples", 90)
    options.setdefault("phases", PHASES)
    options.setdefault("checkpoint_seconds", 0.0)
    val = toy_loader(41, shuffle=False, world=world)
    if sync:
        synchronise(network)
    return fit(network, task, toy_loader(samples, world=world), val, recipe, folder=folder, world=world, **options)


class StepLines(Silent):
    """A line a step on stdout, for the test that decides when to kill."""

    def step(self, done: int, epoch: str, loss: Tensor) -> None:
        sys.stdout.write(f"step {done}\n")
        sys.stdout.flush()


def main(arguments: list[str]) -> None:
    torch.set_num_threads(1)
    out = Path(arguments[0])
    plain = "--plain" in arguments
    options: dict[str, Any] = {"checkpoint_seconds": 0.01, "progress": StepLines()}
    if plain:
        options |= {
            "network": toy_network(norm="--sync" in arguments, dropout=0.0),
            "task": ToyTask(mixup=0.0),
            "recipe": toy_recipe(epochs=2, ema=0.9),
            "phases": None,
        }
    with joined(torch.device("cpu")) as world:
        if world.size > 1:
            os.write(1, f"process {os.getpid()}\n".encode())
        if world.main and "--resume" not in arguments:
            runfolder.create(out, network="toy", data="toy", config={"toy": True})
        world.share(None)
        done = run_toy(RunFolder(out), world, sync="--sync" in arguments, **options)
        if world.main:
            save_file({name: tensor.contiguous() for name, tensor in done.state.items()}, out / "final.safetensors")


if __name__ == "__main__":
    main(sys.argv[1:])
