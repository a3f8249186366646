"""The three ways to train: from scratch, a head on frozen features, and fine-tuning that starts from that head."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from neocog.architectures import headless
from neocog.core.download import cache_folder
from neocog.core.errors import NetworkError
from neocog.core.runfolder import RunFolder
from neocog.tasks.classification import balanced_weights
from neocog.tasks.kinds import Work
from neocog.tasks.options import TrainOptions
from neocog.tasks.plan import Plan
from neocog.training.distributed import World
from neocog.training.feature_cache import FeatureCache
from neocog.training.features import Extractor
from neocog.training.logistic import fit_logistic
from neocog.training.loop import fit
from neocog.training.progress import Progress
from neocog.training.sync_norm import synchronise
from neocog.training.transfer import describe_moves


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
    """Puts a logistic regression on the frozen network's features in the place of its head; returns a line about it.

    Raises NetworkError when the head is not a dense layer.
    """
    head = dict(network.named_children()).get("head")
    if not isinstance(head, nn.Linear):
        raise NetworkError(f"frozen features need a dense head, {plan.net} has none; use --transfer none.")
    extractor = Extractor(
        headless(network).eval(),
        work.task,
        contract=json.dumps([work.task.name, dict(plan.preprocessing)], sort_keys=True),
        views=work.views,
        device=device,
        precision=plan.recipe.precision,
        world=world,
        progress=progress,
    )
    cache = FeatureCache(cache_folder() / "features")
    train, val = (extractor.extract(work.plain[name], work.keys[name](), cache) for name in ("train", "val"))
    labels = work.labels["train"]
    weights = balanced_weights(labels.tolist(), head.out_features) if plan.recipe.class_weights else None
    found = fit_logistic(train, labels, val, work.labels["val"], head.out_features, class_weights=weights)
    with torch.no_grad():
        head.weight.copy_(found.weight)
        head.bias.copy_(found.bias)
    line = (
        f"head: logistic regression on {train.shape[2]:,} frozen features, C = {found.strength:g}, "
        f"{100 * found.accuracy:.1f} % of the validation part right; {describe_moves(network, ('head',))}"
    )
    progress.say(line)
    return (line,)
