"""Samples that are read one at a time: files of a folder and rows of an array."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from neocog.core.errors import UnreadableInput
from neocog.data.decode import Array


def content_digest(content: bytes) -> str:
    """Returns the BLAKE2b hash (128 bits, hexadecimal) by which equal content is known."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


class FileItems:
    """Files, each under the name that the user knows it by."""

    in_memory: ClassVar[bool] = False

    def __init__(self, paths: Sequence[Path], names: Sequence[str]) -> None:
        self.paths = tuple(paths)
        self.names = tuple(names)
        self._digests: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self.paths)

    def name(self, index: int) -> str:
        """Returns the path as the folder or table names it."""
        return self.names[index]

    def read(self, index: int) -> bytes:
        """Returns the file's bytes; raises UnreadableInput."""
        try:
            return self.paths[index].read_bytes()
        except OSError as error:
            raise UnreadableInput(f"cannot be read: {error.strerror or error}") from error

    def digest(self, index: int) -> str:
        """Returns the hash of the file's bytes; an unreadable file has a hash of its own."""
        if index not in self._digests:
            try:
                self._digests[index] = content_digest(self.read(index))
            except UnreadableInput:
                self._digests[index] = content_digest(b"unreadable\0" + str(self.paths[index]).encode())
        return self._digests[index]

    def subset(self, indices: Sequence[int]) -> FileItems:
        """Returns the files at these positions."""
        chosen = FileItems([self.paths[i] for i in indices], [self.names[i] for i in indices])
        chosen._digests = {new: self._digests[old] for new, old in enumerate(indices) if old in self._digests}
        return chosen


class ArrayItems:
    """Pictures of one size in one uint8 array (N, H, W) or (N, H, W, 1|3), named ``prefix[row]``."""

    in_memory: ClassVar[bool] = True

    def __init__(self, array: Array, prefix: str, rows: Sequence[int] | Array | None = None) -> None:
        self.array = array
        self.prefix = prefix
        self.rows = np.arange(len(array)) if rows is None else np.asarray(rows, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.array)

    def name(self, index: int) -> str:
        """Returns e.g. ``train[17]``: the row in the file as it was read."""
        return f"{self.prefix}[{self.rows[index]}]"

    def read(self, index: int) -> Array:
        """Returns the picture as uint8 (H, W) or (H, W, 1|3)."""
        return np.ascontiguousarray(self.array[index])

    def digest(self, index: int) -> str:
        """Returns the hash of the pixels and their shape."""
        picture = self.read(index)
        return content_digest(repr(picture.shape).encode() + picture.tobytes())

    def subset(self, indices: Sequence[int]) -> ArrayItems:
        """Returns the rows at these positions; their names stay."""
        chosen = np.asarray(indices, dtype=np.int64)
        return ArrayItems(self.array[chosen], self.prefix, self.rows[chosen])
