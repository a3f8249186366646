"""When a learning rate falls, as the step schedule wants it."""

from __future__ import annotations


def every(epochs: float, run: int) -> tuple[float, ...]:
    """Returns the fractions of a run of ``run`` epochs at which another ``epochs`` have passed, its end left out."""
    return tuple(number * epochs / run for number in range(1, int((run - 1) / epochs) + 1))
