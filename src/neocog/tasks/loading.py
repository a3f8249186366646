"""What every kind hands to training in the same way: a shuffled loader, one of each part, and the content's hashes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from neocog.data.dataset import DataSet, Part
from neocog.data.loader import BatchLoader, Source
from neocog.tasks.kinds import Place


def loaders(
    train: Source, plain: Mapping[str, Source], place: Place, *, seed: int, lengths: Tensor | None = None
) -> tuple[BatchLoader, dict[str, BatchLoader]]:
    """Returns the shuffled loader of ``train``, and one of each part as it is.

    With ``lengths`` (N,) a shuffled batch holds samples of similar lengths.
    """
    settings: dict[str, Any] = {"rank": place.rank, "world": place.world, "workers": place.workers}
    shuffled = BatchLoader(train, seed=seed, shuffle=True, lengths=lengths, **settings)
    return shuffled, {name: BatchLoader(source, **settings) for name, source in plain.items()}


def keys(data: DataSet[Any]) -> dict[str, Callable[[], tuple[str, ...]]]:
    """Returns for each part what gives the hashes of its samples' content."""
    return {name: _digests(part) for name, part in data.parts.items()}


def _digests(part: Part[Any]) -> Callable[[], tuple[str, ...]]:
    return lambda: tuple(part.items.digest(place) for place in range(len(part)))
