"""Where a run stands, and how that becomes a checkpoint and is read back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from neocog.core.errors import ModelFileError
from neocog.core.recipe import Recipe
from neocog.training import checkpoint
from neocog.training.checkpoint import Snapshot, grouped
from neocog.training.ema import Ema
from neocog.training.optimisers import load_state_tensors, state_tensors
from neocog.training.phases import Phase
from neocog.training.step import Stepper

Row = Mapping[str, Any]


@dataclass
class Standing:
    """Where a run stands, as plain numbers.

    ``epoch`` and ``run_step`` count over the run, ``phase_epoch`` and ``step`` within the phase and the epoch; all are
    those of the next step. ``loss_sum`` and ``samples`` are of the epoch under way, ``waited`` the epochs of the phase
    without a better metric.
    """

    phase: int = 0
    epoch: int = 0
    phase_epoch: int = 0
    step: int = 0
    run_step: int = 0
    loss_sum: float = 0.0
    samples: int = 0
    seconds: float = 0.0
    waited: int = 0
    pieces: int = 0
    finished: bool = False
    history: list[Row] = field(default_factory=list)
    best: Row | None = None

    @property
    def at_phase_start(self) -> bool:
        """Whether no step of the phase has been taken: each phase begins with a new optimiser."""
        return self.phase_epoch == 0 and self.step == 0


def identity(network: nn.Module, recipe: Recipe, phases: Sequence[Phase], seed: int, steps: int) -> str:
    """Returns a digest of what makes a run this run: a checkpoint of another one must not be continued."""
    shapes = [(name, list(tensor.shape)) for name, tensor in network.state_dict().items()]
    text = json.dumps([shapes, asdict(recipe), [asdict(phase) for phase in phases], seed, steps], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def write(
    path: Path,
    standing: Standing,
    stepper: Stepper,
    *,
    ema: Ema | None,
    best: Mapping[str, Tensor],
    facts: Mapping[str, Any],
) -> None:
    """Writes the whole state of a run to its checkpoint."""
    tensors = grouped(
        network=stepper.network.state_dict(),
        optimiser={} if standing.at_phase_start else state_tensors(stepper.optimiser),
        ema={} if ema is None else ema.tensors(),
        best=best,
    )
    scaler = None if stepper.scaler is None or standing.at_phase_start else stepper.scaler.state_dict()
    checkpoint.save(path, Snapshot(tensors, {"standing": asdict(standing), "scaler": scaler, **facts}))


def read(path: Path, own_identity: str) -> tuple[Snapshot, Standing] | None:
    """Returns the checkpoint and where its run stood, None when there is none yet.

    Raises ModelFileError when it is damaged, not a checkpoint, or another run's.
    """
    if not path.exists():
        return None
    snapshot = checkpoint.load(path)
    if snapshot.facts.get("identity") != own_identity:
        raise ModelFileError(
            f"{path}: a checkpoint of another run (other network, recipe, seed or data); "
            "resume with the run's own options."
        )
    known = {entry.name for entry in fields(Standing)}
    return snapshot, Standing(**{name: value for name, value in snapshot.facts["standing"].items() if name in known})


def restore_stepper(stepper: Stepper, snapshot: Snapshot) -> None:
    """Puts optimiser and scaler back where the snapshot has them."""
    load_state_tensors(stepper.optimiser, snapshot.group("optimiser"))
    if stepper.scaler is not None and snapshot.facts.get("scaler"):
        stepper.scaler.load_state_dict(snapshot.facts["scaler"])
