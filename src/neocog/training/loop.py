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
from neocog.core.errors import TrainingError
from neocog.core.recipe import Recipe
from neocog.core.runfolder import RunFolder
from neocog.core.task import Batch, Loader, Task
from neocog.training import state
from neocog.training.checkpoint import Snapshot
from neocog.training.distributed import SINGLE, World, start_together
from neocog.training.ema import Ema
from neocog.training.evaluate import evaluate
from neocog.training.freeze import train_only
from neocog.training.interrupts import Interrupted, StopSignal
from neocog.training.phases import Phase
from neocog.training.precision import choose_arithmetic
from neocog.training.progress import Progress, Silent
from neocog.training.schedules import rate_factor
from neocog.training.state import Row, Standing
from neocog.training.step import Outcome, Place, Stepper

# A GPU runs ahead of the program; asking it for a number makes both wait, so the loss is looked at this seldom.
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
    whole = (Phase("", recipe.epochs, recipe.learning_rate),)
    run = _Run(network, task, train, val, recipe, tuple(phases or whole), seed, device or torch.device("cpu"))
    run.attend(folder, checkpoint_seconds, progress or Silent(), world)
    return run.go()


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
    ) -> None:
        self.network, self.task, self.recipe, self.phases, self.seed = network, task, recipe, phases, seed
        self.train, self.val = train, val
        self.steps = train.steps(recipe.batch_size)  # in an epoch
        make_repeatable(device)
        self.arithmetic = choose_arithmetic(network, recipe.precision, device)
        self.arithmetic.lay_out(network)
        self.identity = state.identity(network, recipe, phases, seed, self.steps)
        self.standing = Standing(pieces=recipe.accumulate)
        self.ema = Ema(network, recipe.ema) if recipe.ema else None
        self.best: dict[str, Tensor] = {}
        self.loss_sum = torch.zeros((), dtype=torch.float64, device=device)
        self.samples = torch.zeros((), dtype=torch.int64, device=device)

    def attend(self, folder: RunFolder | None, seconds: float, progress: Progress, world: World) -> None:
        """Names those who listen: the folder, the progress line, the other processes."""
        self.folder, self.checkpoint_seconds, self.world = folder, seconds, world
        self.progress = progress if world.main else Silent()
        self.stop = StopSignal()

    def go(self) -> Fit:
        """Runs what is left of the run."""
        snapshot = self._resume()
        if snapshot is None:
            start_together(self.network, self.world)
            if self.ema is not None:
                self.ema = Ema(self.network, self.recipe.ema)
        self._began = self._saved = time.monotonic()
        self._before = self.standing.seconds
        self.progress.start(self.standing.run_step, self.steps * sum(phase.epochs for phase in self.phases))
        try:
            with self.stop:
                while not self.standing.finished:
                    self._phase(self.phases[self.standing.phase], snapshot)
                    snapshot = None
        finally:
            self.progress.finish()
        self.network.load_state_dict(self.best)
        return self._fit()

    def _phase(self, phase: Phase, snapshot: Snapshot | None) -> None:
        """Trains the phase's epochs that are left, and makes the next phase the one to come."""
        standing = self.standing
        self._tell("phase", phase=phase.name, moving=train_only(self.network, phase.trains))
        stepper = Stepper(
            self.network,
            self.task,
            self.recipe,
            phase,
            self.arithmetic,
            seed=self.seed,
            world=self.world,
            say=self._say,
        )
        stepper.pieces = standing.pieces
        if snapshot is not None:
            state.restore_stepper(stepper, snapshot)
        while standing.phase_epoch < phase.epochs and not self._tired():
            self._epoch(phase, stepper)
        standing.phase, standing.phase_epoch, standing.waited = standing.phase + 1, 0, 0
        standing.finished = standing.phase == len(self.phases)
        self._save(stepper)

    def _epoch(self, phase: Phase, stepper: Stepper) -> None:
        """Takes the steps of an epoch that are left, evaluates, and writes the epoch's row."""
        standing, total = self.standing, self.steps * phase.epochs
        train_only(self.network, phase.trains)
        batches = self.train.batches(self.recipe.batch_size, epoch=standing.epoch, start=standing.step)
        name = f"{phase.name + ': ' if phase.name else ''}epoch {standing.phase_epoch + 1}/{phase.epochs}"
        for batch in batches:
            done = standing.phase_epoch * self.steps + standing.step
            rate = phase.learning_rate * rate_factor(self.recipe, done, total, self.steps)
            self._step(stepper, batch, rate, name)
        last = standing.phase_epoch * self.steps + self.steps - 1
        self._close_epoch(phase, stepper, phase.learning_rate * rate_factor(self.recipe, last, total, self.steps))

    def _step(self, stepper: Stepper, batch: Batch, rate: float, name: str) -> None:
        standing = self.standing
        place = Place(standing.phase, standing.epoch, standing.step, standing.run_step)
        outcome = stepper.step(batch, place, rate, stop=self.stop.wanted)
        if self.ema is not None:
            self.ema.update(standing.run_step)
        self.loss_sum += outcome.loss * outcome.samples
        self.samples += outcome.samples
        standing.step += 1
        standing.run_step += 1
        self.progress.step(standing.run_step, name, outcome.loss)
        self._look(stepper, outcome)

    def _look(self, stepper: Stepper, outcome: Outcome) -> None:
        """Between two steps: a loss that is not finite, a wish to stop, a checkpoint that is due."""
        if outcome.loss.device.type == "cpu" or self.standing.run_step % _GPU_CHECK_STEPS == 0:
            if not math.isfinite(outcome.loss.item()):
                raise self._not_finite()
            if int(outcome.stops):
                self._give_up(stepper)
        if time.monotonic() - self._saved >= self.checkpoint_seconds:
            self._save(stepper)

    def _close_epoch(self, phase: Phase, stepper: Stepper, rate: float) -> None:
        standing = self.standing
        metrics = self._evaluate(stepper)
        loss = float(self.loss_sum) / max(int(self.samples), 1)
        if not math.isfinite(loss):
            raise self._not_finite()
        row: dict[str, Any] = {"phase": phase.name, "epoch": standing.epoch + 1, "step": standing.run_step}
        row |= {"lr": rate, "train_loss": loss, **{f"val_{key}": value for key, value in metrics.items()}}
        row["seconds"] = self._seconds()
        self._remember(row)
        standing.epoch, standing.phase_epoch, standing.step = standing.epoch + 1, standing.phase_epoch + 1, 0
        self.loss_sum.zero_()
        self.samples.zero_()
        self._save(stepper)
        self._write_history()
        self._tell("epoch", **row)
        self.progress.epoch(row)

    def _evaluate(self, stepper: Stepper) -> dict[str, float]:
        """Returns the validation metrics, of the averaged weights where there are any."""
        if self.val is None:
            return {}
        options: dict[str, Any] = {"batch_size": self.recipe.batch_size, "arithmetic": self.arithmetic}
        options |= {"world": self.world, "stop": lambda: self.stop.wanted and self.world.size == 1}
        if self.ema is None:
            metrics = evaluate(self.network, self.task, self.val, **options)
        else:
            with self.ema.applied():
                metrics = evaluate(self.network, self.task, self.val, **options)
        if self.stop.wanted and self.world.size == 1:
            self._give_up(stepper)
        return metrics

    def _remember(self, row: dict[str, Any]) -> None:
        """Adds the row, and keeps the weights when they are the best so far."""
        standing = self.standing
        standing.history.append(row)
        standing.waited += 1
        selects = f"val_{self.task.selects_by}"
        if self.val is None or standing.best is None or row[selects] > standing.best[selects]:
            standing.best, standing.waited = row, 0
            tensors = {**self.network.state_dict(), **({} if self.ema is None else self.ema.tensors())}
            self.best = {name: tensor.detach().to("cpu", copy=True) for name, tensor in tensors.items()}

    def _tired(self) -> bool:
        patience = self.recipe.patience
        tired = bool(patience) and self.val is not None and self.standing.waited >= patience
        if tired:
            self._say(f"No better {self.task.selects_by} in {patience} epochs: the phase ends early.")
        return tired

    def _resume(self) -> Snapshot | None:
        """Puts everything back where the folder's checkpoint has it."""
        found = None if self.folder is None else state.read(self.folder.checkpoint, self.identity)
        if found is None:
            return None
        snapshot, self.standing = found
        self.network.load_state_dict(snapshot.group("network"))
        if self.ema is not None:
            self.ema.load(snapshot.group("ema"))
        self.best = snapshot.group("best")
        self.loss_sum.fill_(self.standing.loss_sum)
        self.samples.fill_(self.standing.samples)
        self._write_history()
        self._tell("resumed", step=self.standing.run_step)
        for name, value in self._conditions().items():
            if snapshot.facts.get(name) != value:
                self._say(f"Resumed with {name} {value} instead of {snapshot.facts.get(name)}: not the same to the last bit.")
        return snapshot

    def _conditions(self) -> dict[str, Any]:
        """What the last bits of the result depend on, beside the run itself."""
        return {
            "processes": self.world.size,
            "threads": torch.get_num_threads(),
            "device": self.arithmetic.device.type,
            "precision": self.arithmetic.precision,
        }

    def _save(self, stepper: Stepper) -> None:
        self._saved = time.monotonic()
        if self.folder is None or not self.world.main:
            return
        if not all(bool(weight.isfinite().all()) for weight in self.network.parameters()):
            raise self._not_finite()
        standing = self.standing
        standing.loss_sum, standing.samples = float(self.loss_sum), int(self.samples)
        standing.seconds, standing.pieces = self._seconds(), stepper.pieces
        conditions = {"identity": self.identity, **self._conditions()}
        state.write(self.folder.checkpoint, standing, stepper, ema=self.ema, best=self.best, conditions=conditions)
        self._saved = time.monotonic()

    def _give_up(self, stepper: Stepper) -> None:
        self._save(stepper)
        where = f"after step {self.standing.run_step}"
        if self.folder is None:
            raise Interrupted(f"interrupted {where}; nothing was kept, since there is no run folder.")
        raise Interrupted(f"interrupted {where}; continue with `neocog train --resume {self.folder.path}`.")

    def _not_finite(self) -> TrainingError:
        kept = ""
        if self.folder is not None and self.folder.checkpoint.exists():
            kept = f" The last good checkpoint is kept in {self.folder.checkpoint}."
        return TrainingError(
            f"the loss or a weight is not finite by step {self.standing.run_step} (epoch {self.standing.epoch + 1}): "
            f"try a tenth of the learning rate (--lr), --warmup 1, --clip 1 or --precision fp32.{kept}"
        )

    def _write_history(self) -> None:
        if self.folder is not None and self.world.main:
            self.folder.write_metrics(self.standing.history)

    def _tell(self, event: str, **fields: Any) -> None:
        if self.folder is not None and self.world.main:
            self.folder.log(event, **fields)

    def _say(self, line: str) -> None:
        self.progress.say(line)
        self._tell("note", text=line)

    def _seconds(self) -> float:
        return self._before + time.monotonic() - self._began

    def _fit(self) -> Fit:
        standing, arithmetic = self.standing, self.arithmetic
        return Fit(
            state=self.best,
            history=tuple(standing.history),
            best=standing.best or {},
            steps=standing.run_step,
            seconds=self._seconds(),
            precision=arithmetic.precision,
            channels_last=arithmetic.channels_last,
            pieces=standing.pieces,
        )
