"""A labelled data set in memory: where each sample lies, its label, and which part it belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Generic, Protocol, TypeVar, runtime_checkable

Raw_co = TypeVar("Raw_co", covariant=True)

PARTS = ("train", "val", "test")


@runtime_checkable
class Items(Protocol[Raw_co]):
    """Samples that are read one at a time: files, entries of an archive, rows of an array or of a table.

    What is not ``in_memory`` is worth reading by several threads.
    """

    in_memory: ClassVar[bool]

    def __len__(self) -> int: ...

    def name(self, index: int) -> str:
        """Returns the sample's own name, as the user knows it: its path, or ``train[17]``."""

    def read(self, index: int) -> Raw_co:
        """Returns the sample as stored (bytes of a file, a uint8 array of a picture, a text).

        Raises UnreadableInput when it cannot be read.
        """

    def digest(self, index: int) -> str:
        """Returns a hash of the stored content, for caches, duplicates and the fingerprint."""

    def subset(self, indices: Sequence[int]) -> Items[Raw_co]:
        """Returns the items at these positions, in this order."""


T = TypeVar("T")


@dataclass(frozen=True)
class Part(Generic[T]):
    """One part of a data set: ``labels[i]`` is the class index of ``items`` at i.

    Without labels the samples carry their truth in themselves: a sentence the tags of its words.
    """

    items: Items[T]
    labels: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.items)

    def subset(self, indices: Sequence[int]) -> Part[T]:
        """Returns the samples at these positions, in this order."""
        labels = tuple(self.labels[index] for index in indices) if self.labels else ()
        return Part(self.items.subset(indices), labels)


@dataclass(frozen=True)
class DataSet(Generic[T]):
    """Parts by name (a subset of ``train``, ``val``, ``test``) over one list of classes.

    ``source`` is what the user gave; ``notes`` what the reader found worth saying (skipped files, kept-aside parts).
    ``aside`` is the share of ``train`` that makes a part that is missing. With ``in_order`` the samples follow upon
    each other, and it is the last that are kept aside. Without ``classes`` the model knows what it tells apart.
    """

    source: str
    classes: tuple[str, ...]
    parts: Mapping[str, Part[T]]
    notes: tuple[str, ...] = field(default=())
    aside: float = 0.15
    in_order: bool = False
