"""A walk through the data, a sample at a time: what excites each unit most, each sample's features, each answer."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from neocog.core.errors import NetworkError, UsageError
from neocog.web.passes import Pass
from neocog.web.session import Session

MOST_SAMPLES = 2000
KEPT = 24
# So many at once: as many passes as fit, up to a bound that keeps requests from waiting long.
BATCH, BATCH_BYTES = 32, 1 << 26


@dataclass(frozen=True)
class Answer:
    """What the network said of a sample, by its logits (K,)."""

    sample: int
    logits: Tensor

    @property
    def predicted(self) -> int:
        """The most probable class."""
        return int(self.logits.argmax())


class Survey:
    """What was found in the samples that were looked at so far: at most 2000, spread evenly over the data.

    They come in an order in which any beginning is spread, too. Of each unit the strongest 24 samples are kept, each
    with its strongest place.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        count = len(session.samples())
        step = max(1, -(-count // MOST_SAMPLES))
        chosen = torch.arange(0, count, step)
        self._order = chosen[torch.randperm(len(chosen), generator=torch.Generator().manual_seed(0))].tolist()
        self._sizes = [node.shape[0] for node in session.nodes]
        self._head = feature_node(session)
        each = 4 * sum(prod(node.shape) for node in session.nodes)
        self._batch = max(1, min(BATCH, BATCH_BYTES // each))
        self._best: tuple[Tensor, Tensor, Tensor] | None = None  # values, samples, places: (k, all channels)
        self._features: list[Tensor] = []
        self.answers: list[Answer] = []
        self.refused = 0

    @property
    def looked(self) -> int:
        """How many samples were tried."""
        return len(self.answers) + self.refused

    @property
    def total(self) -> int:
        """How many samples there are to try."""
        return len(self._order)

    @property
    def done(self) -> bool:
        """Whether all of them were."""
        return self.looked >= self.total

    def step(self) -> None:
        """Looks at the next few samples; those that cannot be read, or that the network does not take, are counted."""
        following = self._order[self.looked : self.looked + self._batch]
        read = [(sample, found) for sample in following if (found := self._session.readable(sample)) is not None]
        self.refused += len(following) - len(read)
        if not read:
            return
        try:
            inputs = self._session.inputs_of(*(found for _, found in read))
            passed = self._session.runner.run(inputs)
        except NetworkError:
            self.refused += len(read)
            return
        samples = torch.tensor([sample for sample, _ in read], dtype=torch.int32)
        self._gather(passed, samples)
        self._features.append(features_of(passed.given[self._head][0]))
        logits = passed.logits.float()
        self.answers += [Answer(sample, row) for (sample, _), row in zip(read, logits, strict=True)]

    def strongest(self, place: int, channel: int, count: int) -> list[tuple[int, float, int]]:
        """Returns (sample, value, flat place) of the samples that excite a channel most, strongest first."""
        if self._best is None:
            return []
        at = sum(self._sizes[:place]) + channel
        values, samples, places = (each[:count, at].tolist() for each in self._best)
        return list(zip(samples, values, places, strict=True))

    def features(self) -> Tensor:
        """Returns the features (N, D) of the samples in ``answers``."""
        if not self._features:
            raise UsageError("no sample could be looked at yet; ask again in a moment.")
        return torch.cat(self._features)

    def _gather(self, passed: Pass, samples: Tensor) -> None:
        flat = [value.reshape(*value.shape[:2], -1).max(2) for value in passed.values]  # (B, C) each
        values = torch.cat([each.values.float().nan_to_num(-torch.inf) for each in flat], 1)
        places = torch.cat([each.indices.int() for each in flat], 1)
        numbers = samples[:, None].expand_as(places)
        if self._best is not None:
            new = (values, numbers, places)
            values, numbers, places = (torch.cat(pair) for pair in zip(self._best, new, strict=True))
        best, order = values.sort(dim=0, descending=True, stable=True)
        order = order[:KEPT]
        self._best = best[:KEPT], numbers.gather(0, order), places.gather(0, order)


def feature_node(session: Session) -> int:
    """Returns the place of the node whose input is called the features: the last dense layer, else the last of all."""
    dense = [place for place, node in enumerate(session.nodes) if node.role == "dense"]
    weighted = dense or [place for place, node in enumerate(session.nodes) if node.role == "convolution"]
    return weighted[-1] if weighted else len(session.nodes) - 1


def features_of(given: Tensor) -> Tensor:
    """Returns (B, D, ...) as (B, D), the mean over its places."""
    return given.float().flatten(2).mean(2) if given.dim() > 2 else given.float()
