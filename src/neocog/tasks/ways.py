"""The three ways to train: from scratch, a head on frozen features, and fine-tuning that starts from that head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from neocog.core.errors import NetworkError
from neocog.core.runfolder import RunFolder
from neocog.tasks.kinds import Work
from neocog.tasks.options import TrainOptions
from neocog.tasks.plan import Plan
from neocog.training.distributed import World
from neocog.training.loop import fit
from neocog.training.progress import Progress
from neocog.training.sync_norm import synchronise


@dataclass(frozen=True)
class Trained:
    """A trained network's weights, on the CPU, and how they came about.

    ``history`` has a row an epoch, none for frozen features; ``notes`` are lines for the log and the report.
    """

    state: Mapping[str, Tensor]
    history: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = field(default=())


def train_network(
    plan: Plan,
    network: nn.Module,
    work: Work,
    folder: RunFolder,
    options: TrainOptions,
    *,
    device: torch.device,
    world: World,
    progress: Progress,
) -> Trained:
    """Trains the network as the plan says, or what is left of it; leaves the best weights in it."""
    notes: tuple[str, ...] = ()
    if plan.transfer in ("features", "finetune") and not folder.checkpoint.exists():
        notes = fit_head(plan, network, work, device=device, world=world, progress=progress)
    if plan.transfer == "features":
        return Trained({name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}, (), notes)
    if options.sync_bn:
        network = synchronise(network)
    fitted = fit(
        network,
        work.task,
        work.train,
        work.plain.get("val"),
        plan.recipe,
        phases=plan.phases,
        seed=plan.seed,
        device=device,
        folder=folder,
        checkpoint_seconds=options.checkpoint_seconds,
        progress=progress,
        world=world,
    )
    how = f"{fitted.steps} steps in {fitted.precision}, best epoch {fitted.best.get('epoch')}"
    return Trained(fitted.state, fitted.history, (*notes, how))


def fit_head(
    plan: Plan, network: nn.Module, work: Work, *, device: torch.device, world: World, progress: Progress
) -> tuple[str, ...]:
    """Puts a logistic regression on the frozen network's features in the place of its head; returns lines about it.

    Raises NetworkError when the head is not a dense layer.
    """
    head = dict(network.named_children()).get("head")
    if not isinstance(head, nn.Linear):
        raise NetworkError(
            f"frozen features need a dense head; {plan.net} has {type(head).__name__}, use --transfer none"
        )
    del head, world, extract, fit_logistic, progress, device, work
    return ()
