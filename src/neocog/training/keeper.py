"""What outlives the process: checkpoints, the history, the log and the lines that a person sees."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from neocog.core.errors import TrainingError
from neocog.core.runfolder import RunFolder
from neocog.training import state
from neocog.training.checkpoint import Snapshot
from neocog.training.distributed import World
from neocog.training.ema import Ema
from neocog.training.interrupts import Interrupted
from neocog.training.progress import Progress, Silent
from neocog.training.state import Standing
from neocog.training.step import Stepper


class Keeper:
    """Writes a run's state to its folder and tells of it; only the main process writes and speaks.

    ``folder`` None keeps nothing; ``seconds`` lie between checkpoints; ``identity`` is that of the run, and
    ``conditions`` are what the last bits of its result depend on beside it.
    """

    def __init__(
        self,
        folder: RunFolder | None,
        seconds: float,
        progress: Progress,
        world: World,
        identity: str,
        conditions: Mapping[str, Any],
    ) -> None:
        self.progress = progress if world.main else Silent()
        self._source, self._folder = folder, folder if world.main else None
        self._seconds, self._identity, self._conditions = seconds, identity, conditions
        self._saved = time.monotonic()

    def find(self) -> tuple[Snapshot, Standing] | None:
        """Returns the checkpoint that is to be continued, None when there is none; says what differs from then."""
        found = None if self._source is None else state.read(self._source.checkpoint, self._identity)
        if found is None:
            return None
        snapshot, standing = found
        self.tell("resumed", step=standing.run_step)
        self.write_history(standing)
        for name, value in self._conditions.items():
            before = snapshot.facts.get(name)
            if before != value:
                self.say(f"Resumed with {name} {value} instead of {before}: the last bits of the result will differ.")
        return found

    def due(self) -> bool:
        """Returns whether it is time for a checkpoint."""
        return self._folder is not None and time.monotonic() - self._saved >= self._seconds

    def save(self, standing: Standing, stepper: Stepper, ema: Ema | None, best: Mapping[str, Tensor]) -> None:
        """Writes a checkpoint, unless a weight is not finite: then the last good one stays.

        Raises TrainingError for such a weight, ResourceError for a full disk.
        """
        if self._folder is None:
            return
        if not _finite(stepper.network):
            raise self.not_finite(standing)
        facts = {"identity": self._identity, **self._conditions}
        state.write(self._folder.checkpoint, standing, stepper, ema=ema, best=best, facts=facts)
        self._saved = time.monotonic()

    def write_history(self, standing: Standing) -> None:
        """Writes ``metrics.csv`` anew, so that a resumed run leaves no row twice."""
        if self._folder is not None:
            self._folder.write_metrics(standing.history)

    def tell(self, event: str, **fields: Any) -> None:
        """Writes an event to the log."""
        if self._folder is not None:
            self._folder.log(event, **fields)

    def say(self, line: str) -> None:
        """Shows a line, and writes it to the log."""
        self.progress.say(line)
        self.tell("note", text=line)

    def not_finite(self, standing: Standing) -> TrainingError:
        """Returns the error of a run that has diverged."""
        kept = self._source is not None and self._source.checkpoint.exists()
        return TrainingError(
            f"the loss or a weight is not finite by step {standing.run_step} (epoch {standing.epoch + 1}): "
            "try a tenth of the learning rate (--lr), --warmup 1, --clip 1 or --precision fp32."
            + (f" The last good checkpoint is kept in {self._source.checkpoint}." if kept and self._source else "")
        )

    def interrupted(self, standing: Standing) -> Interrupted:
        """Returns the error of a run that was asked to stop."""
        if self._source is None:
            return Interrupted(f"interrupted after step {standing.run_step}; nothing was kept, there is no run folder.")
        return Interrupted(
            f"interrupted after step {standing.run_step}; continue with `neocog train --resume {self._source.path}`."
        )


def _finite(network: nn.Module) -> bool:
    norms = torch._foreach_norm([weight.detach() for weight in network.parameters()])
    return bool(torch.stack([norm.float() for norm in norms]).isfinite().all())
