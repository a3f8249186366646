"""The idx format of MNIST (LeCun et al.), packed by gzip or not."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from neocog.core.errors import DataError
from neocog.data.dataset import DataSet, Part
from neocog.data.decode import Array, Picture
from neocog.data.items import ArrayItems
from neocog.data.labels import class_list, label_names

STEMS = {"train": "train", "val": "val", "test": "t10k"}
UNSIGNED_BYTES = 0x08


def idx_files(folder: Path) -> dict[str, tuple[Path, Path]]:
    """Returns the files of images and labels of each part that the folder holds."""
    found = {}
    for part, stem in STEMS.items():
        for first in dict.fromkeys((stem, part)):
            images = sorted(folder.glob(f"{first}-images?idx3-ubyte*"))
            labels = sorted(folder.glob(f"{first}-labels?idx1-ubyte*"))
            if images and labels:
                found[part] = (images[0], labels[0])
                break
    return found


def read_idx_folder(folder: Path, classes: Sequence[str] | None = None) -> DataSet[Picture]:
    """Reads ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte`` and the same of ``t10k``, with ``.gz`` or without.

    ``classes`` name the labels from 0 on; without them a class is called by its number.
    Raises DataError where files are truncated or do not belong together.
    """
    arrays = {part: (read_idx(images), read_idx(labels)) for part, (images, labels) in idx_files(folder).items()}
    for part, (images, labels) in arrays.items():
        if len(images) != len(labels):
            raise DataError(f"{folder}: the {part} part has {len(images)} images and {len(labels)} labels")
        if images.ndim not in (3, 4):
            raise DataError(f"{folder}: expected images (N, H, W), got {images.shape} in the {part} part")
        if classes is not None and labels.size and int(labels.max()) >= len(classes):
            raise DataError(f"{folder}: label {labels.max()} in the {part} part, expected 0 to {len(classes) - 1}")
    if classes is None:
        classes = class_list(name for _, labels in arrays.values() for name in set(label_names(labels, str(folder))))
        index = {int(name): place for place, name in enumerate(classes)}
    else:
        index = {place: place for place in range(len(classes))}
    return DataSet(
        str(folder),
        tuple(classes),
        {
            part: Part[Picture](ArrayItems(images, part), tuple(index[label] for label in labels.tolist()))
            for part, (images, labels) in arrays.items()
        },
    )


def read_idx(file: Path) -> Array:
    """Returns the array of one idx file of unsigned bytes, as its header shapes it.

    Raises DataError where the file is no idx file, is truncated, or is longer than its header says.
    """
    try:
        raw = file.read_bytes()
        content = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{file} cannot be read: {error}") from error
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != UNSIGNED_BYTES:
        raise DataError(f"{file} is no idx file of unsigned bytes; it begins with {content[:4]!r}")
    dimensions = content[3]
    start = 4 + 4 * dimensions
    if len(content) < start:
        raise DataError(f"{file} is truncated within its header")
    shape = struct.unpack_from(f">{dimensions}I", content, 4)
    expected = int(np.prod(shape, dtype=object))
    if len(content) - start != expected:
        raise DataError(f"{file} is damaged: its header promises {expected} bytes, {len(content) - start} follow")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()
