"""What every data doctor finds, whatever the samples are: copies, leaks, labels in conflict, trouble with classes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from neocog.data.dataset import DataSet

Progress = Callable[[int, int], None]

KEEPING = {"test": 0, "val": 1, "train": 2}  # of copies in several parts, the one in the first of these stays
TINY = 10
IMBALANCE = 3.0


@dataclass(frozen=True)
class Finding:
    """Something found: its kind, the sample's name (empty for a class or part), and the detail.

    ``propose`` tells whether the sample should be left out of training.
    """

    kind: str
    part: str
    name: str
    detail: str
    propose: bool = False


@dataclass(frozen=True)
class Sample:
    """One examined sample: where it is, its class's index, and the hash of its content."""

    part: str
    name: str
    label: int
    digest: str


def in_order(findings: Iterable[Finding], kinds: Mapping[str, str]) -> tuple[Finding, ...]:
    """Returns the findings with those of one kind together, in the order of ``kinds``."""
    order = {kind: place for place, kind in enumerate(kinds)}
    return tuple(sorted(findings, key=lambda finding: order[finding.kind]))


def proposals(findings: Iterable[Finding]) -> tuple[tuple[str, str], ...]:
    """Returns (name, reason) of each sample proposed for leaving out, each once, under its gravest reason."""
    chosen: dict[str, str] = {}
    for finding in findings:
        if finding.propose:
            chosen.setdefault(finding.name, f"{finding.kind}: {finding.detail}")
    return tuple(chosen.items())


def alike(samples: Iterable[Sample], key: Callable[[Sample], Hashable]) -> Iterator[list[Sample]]:
    """Yields the samples of one key where there are several; the first of them is the one that stays."""
    groups: dict[Hashable, list[Sample]] = defaultdict(list)
    for sample in samples:
        groups[key(sample)].append(sample)
    for group in groups.values():
        if len(group) > 1:
            yield sorted(group, key=lambda sample: KEEPING[sample.part])  # stable: of one part, the first stays


def copies(samples: Iterable[Sample], classes: Sequence[str]) -> Iterator[Finding]:
    """Yields ``conflict``, ``leak`` and ``duplicate`` of samples whose content is equal."""
    for group in alike(samples, lambda sample: sample.digest):
        first, labels = group[0], {sample.label for sample in group}
        if len(labels) > 1:
            names = ", ".join(f"{sample.name} ({classes[sample.label]})" for sample in group)
            yield from (Finding("conflict", each.part, each.name, names, each.part == "train") for each in group)
        for sample in group[1:]:
            kind = "duplicate" if sample.part == first.part else "leak"
            yield Finding(kind, sample.part, sample.name, f"copy of {first.name}", propose=True)


def near_copy(kept: Sample, other: Sample, classes: Sequence[str]) -> Finding:
    """Returns ``near leak`` or ``near duplicate`` for ``other``, which is nearly the same as ``kept``."""
    leak = kept.part != other.part
    label = f", labelled {classes[kept.label]}" if kept.label != other.label else ""
    kind = "near leak" if leak else "near duplicate"
    return Finding(kind, other.part, other.name, f"resembles {kept.name}{label}", propose=leak)


def of_classes(dataset: DataSet[Any], one: str) -> Iterator[Finding]:
    """Yields what is wrong with the classes; ``one`` is the word for a sample, e.g. ``picture``."""
    counts = {part: Counter(stored.labels) for part, stored in dataset.parts.items()}
    if len(dataset.classes) < 2:
        yield Finding("one class", "", "", ", ".join(dataset.classes))
    folded: dict[str, list[str]] = defaultdict(list)
    for name in dataset.classes:
        folded[name.strip().casefold()].append(name)
    yield from (Finding("alike names", "", "", ", ".join(names)) for names in folded.values() if len(names) > 1)
    for part, count in counts.items():
        missing = [name for label, name in enumerate(dataset.classes) if not count[label]]
        if missing:
            yield Finding("missing class", part, "", ", ".join(missing))
    yield from _sizes({dataset.classes[label]: number for label, number in counts.get("train", Counter()).items()}, one)


def _sizes(present: Mapping[str, int], one: str) -> Iterator[Finding]:
    for name, number in sorted(present.items()):
        if number < TINY:
            yield Finding("tiny class", "train", "", f"{name}: {number} {one if number == 1 else f'{one}s'}")
    if present and max(present.values()) >= IMBALANCE * min(present.values()):
        most, least = max(present, key=lambda name: present[name]), min(present, key=lambda name: present[name])
        yield Finding("imbalance", "train", "", f"{most} has {present[most]}, {least} has {present[least]}")
