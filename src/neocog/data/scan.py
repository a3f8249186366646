"""The pass over a data set that finds unreadable pictures before training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from neocog.core.errors import DataError, UnreadableInput
from neocog.data.dataset import DataSet, Part
from neocog.data.decode import MAX_PIXELS, Picture, from_array, open_picture
from neocog.data.items import ArrayItems
from neocog.data.threads import in_threads

__all__ = ["Bad", "fault", "in_threads", "scan"]


@dataclass(frozen=True)
class Bad:
    """One unreadable sample."""

    part: str
    name: str
    reason: str


def scan(
    dataset: DataSet[Picture], *, max_bad: float = 0.01, max_pixels: int = MAX_PIXELS, workers: int | None = None
) -> tuple[DataSet[Picture], tuple[Bad, ...]]:
    """Decodes every picture once; returns the data set without the unreadable ones, and those with their reasons.

    A picture that is left out has no other in its place. A JPEG is decoded at an eighth of its size: all of its
    data are gone through, little is computed. Raises DataError where more than ``max_bad`` (a fraction) cannot be read.
    """
    bad: list[Bad] = []
    parts = dict(dataset.parts)
    for name, part in dataset.parts.items():
        if isinstance(part.items, ArrayItems):
            continue
        found = in_threads(partial(fault, part, max_pixels=max_pixels), range(len(part)), workers)
        faults = {index: reason for index, reason in enumerate(found) if reason is not None}
        bad += [Bad(name, part.items.name(index), reason) for index, reason in faults.items()]
        if faults:
            parts[name] = part.subset([index for index in range(len(part)) if index not in faults])
    total = sum(len(part) for part in dataset.parts.values())
    if len(bad) > max_bad * total:
        raise DataError(
            f"{len(bad)} of {total} pictures cannot be read, more than the {max_bad:.2%} allowed "
            f"(--max-bad); the first is {bad[0].name}: {bad[0].reason}. `neocog check` names them all."
        )
    notes = [f"left out, unreadable: {each.name}: {each.reason}" for each in bad]
    return replace(dataset, parts=parts, notes=(*dataset.notes, *notes)), tuple(bad)


def fault(part: Part[Picture], index: int, max_pixels: int = MAX_PIXELS) -> str | None:
    """Returns why a sample cannot be read, or None where it can."""
    try:
        raw = part.items.read(index)
        if isinstance(raw, bytes):
            opened = open_picture(raw, max_pixels=max_pixels)
            opened.pixels(3, opened.scale(float("inf")))
        else:
            from_array(raw, 3)
    except UnreadableInput as error:
        return str(error)
    return None
