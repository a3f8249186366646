"""The training loop: phases of epochs of steps, each of which a killed run can take up again."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from neocog.core.device import make_repeatable
from neocog.core.recipe import Recipe
from neocog.core.runfolder import RunFolder
from neocog.core.task import Batch, Loader, Task
from neocog.nn.faster_steps import faster_steps
from neocog.training import state
from neocog.training.checkpoint import Snapshot
from neocog.training.distributed import SINGLE, World, start_together
from neocog.training.ema import Ema
from neocog.training.evaluate import evaluate
from neocog.training.freeze import train_only
from neocog.training.interrupts import StopSignal
from neocog.training.keeper import Keeper
from neocog.training.phases import Phase
from neocog.training.precision import choose_arithmetic
from neocog.training.progress import Progress, Silent
from neocog.training.schedules import rate_factor
from neocog.training.state import Row, Standing
from neocog.training.step import Outcome, Place, Stepper

# A GPU runs ahead of the program; asking it for a number makes both wait, so its loss is looked at this seldom.
_GPU_CHECK_STEPS = 50


@dataclass(frozen=True)
class Fit:
    """A finished training: ``state`` the best weights and statistics, on the CPU; ``best`` the history's row of them.

    ``history`` has one row an epoch: phase, epoch, step, lr, train_loss, val_<metric>..., seconds. ``precision`` and
    ``channels_last`` are what was computed in; ``pieces`` into how many parts a batch was split in the end.
    """

    state: Mapping[str, Tensor]
    history: tuple[Row, ...]
    best: Row
    steps: int
    seconds: float
    precision: str
    channels_last: bool
    pieces: int


def fit(
    network: nn.Module,
    task: Task,
    train: Loader,
    val: Loader | None,
    recipe: Recipe,
    *,
    phases: Sequence[Phase] | None = None,
    seed: int = 0,
    device: torch.device | None = None,
    folder: RunFolder | None = None,
    checkpoint_seconds: float = 30.0,
    progress: Progress | None = None,
    world: World = SINGLE,
) -> Fit:
    """Trains ``network`` in place and leaves the best weights in it.

    The best are those with the largest validation metric ``task.selects_by``, the last where there is no ``val``; with
    the recipe's ``ema`` they are the averaged ones. Without ``phases`` there is one with the recipe's epochs and rate.
    With a ``folder`` the state is written there every ``checkpoint_seconds`` and after each epoch, and a checkpoint
    that is already there is continued: the weights end up the same to the last bit.

    Raises TrainingError for a loss that is not finite and for a sample that does not fit into memory, Interrupted
    after Ctrl-C, ModelFileError for a checkpoint that is not this run's, ResourceError for a full disk.
    """
    planned = tuple(phases or (Phase("", recipe.epochs, recipe.learning_rate),))
    run = _Run(network, task, train, val, recipe, planned, seed, device or torch.device("cpu"), world)
    return run.go(folder, checkpoint_seconds, progress or Silent())


class _Run:
    """One run; its methods are the loop's levels, from the run down to the step."""

    def __init__(
        self,
        network: nn.Module,
        task: Task,
        train: Loader,
        val: Loader | None,
        recipe: Recipe,
        phases: tuple[Phase, ...],
        seed: int,
        device: torch.device,
        world: World,
    ) -> None:
        self.network, self.task, self.train, self.val = network, task, train, val
        self.recipe, self.phases, self.seed, self.world = recipe, phases, seed, world
        self.steps = train.steps(recipe.batch_size)  # in an epoch
        make_repeatable(device)
        self.arithmetic = choose_arithmetic(network, recipe.precision, device)
        self.arithmetic.lay_out(network)
        self.standing = Standing(pieces=recipe.accumulate)
        self.best: dict[str, Tensor] = {}
        self.loss_sum = torch.zeros((), dtype=torch.float64, device=device)  # of the epoch, kept where it arises
        self.samples = torch.zeros((), dtype=torch.int64, device=device)
        self.stop = StopSignal()

    def go(self, folder: RunFolder | None, checkpoint_seconds: float, progress: Progress) -> Fit:
        """Runs what is left of the run."""
        identity = state.identity(self.network, self.recipe, self.phases, self.seed, self.steps)
        self.keeper = Keeper(folder, checkpoint_seconds, progress, self.world, identity, self._conditions())
        snapshot = self._begin()
        self._started = time.monotonic() - self.standing.seconds
        self.keeper.progress.start(self.standing.run_step, self.steps * sum(phase.epochs for phase in self.phases))
        try:
            with self.stop, faster_steps(self.network):
                while not self.standing.finished:
                    self._phase(self.phases[self.standing.phase], snapshot)
                    snapshot = None
        finally:
            self.keeper.progress.finish()
        self.network.load_state_dict(self.best)
        return self._fit()

    def _begin(self) -> Snapshot | None:
        """Puts everything where the checkpoint has it, or where a new run starts."""
        found = self.keeper.find()
        if found is not None:
            self.network.load_state_dict(found[0].group("network"))
        start_together(self.network, self.world)
        self.ema = Ema(self.network, self.recipe.ema) if self.recipe.ema else None
        if found is None:
            return None
        snapshot, self.standing = found
        if self.ema is not None:
            self.ema.load(snapshot.group("ema"))
        self.best = snapshot.group("best")
        self.loss_sum.fill_(self.standing.loss_sum)
        self.samples.fill_(self.standing.samples)
        return snapshot

    def _phase(self, phase: Phase, snapshot: Snapshot | None) -> None:
        """Trains the phase's epochs that are left, then makes the next phase the one to come."""
        standing, keeper = self.standing, self.keeper
        moving = train_only(self.network, phase.trains)
        keeper.tell("phase", phase=phase.name, epochs=phase.epochs, moving=moving)
        if phase.trains is not None:
            keeper.say(f"{phase.name}: {', '.join(moving)} move; every other layer stays as it is.")
        options: dict[str, Any] = {"seed": self.seed, "world": self.world, "say": keeper.say}
        stepper = Stepper(self.network, self.task, self.recipe, phase, self.arithmetic, **options)
        stepper.pieces = standing.pieces
        if snapshot is not None:
            state.restore_stepper(stepper, snapshot)
        while standing.phase_epoch < phase.epochs and not self._tired():
            self._epoch(phase, stepper)
        standing.phase, standing.phase_epoch, standing.waited = standing.phase + 1, 0, 0
        standing.finished = standing.phase == len(self.phases)
        self._save(stepper)

    def _epoch(self, phase: Phase, stepper: Stepper) -> None:
        """Takes the epoch's steps that are left, evaluates, and writes the epoch's row."""
        standing = self.standing
        train_only(self.network, phase.trains)
        for batch in self.train.batches(self.recipe.batch_size, epoch=standing.epoch, start=standing.step):
            self._step(phase, stepper, batch)
        metrics = self._evaluate(stepper)
        row: dict[str, Any] = {
            "phase": phase.name,
            "epoch": standing.epoch + 1,
            "step": standing.run_step,
            "lr": self._rate(phase, self.steps - 1),
            "train_loss": float(self.loss_sum) / max(int(self.samples), 1),
            **{f"val_{name}": value for name, value in metrics.items()},
            "seconds": time.monotonic() - self._started,
        }
        self._remember(row)
        standing.epoch, standing.phase_epoch, standing.step = standing.epoch + 1, standing.phase_epoch + 1, 0
        self.loss_sum.zero_()
        self.samples.zero_()
        self._save(stepper)
        self.keeper.write_history(standing)
        self.keeper.tell("epoch", **row)
        self.keeper.progress.epoch(row)

    def _step(self, phase: Phase, stepper: Stepper, batch: Batch) -> None:
        standing = self.standing
        place = Place(standing.phase, standing.epoch, standing.step, standing.run_step)
        outcome = stepper.step(batch, place, self._rate(phase, standing.step), stop=self.stop.wanted)
        if self.ema is not None:
            self.ema.update(standing.run_step)
        self.loss_sum += outcome.loss * outcome.samples
        self.samples += outcome.samples
        standing.step += 1
        standing.run_step += 1
        name = f"{phase.name} epoch {standing.phase_epoch + 1}/{phase.epochs}".lstrip()
        self.keeper.progress.step(standing.run_step, name, outcome.loss)
        self._look(stepper, outcome)

    def _rate(self, phase: Phase, step: int) -> float:
        """Returns the learning rate at a step of the epoch under way."""
        done = self.standing.phase_epoch * self.steps + step
        return phase.learning_rate * rate_factor(self.recipe, done, phase.epochs * self.steps, self.steps)

    def _look(self, stepper: Stepper, outcome: Outcome) -> None:
        """Between two steps: a loss that is not finite, a wish to stop, a checkpoint that is due."""
        at_epoch_end = self.standing.step == self.steps
        if self.loss_sum.device.type == "cpu" or self.standing.run_step % _GPU_CHECK_STEPS == 0 or at_epoch_end:
            if not math.isfinite(outcome.loss.item()):
                raise self.keeper.not_finite(self.standing)
            if int(outcome.stops):
                self._give_up(stepper)
        if self.keeper.due():
            self._save(stepper)

    def _evaluate(self, stepper: Stepper) -> dict[str, float]:
        """Returns the validation metrics, of the averaged weights where there are any."""
        if self.val is None:
            return {}

        def stop() -> bool:  # several processes could not agree on it here; they stop after the next step
            return self.stop.wanted and self.world.size == 1

        options: dict[str, Any] = {"batch_size": self.recipe.batch_size, "arithmetic": self.arithmetic}
        options |= {"world": self.world, "stop": stop}
        if self.ema is None:
            metrics = evaluate(self.network, self.task, self.val, **options)
        else:
            with self.ema.applied():
                metrics = evaluate(self.network, self.task, self.val, **options)
        if stop():
            self._give_up(stepper)
        return metrics

    def _remember(self, row: Row) -> None:
        """Adds the row, and keeps the weights when they are the best so far; of equal ones the later.

        A schedule that ends low ends in better weights than those it passed through, which a small validation part
        cannot tell apart. A figure that is NaN gives way to every other.
        """
        standing = self.standing
        standing.history.append(row)
        standing.waited += 1
        now, before = (_figure(each, f"val_{self.task.selects_by}") for each in (row, standing.best))
        if self.val is None or standing.best is None or now > before:
            standing.waited = 0
        elif now < before:
            return
        standing.best = row
        tensors = {**self.network.state_dict(), **({} if self.ema is None else self.ema.tensors())}
        self.best = {name: tensor.detach().to("cpu", copy=True) for name, tensor in tensors.items()}

    def _tired(self) -> bool:
        """Returns whether the recipe's patience is at its end."""
        patience = self.recipe.patience
        tired = bool(patience) and self.val is not None and self.standing.waited >= patience
        if tired:
            self.keeper.say(f"No better {self.task.selects_by} in {patience} epochs: the phase ends early.")
        return tired

    def _save(self, stepper: Stepper) -> None:
        standing = self.standing
        standing.loss_sum, standing.samples = float(self.loss_sum), int(self.samples)
        standing.seconds, standing.pieces = time.monotonic() - self._started, stepper.pieces
        self.keeper.save(standing, stepper, self.ema, self.best)

    def _give_up(self, stepper: Stepper) -> None:
        self._save(stepper)
        raise self.keeper.interrupted(self.standing)

    def _conditions(self) -> dict[str, Any]:
        return {
            "processes": self.world.size,
            "threads": torch.get_num_threads(),
            "device": self.arithmetic.device.type,
            "precision": self.arithmetic.precision,
        }

    def _fit(self) -> Fit:
        standing = self.standing
        return Fit(
            state=self.best,
            history=tuple(standing.history),
            best=standing.best or {},
            steps=standing.run_step,
            seconds=standing.seconds,
            precision=self.arithmetic.precision,
            channels_last=self.arithmetic.channels_last,
            pieces=standing.pieces,
        )


def _figure(row: Row | None, name: str) -> float:
    """Returns a figure of an epoch by which it is chosen: minus infinity for NaN, and where there is none."""
    value = math.nan if row is None else float(row.get(name, math.nan))
    return -math.inf if math.isnan(value) else value
