"""How often a vote of independent classifiers is right (Condorcet's jury theorem)."""

from __future__ import annotations

from math import comb


def exactly_right(voters: int, right: int, probability: float) -> float:
    """Returns how probable it is that exactly ``right`` of the voters are right, each with that probability."""
    return comb(voters, right) * probability**right * (1 - probability) ** (voters - right)


def majority_right(voters: int, probability: float) -> float:
    """Returns how probable it is that more than half of the voters are right; a tie is no majority."""
    return sum(exactly_right(voters, right, probability) for right in range(voters // 2 + 1, voters + 1))
