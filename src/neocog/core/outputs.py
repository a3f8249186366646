"""What a network with auxiliary heads gives in training; the others give their logits alone."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor


class WithAuxiliary(NamedTuple):
    """Logits (B, classes) of the head and of each auxiliary head, whose losses count ``weight`` times.

    Auxiliary heads run in training mode only; in evaluation mode the same network returns the logits alone.
    """

    logits: Tensor
    auxiliary: tuple[Tensor, ...]
    weight: float


def primary(outputs: Any) -> Tensor:
    """Returns the head's logits of a network's outputs: of a tuple with auxiliary heads, the first."""
    return outputs[0] if isinstance(outputs, tuple) else outputs  # type: ignore[no-any-return]
