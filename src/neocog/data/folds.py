"""Folds for cross-validation: stratified, seeded, copies of one sample in one fold."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TypeVar

from neocog.core.errors import DataError, UsageError
from neocog.core.randomness import mix
from neocog.data.dataset import DataSet, Part

T = TypeVar("T")


def with_fold(dataset: DataSet[T], fold: int, folds: int, *, seed: int = 0) -> DataSet[T]:
    """Returns the data with one of ``folds`` folds, counted from 1, as the test part and the others as the train part.

    Raises UsageError for a fold that there is not, DataError for data that have parts of their own or are too few.
    """
    if folds < 2 or not 1 <= fold <= folds:
        raise UsageError(f"--folds must be at least 2, and a fold one of 1 to {folds}; got fold {fold}")
    if set(dataset.parts) != {"train"}:
        raise DataError(
            f"{dataset.source} has the parts {', '.join(dataset.parts)}; --folds is for data without parts of their own"
        )
    part = dataset.parts["train"]
    if len(part) < folds:
        raise DataError(f"{dataset.source}: {len(part)} samples are too few for {folds} folds")
    own = set(_members(part, len(dataset.classes), folds, seed)[fold - 1])
    test = [index for index in range(len(part)) if index in own]
    train = [index for index in range(len(part)) if index not in own]
    note = f"fold {fold} of {folds}, stratified by --split-seed {seed}, is the test part"
    parts = {"train": part.subset(train), "test": part.subset(test)}
    return replace(dataset, parts=parts, notes=(*dataset.notes, note))


def _members(part: Part[T], classes: int, folds: int, seed: int) -> list[list[int]]:
    """Returns the positions in each fold: groups of copies go where their class has the fewest, in order of a hash."""
    groups: dict[str, list[int]] = defaultdict(list)
    for index in range(len(part)):
        groups[part.items.digest(index)].append(index)
    labels = part.labels or (0,) * len(part)
    counts = [[0] * classes for _ in range(folds)]
    members: list[list[int]] = [[] for _ in range(folds)]
    for digest in sorted(groups, key=lambda digest: (mix(seed, "fold", digest), digest)):
        label = labels[groups[digest][0]]
        place = min(range(folds), key=lambda fold: (counts[fold][label], len(members[fold]), fold))
        members[place] += groups[digest]
        for index in groups[digest]:
            counts[place][labels[index]] += 1
    return members
