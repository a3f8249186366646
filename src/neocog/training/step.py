"""One training step: a batch goes through in pieces, their gradients add up, the weights move once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from neocog.core.errors import TrainingError
from neocog.core.randomness import generator, mix
from neocog.core.recipe import Recipe
from neocog.core.task import Batch, Task
from neocog.training.constraints import make_constraint
from neocog.training.distributed import SINGLE, Agreement, World
from neocog.training.memory import is_out_of_memory, release
from neocog.training.optimisers import make_optimiser, set_rate
from neocog.training.penalties import make_penalty
from neocog.training.phases import Phase
from neocog.training.precision import Arithmetic
from neocog.training.sync_norm import synchronises


class Place(NamedTuple):
    """Where in the run a step is: the phase's number, the epoch and step in the run, the step in the epoch."""

    phase: int
    epoch: int
    step: int
    run_step: int


class Outcome(NamedTuple):
    """What a step reports, as scalars on the device: nothing here waits for it."""

    loss: Tensor
    samples: Tensor | int
    stops: Tensor | int


class Stepper:
    """Takes the steps of one phase.

    ``pieces`` is the number of parts that a batch goes in: the recipe's accumulation, doubled whenever memory runs
    out. ``say`` receives the line that tells of it. The network must be on its device and frozen as the phase says.
    """

    def __init__(
        self,
        network: nn.Module,
        task: Task,
        recipe: Recipe,
        phase: Phase,
        arithmetic: Arithmetic,
        *,
        seed: int = 0,
        world: World = SINGLE,
        say: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self.network, self.task, self.recipe = network, task, recipe
        self.arithmetic, self.device = arithmetic, arithmetic.device
        self.pieces = recipe.accumulate
        self.scaler = arithmetic.scaler()
        self.optimiser = make_optimiser(network, recipe, phase.rates, by_rows=world.size == 1)
        self._parameters = [parameter for group in self.optimiser.param_groups for parameter in group["params"]]
        self._penalty = make_penalty(network, recipe.l1, recipe.l2)
        self._constrain = make_constraint(network, recipe.max_norm)
        self._unit = recipe.batch_size / world.size
        self._agreement = Agreement(network, self.device, self._unit) if world.size > 1 else None
        self._lockstep = world.size > 1 and synchronises(network)
        moving = (module for module in network.modules() if module.training)
        self._statistics = [buffer for module in moving for buffer in module.buffers(recurse=False)]
        self._kept = [buffer.clone() for buffer in self._statistics]
        self._seed, self._world, self._say = seed, world, say

    def step(self, batch: Batch, place: Place, rate: float, *, stop: bool = False) -> Outcome:
        """Moves the weights by one batch, this process's share of it, at learning rate ``rate``.

        Raises TrainingError when a single sample does not fit into memory.
        """
        batch = self._prepare(batch, place)
        set_rate(self.optimiser, rate)
        loss, samples = self._gradients(batch, place), len(batch)
        outcome = Outcome(torch.zeros(()) if loss is None else loss, 0 if loss is None else samples, int(stop))
        if self._agreement is not None:
            outcome = Outcome(*self._agreement.reach(loss, outcome.samples, stop))  # type: ignore[arg-type]
        elif loss is None:
            return outcome
        self._move()
        return outcome

    def _prepare(self, batch: Batch, place: Place) -> Batch:
        own = generator(self._seed, "augment", place.phase, place.epoch, place.step, self._world.rank)
        return self.arithmetic.arrange(self.task.prepare(batch.to(self.device), own))

    def _gradients(self, batch: Batch, place: Place) -> Tensor | None:
        """Returns the batch's loss, its gradients left in the parameters; None where nothing was to do.

        The loss is the mean over the batch, or of several processes what `Agreement` makes the mean of.
        """
        _copy(self._statistics, self._kept)
        while True:
            self._seed_dropout(place)
            self.optimiser.zero_grad(set_to_none=True)
            try:
                return self._sum_pieces(batch)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                self._refuse_smallest(batch, error)
            except ValueError as error:
                if "more than 1 value per channel" not in str(error):
                    raise
                self._leave_out(batch, error)
                return None
            # Here the exception is gone, and with it the activations that its traceback held.
            self._halve(place)

    def _sum_pieces(self, batch: Batch) -> Tensor | None:
        total: Tensor | None = None
        for piece in self._split(batch):
            share = len(piece) / (len(batch) if self._agreement is None else self._unit)
            with self.arithmetic.autocast():
                loss = self.task.loss(self.network, piece)
            if self._penalty is not None:
                loss = loss + self._penalty()
            loss = loss if share == 1 else loss * share if share else loss.nan_to_num() * 0
            (loss if self.scaler is None else self.scaler.scale(loss)).backward()  # type: ignore[no-untyped-call]
            total = loss.detach() if total is None else total + loss.detach()
        return total

    def _split(self, batch: Batch) -> Iterator[Batch]:
        """Yields the pieces; empty ones only where other processes wait for this one's part in a batch norm."""
        if self.pieces == 1 and len(batch):
            yield batch
            return
        for number in range(self.pieces):
            start, stop = number * len(batch) // self.pieces, (number + 1) * len(batch) // self.pieces
            if stop > start or self._lockstep:
                yield batch.rows(start, stop)

    def _move(self) -> None:
        if self.scaler is not None:
            self.scaler.unscale_(self.optimiser)
        if self.recipe.clip:
            nn.utils.clip_grad_norm_(self._parameters, self.recipe.clip, foreach=True)
        if self.scaler is None:
            self.optimiser.step()
        else:
            self.scaler.step(self.optimiser)
            self.scaler.update()
        if self._constrain is not None:
            self._constrain()

    def _seed_dropout(self, place: Place) -> None:
        # torch.manual_seed would seed every kind of device and costs two hundred times as much.
        seed = mix(self._seed, "step", place.run_step, self._world.rank)
        torch.default_generator.manual_seed(seed)
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)

    def _refuse_smallest(self, batch: Batch, error: RuntimeError) -> None:
        if self._lockstep:
            raise TrainingError(
                "out of memory, and with synchronised batch norm a batch is not split any further by itself; "
                f"use --accumulate {2 * self.pieces} or a smaller --batch."
            ) from error
        if self.pieces >= len(batch):
            raise TrainingError(
                "out of memory with a single sample at a time; use a smaller --size or network, or another device."
            ) from error

    def _halve(self, place: Place) -> None:
        self.pieces *= 2
        self.optimiser.zero_grad(set_to_none=True)
        _copy(self._kept, self._statistics)
        release(self.device)
        self._say(f"Out of memory at step {place.run_step}: batches now go in {self.pieces} pieces.")

    def _leave_out(self, batch: Batch, error: ValueError) -> None:
        """Leaves out a lone last sample, of which batch norm cannot take a variance; refuses where all are alone."""
        if len(batch) > 1 or self.recipe.batch_size < 2 * self._world.size:
            raise TrainingError(
                "batch norm needs more than one value a channel, but a piece of a batch has a single sample; "
                "use a larger --batch, or a smaller --accumulate."
            ) from error
        self.optimiser.zero_grad(set_to_none=True)
        _copy(self._kept, self._statistics)


@torch.no_grad()
def _copy(source: list[Tensor], target: list[Tensor]) -> None:
    if source:
        torch._foreach_copy_(target, source)
