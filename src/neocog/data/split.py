"""Parts kept aside: stratified, seeded, copies of one picture together, whatever order the files are listed in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from neocog.core.errors import DataError, UsageError
from neocog.core.randomness import mix
from neocog.data.dataset import PARTS, DataSet, Part
from neocog.data.threads import in_threads

T = TypeVar("T")

LARGEST_VAL = 5000  # enough for a standard error of 0.7 points at worst


def keep_aside(dataset: DataSet[T], *, seed: int = 0, fraction: float | None = None) -> DataSet[T]:
    """Adds the parts that are missing, taken from ``train``: ``fraction`` as test, then of the rest as val.

    The fraction is the data set's own (``aside``) unless given.

    A part that exists is left as it is. Val holds at most `LARGEST_VAL`. A class keeps at least one sample in train.
    Raises DataError where there is no train part or it is too small to be split.
    """
    parts = dict(dataset.parts)
    fraction = dataset.aside if fraction is None else fraction
    if "train" not in parts:
        raise DataError(f"{dataset.source} has only {', '.join(parts)}; expected a train part to learn from")
    notes = list(dataset.notes)
    for name, most in (("test", None), ("val", LARGEST_VAL)):
        if name in parts:
            continue
        train = parts["train"]
        if dataset.in_order:
            kept = last(len(train), fraction)
        else:
            kept = choose(train, len(dataset.classes), seed=seed, purpose=name, fraction=fraction, most=most)
        if not kept:
            different = len(set(_digests(train)))
            alike = f", {different} of them different," if different < len(train) else ""
            raise DataError(
                f"{dataset.source}: {len(train)} samples{alike} are too few to keep a {name} part aside; expected at "
                f"least two{' different' if alike else ''} of some class, or parts of your own (train/, val/, test/)"
            )
        chosen = set(kept)
        parts[name] = train.subset(kept)
        parts["train"] = train.subset([index for index in range(len(train)) if index not in chosen])
        how = f"{len(kept)} of {len(train)} kept aside by --split-seed {seed}" + (
            ", stratified" if train.labels else ""
        )
        if dataset.in_order:
            how = f"the last {len(kept):,} of {len(train):,} lines kept aside"
        notes.append(f"no {name} part: {how}")
    return replace(dataset, parts={name: parts[name] for name in PARTS}, notes=tuple(notes))


def last(count: int, fraction: float) -> list[int]:
    """Returns the last positions of ``count``, ascending: ``fraction`` of them, at least one; none of a single one."""
    return list(range(count - max(1, round(count * fraction)), count)) if count > 1 else []


def fewer(dataset: DataSet[T], samples: int, *, seed: int = 0) -> DataSet[T]:
    """Returns the set with ``samples`` of its training samples, stratified; the other parts stay as they are.

    Raises UsageError for fewer than one sample a class.
    """
    train, classes = dataset.parts["train"], len(dataset.classes)
    if samples < classes:
        raise UsageError(f"--samples must be at least one for each of the {classes} classes; got {samples}")
    if samples >= len(train):
        return dataset
    kept = choose(train, classes, seed=seed, purpose="samples", fraction=samples / len(train))
    note = f"training on {len(kept):,} of {len(train):,} samples (--samples), stratified by --split-seed {seed}"
    parts = {**dataset.parts, "train": train.subset(kept)}
    return replace(dataset, parts=parts, notes=(*dataset.notes, note))


def choose(
    part: Part[T], classes: int, *, seed: int, purpose: str, fraction: float, most: int | None = None
) -> list[int]:
    """Returns the positions to keep aside, ascending.

    Each class gives its share (see `quotas`); its samples go in the order of a hash of seed, purpose and content, and
    copies of one content go together or not at all, so a class may give slightly fewer than its share. Where nothing
    fits because each content has many copies, each class gives the content of the fewest.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for index, digest in enumerate(_digests(part)):
        groups[digest].append(index)
    labels = part.labels or (0,) * len(part)
    sizes = [0] * classes
    for label in labels:
        sizes[label] += 1
    wanted = quotas(sizes, fraction, most)
    kept: list[int] = []
    in_order = sorted(groups, key=lambda digest: (mix(seed, "split", purpose, digest), digest))
    for digest in in_order:
        needed: dict[int, int] = defaultdict(int)
        for index in groups[digest]:
            needed[labels[index]] += 1
        if all(wanted[label] >= count for label, count in needed.items()):
            for label, count in needed.items():
                wanted[label] -= count
            kept += groups[digest]
    return sorted(kept or _fewest_copies([groups[digest] for digest in in_order], labels, sizes))


def _fewest_copies(groups: Iterable[list[int]], labels: Sequence[int], sizes: Sequence[int]) -> list[int]:
    """Returns for each class the smallest group of copies that leaves others of its classes behind."""
    kept: list[int] = []
    given: set[int] = set()
    for group in sorted(groups, key=len):
        own = {labels[index] for index in group}
        if not own & given and all(sum(labels[index] == label for index in group) < sizes[label] for label in own):
            kept += group
            given |= own
    return kept


def _digests(part: Part[T]) -> list[str]:
    """Returns the hash of each sample's content; files are read by several threads, what is in memory needs none."""
    if part.items.in_memory:
        return [part.items.digest(index) for index in range(len(part))]
    return in_threads(part.items.digest, range(len(part)))


def quotas(sizes: list[int], fraction: float, most: int | None = None) -> list[int]:
    """Returns how many of each class to keep aside: ``fraction`` of all, by largest remainders, one of each left.

    The total is rounded, at least 1 and at most ``most``; ties go to the larger class, then to the first.
    """
    total = sum(sizes)
    target = max(1, round(total * fraction))
    target = min(target, most) if most is not None else target
    exact = [size * target / total if total else 0.0 for size in sizes]
    shares = [min(int(share), max(0, size - 1)) for share, size in zip(exact, sizes, strict=True)]
    for place in sorted(range(len(sizes)), key=lambda place: (int(exact[place]) - exact[place], -sizes[place], place)):
        if sum(shares) >= target:
            break
        shares[place] += shares[place] < sizes[place] - 1
    return shares


def split_table(dataset: DataSet[T]) -> list[tuple[str, str, str]]:
    """Returns a row (name, label, part) for every sample, to be written into the run folder; without labels "" each."""
    return [
        (part.items.name(index), dataset.classes[part.labels[index]] if part.labels else "", name)
        for name, part in dataset.parts.items()
        for index in range(len(part))
    ]


def counts(dataset: DataSet[T]) -> Mapping[str, tuple[int, ...]]:
    """Returns for each part the number of samples of each class, or of the samples alone where they have no labels."""
    if not any(part.labels for part in dataset.parts.values()):
        return {name: (len(part),) for name, part in dataset.parts.items()}
    return {
        name: tuple(part.labels.count(label) for label in range(len(dataset.classes)))
        for name, part in dataset.parts.items()
    }
