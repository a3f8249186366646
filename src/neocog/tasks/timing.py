"""What a plan will cost in time and memory, by a short probe; and a plan cut to the time that there is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import nn

from neocog.tasks.kinds import Work
from neocog.tasks.plan import Plan
from neocog.training.phases import Phase
from neocog.training.probe import probe
from neocog.training.progress import clock

# Part of the time goes to evaluation, checkpoints and the report.
TRAINING_SHARE = 0.85


@dataclass(frozen=True)
class Cost:
    """Seconds that each phase's epoch takes, in the plan's order, and the most bytes of memory."""

    epoch_seconds: tuple[float, ...]
    peak_bytes: int

    def seconds(self, phases: tuple[Phase, ...]) -> float:
        """Returns how long the phases take."""
        return sum(cost * phase.epochs for cost, phase in zip(self.epoch_seconds, phases, strict=True))


def measure(plan: Plan, network: nn.Module, work: Work, device: torch.device) -> Cost:
    """Returns the plan's cost; each phase is tried for a few steps on a copy of the network."""
    estimates = [
        probe(network, work.task, work.train, plan.recipe, phase=phase, device=device, seconds=1.5)
        for phase in plan.phases
    ]
    return Cost(tuple(each.epoch_seconds for each in estimates), max(each.peak_bytes for each in estimates))


def describe(plan: Plan, cost: Cost) -> str:
    """Returns the line that says what training will cost."""
    epochs = sum(phase.epochs for phase in plan.phases)
    return (
        f"estimate: {epochs} epochs in about {clock(cost.seconds(plan.phases))}, "
        f"{cost.peak_bytes / 2**20:,.0f} MiB of memory"
    )


def within(plan: Plan, cost: Cost, minutes: float) -> Plan:
    """Returns the plan with as many epochs as fit into so many minutes, each phase in proportion, at least one each."""
    available = minutes * 60 * TRAINING_SHARE
    share = available / max(cost.seconds(plan.phases), 1e-9)
    if share >= 1:
        return plan
    phases = tuple(replace(phase, epochs=max(1, int(phase.epochs * share))) for phase in plan.phases)
    epochs = sum(phase.epochs for phase in phases)
    line = f"{epochs} epochs instead of {sum(phase.epochs for phase in plan.phases)}, to fit into {minutes:g} minutes"
    recipe = replace(plan.recipe, epochs=epochs if len(phases) == 1 else plan.recipe.epochs)
    return replace(plan, phases=phases, recipe=recipe, decisions=(*plan.decisions, line))


def fits(plan: Plan, cost: Cost, minutes: float) -> bool:
    """Returns whether the whole plan fits into so many minutes."""
    return cost.seconds(plan.phases) <= minutes * 60 * TRAINING_SHARE
