"""Batches in a reproducible order: near-equal sizes, shards for several processes, read ahead by threads."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import torch
from torch import Tensor

from neocog.core.randomness import generator
from neocog.core.task import Batch
from neocog.data.threads import cores

POOL = 32  # batches that share a draw of samples when batches are made by length
PIECE = 16  # samples that one thread loads at a time: the first batch arrives soon, and pieces are cheap to join


class Source(Protocol):
    """One part of a data set that can be read in batches.

    ``labels`` (N,) int64; ``draws`` how many uniform random numbers a training sample uses up; ``instant`` whether
    loading is so cheap that threads would only cost.
    """

    labels: Tensor
    draws: int
    instant: bool

    def __len__(self) -> int: ...

    def load(self, indices: Tensor, uniform: Tensor | None = None) -> Batch:
        """Returns the samples at ``indices`` (B,); ``uniform`` (B, draws) in [0, 1) where drawn for training."""


class BatchLoader:
    """Implements `neocog.core.task.Loader` over a `Source`.

    An epoch of n samples has ceil(n / batch_size) batches whose sizes differ by at most one: nothing is dropped or
    repeated. With ``shuffle`` the order of an epoch follows from the seed and the epoch alone, and each sample's random
    numbers from the seed, the epoch and the step. Of each batch, process ``rank`` of ``world`` gets a contiguous share;
    it is empty where a batch has fewer samples than there are processes. ``workers`` threads read ahead (default: one
    a core; 0: none); their number changes nothing but the speed. With ``lengths`` (N,) a shuffled batch holds samples
    of similar lengths, so that little is padded: `POOL` batches' worth of samples at a time is drawn at random, sorted,
    and cut into batches, which then come in random order.
    """

    def __init__(
        self,
        source: Source,
        *,
        seed: int = 0,
        shuffle: bool = False,
        rank: int = 0,
        world: int = 1,
        workers: int | None = None,
        lengths: Tensor | None = None,
    ) -> None:
        self.source = source
        self.lengths = lengths
        self.seed = seed
        self.shuffle = shuffle
        self.rank = rank
        self.world = world
        self.workers = 0 if source.instant else cores() if workers is None else workers

    @property
    def samples(self) -> int:
        """Number of samples in the part, over all processes."""
        return len(self.source)

    def steps(self, batch_size: int) -> int:
        """Number of batches an epoch; ``batch_size`` counts the samples of all processes together."""
        return math.ceil(len(self.source) / batch_size)

    def batches(self, batch_size: int, *, epoch: int = 0, start: int = 0) -> Iterator[Batch]:
        """Yields this process's share of each batch from step ``start`` on; a reader thread's error is raised here."""
        order = self._order(epoch, batch_size)
        steps = range(start, self.steps(batch_size))
        if self.workers == 0:
            for step in steps:
                yield self.source.load(*self._share(order, batch_size, epoch, step))
            return
        pieces_a_step = max(1, math.ceil(batch_size / self.world / PIECE))
        ahead = max(2, math.ceil(2 * self.workers / pieces_a_step))
        pending: deque[list[Future[Batch]]] = deque()
        pool = ThreadPoolExecutor(self.workers, "neocog-reader")
        try:
            for step in steps:
                indices, uniform = self._share(order, batch_size, epoch, step)
                pending.append([pool.submit(self.source.load, *piece) for piece in _pieces(indices, uniform)])
                if len(pending) > ahead:
                    yield _joined(pending.popleft())
            while pending:
                yield _joined(pending.popleft())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _order(self, epoch: int, batch_size: int) -> Tensor:
        count = len(self.source)
        if not self.shuffle:
            return torch.arange(count)
        order = torch.randperm(count, generator=generator(self.seed, "order", epoch))
        if self.lengths is None:
            return order
        steps = torch.randperm(self.steps(batch_size), generator=generator(self.seed, "batches", epoch))
        return by_length(order, self.lengths, steps.tolist())

    def _share(self, order: Tensor, batch_size: int, epoch: int, step: int) -> tuple[Tensor, Tensor | None]:
        """Returns this process's indices (b,) and random numbers (b, draws), drawn for the whole batch and then cut."""
        first, last = share(len(order), self.steps(batch_size), step)
        low, high = share(last - first, self.world, self.rank)
        indices = order[first + low : first + high]
        if not (self.shuffle and self.source.draws):
            return indices, None
        randomness = generator(self.seed, "load", epoch, step)
        return indices, torch.rand(last - first, self.source.draws, generator=randomness)[low:high]


def by_length(order: Tensor, lengths: Tensor, steps: list[int]) -> Tensor:
    """Returns the samples of ``order`` so that each step's share of them is of similar lengths.

    ``steps`` is the random order in which steps take their samples: `POOL` of them share what comes next in ``order``,
    the shortest samples to the first.
    """
    made = torch.empty_like(order)
    bounds = [share(len(order), len(steps), step) for step in range(len(steps))]
    start = 0
    for first in range(0, len(steps), POOL):
        taking = [bounds[step] for step in steps[first : first + POOL]]
        pool = order[start : start + sum(last - low for low, last in taking)]
        start += len(pool)
        pool = pool[torch.argsort(lengths[pool], stable=True)]
        taken = 0
        for low, last in taking:
            made[low:last] = pool[taken : taken + last - low]
            taken += last - low
    return made


def share(count: int, shares: int, which: int) -> tuple[int, int]:
    """Returns the bounds of share ``which`` of ``count`` things cut into ``shares`` of sizes one apart at most."""
    size, extra = divmod(count, shares)
    first = which * size + min(which, extra)
    return first, first + size + (which < extra)


def _pieces(indices: Tensor, uniform: Tensor | None) -> list[tuple[Tensor, Tensor | None]]:
    if len(indices) <= PIECE:
        return [(indices, uniform)]
    starts = range(0, len(indices), PIECE)
    return [(indices[at : at + PIECE], uniform[at : at + PIECE] if uniform is not None else None) for at in starts]


def _joined(pieces: list[Future[Batch]]) -> Batch:
    batches = [piece.result() for piece in pieces]
    if len(batches) == 1:
        return batches[0]
    inputs = torch.cat([batch.inputs for batch in batches if isinstance(batch.inputs, Tensor)])
    return Batch(
        inputs, torch.cat([batch.targets for batch in batches]), torch.cat([batch.indices for batch in batches])
    )
