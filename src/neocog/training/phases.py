"""A training run as phases: from scratch there is one; fine-tuning moves the head first, then the last stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Phase:
    """A stretch of training in which the same layers move.

    ``trains`` are the prefixes of the module names that move (``("head",)``), None for all; every other parameter and
    every statistic of batch norm outside them stays exactly as it is. ``epochs`` and ``learning_rate`` take the place
    of the recipe's; ``rates`` are factors on the learning rate by module prefix, 1 where none matches.
    """

    name: str
    epochs: int
    learning_rate: float
    trains: tuple[str, ...] | None = None
    rates: Mapping[str, float] = field(default_factory=dict)
