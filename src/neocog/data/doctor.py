"""The data doctor: examines every picture of a data set and what they are to each other; changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from neocog.core.errors import UnreadableInput
from neocog.data.dataset import DataSet
from neocog.data.decode import MAX_PIXELS, Picture
from neocog.data.findings import KEEPING, Finding, Progress, Sample, copies, in_order, near_copy, of_classes
from neocog.data.inspect import Facts, inspect, refused
from neocog.data.likeness import near_pairs
from neocog.data.threads import cores

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


@dataclass(frozen=True)
class Examined:
    """One examined picture."""

    sample: Sample
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
    seen: list[Examined] = []
    for each in _look(dataset, near, max_pixels, workers):
        seen.append(each)
        if progress is not None:
            progress(len(seen), sum(map(len, dataset.parts.values())))
    findings = [
        Finding(kind, each.sample.part, each.sample.name, detail, propose=kind in UNREADABLE)
        for each in seen
        for kind, detail in each.facts.peculiar
    ]
    findings += copies((each.sample for each in seen if each.facts.readable), dataset.classes)
    findings += _near_copies(seen, dataset.classes) if near else []
    findings += of_classes(dataset, "picture")
    return in_order(findings, KINDS)


def _look(dataset: DataSet[Picture], near: bool, max_pixels: int, workers: int | None) -> Iterator[Examined]:
    def look(part: str, index: int) -> Examined:
        items = dataset.parts[part].items
        name = items.name(index)
        try:
            facts = inspect(items.read(index), name, max_pixels=max_pixels, near=near)
        except UnreadableInput as error:
            facts = refused(str(error))
        return Examined(Sample(part, name, dataset.parts[part].labels[index], items.digest(index)), facts)

    places = [(part, index) for part, stored in dataset.parts.items() for index in range(len(stored))]
    with ThreadPoolExecutor(workers or cores(), "neocog-check") as pool:
        yield from pool.map(lambda place: look(*place), places)


def _near_copies(seen: list[Examined], classes: tuple[str, ...]) -> Iterator[Finding]:
    # Exact copies are reported as such: one of them in each part is enough here.
    unlike = {(each.sample.digest, each.sample.part): each for each in seen if each.facts.hash is not None}
    hashed = list(unlike.values())
    if not hashed:
        return
    thumbnails = np.stack([each.facts.thumbnail for each in hashed if each.facts.thumbnail is not None])
    for i, j in near_pairs([each.facts.hash for each in hashed], thumbnails):
        if hashed[i].sample.digest != hashed[j].sample.digest:
            pair = (hashed[i].sample, hashed[j].sample)
            kept, other = sorted(pair, key=lambda sample: KEEPING[sample.part])
            yield near_copy(kept, other, classes)
