"""The data doctor: examines every picture of a data set and what they are to each other; changes nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from neocog.core.errors import UnreadableInput
from neocog.data.dataset import DataSet
from neocog.data.decode import MAX_PIXELS, Picture
from neocog.data.inspect import Facts, inspect, refused
from neocog.data.likeness import near_pairs
from neocog.data.threads import cores

Progress = Callable[[int, int], None]

KINDS = {
    "corrupt": "cannot be read",
    "truncated": "cut off: cannot be read",
    "bomb": "more pixels than allowed: refused",
    "conflict": "the same picture under different labels",
    "leak": "the same picture in two parts",
    "near leak": "nearly the same picture in two parts",
    "duplicate": "the same picture again",
    "near duplicate": "nearly the same picture again",
    "one class": "nothing to tell apart",
    "alike names": "class names equal but for case or spaces",
    "tiny class": "too few pictures to learn from",
    "missing class": "a class without pictures in a part",
    "imbalance": "classes of very different size",
    "extension": "called other than it is; read by its content",
    "rotated": "turned upright as EXIF says",
    "gray": "read as gray",
    "palette": "read in its palette's colours",
    "transparent": "read over white",
    "cmyk": "converted to RGB",
    "16-bit": "scaled to 8 bits",
    "animated": "its first frame is read",
}
UNREADABLE = ("corrupt", "truncated", "bomb")
KEEPING = {"test": 0, "val": 1, "train": 2}  # of copies in several parts, the one in the first of these stays
TINY = 10
IMBALANCE = 3.0


@dataclass(frozen=True)
class Finding:
    """Something found: its kind (a key of `KINDS`), the sample's name (empty for a class or part), and the detail.

    ``propose`` tells whether the sample should be left out of training.
    """

    kind: str
    part: str
    name: str
    detail: str
    propose: bool = False


@dataclass(frozen=True)
class Sample:
    """One examined picture."""

    part: str
    name: str
    label: int
    digest: str
    facts: Facts


def examine(
    dataset: DataSet[Picture],
    *,
    near: bool = True,
    max_pixels: int = MAX_PIXELS,
    workers: int | None = None,
    progress: Progress | None = None,
) -> tuple[Finding, ...]:
    """Returns all findings, those of one kind together, in the order of `KINDS`; tells ``progress`` how far it is.

    Proposed for leaving out: what cannot be read; exact copies but one; of copies (exact and near) in two parts, those
    outside the test part, so that the test stays what it was; every copy in train of a picture under different labels.
    """
    samples: list[Sample] = []
    for sample in _samples(dataset, near, max_pixels, workers):
        samples.append(sample)
        if progress is not None:
            progress(len(samples), sum(map(len, dataset.parts.values())))
    findings = [
        Finding(kind, sample.part, sample.name, detail, propose=kind in UNREADABLE)
        for sample in samples
        for kind, detail in sample.facts.peculiar
    ]
    findings += _copies(samples, dataset.classes)
    findings += _near_copies(samples, dataset.classes) if near else []
    findings += _classes(dataset)
    order = {kind: place for place, kind in enumerate(KINDS)}
    return tuple(sorted(findings, key=lambda finding: order[finding.kind]))


def proposals(findings: tuple[Finding, ...]) -> tuple[tuple[str, str], ...]:
    """Returns (name, reason) of each sample proposed for leaving out, each once, under its gravest reason."""
    chosen: dict[str, str] = {}
    for finding in findings:
        if finding.propose:
            chosen.setdefault(finding.name, f"{finding.kind}: {finding.detail}")
    return tuple(chosen.items())


def _samples(dataset: DataSet[Picture], near: bool, max_pixels: int, workers: int | None) -> Iterator[Sample]:
    def look(part: str, index: int) -> Sample:
        items = dataset.parts[part].items
        name = items.name(index)
        try:
            facts = inspect(items.read(index), name, max_pixels=max_pixels, near=near)
        except UnreadableInput as error:
            facts = refused(str(error))
        return Sample(part, name, dataset.parts[part].labels[index], items.digest(index), facts)

    places = [(part, index) for part, stored in dataset.parts.items() for index in range(len(stored))]
    with ThreadPoolExecutor(workers or cores(), "neocog-check") as pool:
        yield from pool.map(lambda place: look(*place), places)


def _copies(samples: list[Sample], classes: tuple[str, ...]) -> Iterator[Finding]:
    groups: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.facts.readable:
            groups[sample.digest].append(sample)
    for group in groups.values():
        if len(group) < 2:
            continue
        group.sort(key=lambda sample: KEEPING[sample.part])  # stable: of one part, the first stays
        first, labels = group[0], {sample.label for sample in group}
        if len(labels) > 1:
            names = ", ".join(f"{sample.name} ({classes[sample.label]})" for sample in group)
            yield from (Finding("conflict", each.part, each.name, names, each.part == "train") for each in group)
        for sample in group[1:]:
            leak = sample.part != first.part
            kind = "leak" if leak else "duplicate"
            yield Finding(kind, sample.part, sample.name, f"copy of {first.name}", propose=True)


def _near_copies(samples: list[Sample], classes: tuple[str, ...]) -> Iterator[Finding]:
    # Exact copies are reported as such: one of them in each part is enough here.
    unlike = {(sample.digest, sample.part): sample for sample in samples if sample.facts.hash is not None}
    hashed = list(unlike.values())
    if not hashed:
        return
    thumbnails = np.stack([sample.facts.thumbnail for sample in hashed if sample.facts.thumbnail is not None])
    for i, j in near_pairs([sample.facts.hash for sample in hashed], thumbnails):
        if hashed[i].digest == hashed[j].digest:
            continue
        kept, other = sorted((hashed[i], hashed[j]), key=lambda sample: KEEPING[sample.part])
        leak = kept.part != other.part
        kind = "near leak" if leak else "near duplicate"
        label = f", labelled {classes[kept.label]}" if kept.label != other.label else ""
        yield Finding(kind, other.part, other.name, f"resembles {kept.name}{label}", propose=leak)


def _classes(dataset: DataSet[Picture]) -> Iterator[Finding]:
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
    train = counts.get("train", Counter())
    present = {dataset.classes[label]: number for label, number in train.items()}
    for name, number in sorted(present.items()):
        if number < TINY:
            yield Finding("tiny class", "train", "", f"{name}: {number} {'picture' if number == 1 else 'pictures'}")
    if present and max(present.values()) >= IMBALANCE * min(present.values()):
        most, least = max(present, key=lambda name: present[name]), min(present, key=lambda name: present[name])
        yield Finding("imbalance", "train", "", f"{most} has {present[most]}, {least} has {present[least]}")
