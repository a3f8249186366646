"""Writing text with a language model, token by token: Graves 2013 (arXiv:1308.0850), section 2."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from neocog.core.errors import UsageError
from neocog.core.randomness import generator

UNKNOWN_NUMBER = 1  # never written


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn: by softmax(logits / ``temperature``), among the ``top`` likeliest alone if told.

    At temperature 1 it is as the model has learned, towards 0 the likeliest takes all, and 0 always takes it (the first
    of equal ones). Raises UsageError for a temperature below 0 and for a ``top`` below 1.
    """

    temperature: float = 1.0
    top: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < math.inf:
            raise UsageError(f"--temperature must be a number from 0 on; got {self.temperature:g}")
        if self.top is not None and self.top < 1:
            raise UsageError(f"--top must be at least 1; got {self.top}")

    def chances(self, logits: Tensor) -> Tensor:
        """Returns the probabilities (K,) float64 that the next token is drawn by, for logits (K,)."""
        logits = logits.double()
        order = logits.argsort(descending=True, stable=True)
        if self.temperature == 0:
            return torch.zeros_like(logits).index_fill(0, order[:1], 1)
        if self.top is not None:
            logits = logits.index_fill(0, order[self.top :], -math.inf)
        # From the largest: what is divided by a tiny temperature stays finite where it matters.
        return ((logits - logits.max()) / self.temperature).softmax(0)


def written(
    network: nn.Module,
    prompt: Tensor,
    *,
    length: int,
    sampling: Sampling,
    seed: int,
    device: torch.device | None = None,
) -> Iterator[int]:
    """Yields the numbers of ``length`` tokens, from 1 on, that the model writes behind a ``prompt`` (L,), L at least 1.

    The same seed gives the same text. The token that stands for unknown ones is never drawn.
    """
    draws = generator(seed, "generate")
    tokens, state = prompt.unsqueeze(0).to(device), None
    for _ in range(length):
        with torch.inference_mode():
            logits, state = network.go_on(tokens, state)  # type: ignore[operator]
        unwritten = torch.tensor([UNKNOWN_NUMBER - 1])
        chances = sampling.chances(logits[0, -1].float().cpu().index_fill(0, unwritten, -math.inf))
        place = int(chances.argmax()) if sampling.temperature == 0 else _drawn(chances, draws)
        tokens = torch.tensor([[place + 1]], device=device)
        yield place + 1


def _drawn(chances: Tensor, draws: torch.Generator) -> int:
    """Returns a place by its chance: the first at which the sum of the chances passes a uniform number."""
    total = chances.cumsum(0)
    uniform = torch.rand(1, generator=draws, dtype=torch.float64) * total[-1]
    place = int(torch.searchsorted(total, uniform, right=True))
    return min(place, int(chances.nonzero()[-1]))
