"""CIFAR-10 in its binary version (Krizhevsky 2009): a folder of ``.bin`` files, or the archive as it is downloaded."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np

from neocog.core.errors import DataError
from neocog.data.dataset import DataSet, Part
from neocog.data.decode import Array, Picture
from neocog.data.items import ArrayItems

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
TRAIN = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST = "test_batch.bin"
ARCHIVE = "cifar-10-binary.tar.gz"
FOLDER = "cifar-10-batches-bin"
ROW = 1 + 3 * 32 * 32  # a label, then red, green and blue


def find_cifar(folder: Path) -> Path | None:
    """Returns the folder of ``.bin`` files or the archive, in this folder or in the one that the archive unpacks to."""
    candidates = (folder, folder / FOLDER)
    unpacked = next((place for place in candidates if (place / TRAIN[0]).is_file()), None)
    archive = folder / ARCHIVE
    return unpacked or (archive if archive.is_file() else None)


def read_cifar(place: Path) -> DataSet[Picture]:
    """Reads the folder of ``.bin`` files or the archive.

    Raises DataError where a file is missing or not a whole number of pictures.
    """
    files = _from_archive(place) if place.is_file() else _from_folder(place)
    batches = {name: _rows(content, f"{place}/{name}") for name, content in files.items()}
    parts = {"train": [batches[name] for name in TRAIN], "test": [batches[TEST]]}
    return DataSet(str(place), CLASSES, {name: _part(np.concatenate(rows), name) for name, rows in parts.items()})


def _from_folder(folder: Path) -> dict[str, bytes]:
    missing = [name for name in (*TRAIN, TEST) if not (folder / name).is_file()]
    if missing:
        raise DataError(f"{folder} lacks {', '.join(missing)} of CIFAR-10's binary version")
    return {name: (folder / name).read_bytes() for name in (*TRAIN, TEST)}


def _from_archive(archive: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(archive, "r:gz") as opened:
            for member in opened:
                name = Path(member.name).name
                content = opened.extractfile(member) if name in (*TRAIN, TEST) else None
                if content is not None:
                    files[name] = content.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DataError(f"{archive} cannot be read: {error}") from error
    missing = [name for name in (*TRAIN, TEST) if name not in files]
    if missing:
        raise DataError(f"{archive} lacks {', '.join(missing)}")
    return files


def _rows(content: bytes, where: str) -> Array:
    if not content or len(content) % ROW:
        raise DataError(f"{where}: {len(content)} bytes are no whole number of pictures of {ROW} bytes")
    rows = np.frombuffer(content, np.uint8).reshape(-1, ROW)
    if rows[:, 0].max() >= len(CLASSES):
        raise DataError(f"{where}: label {rows[:, 0].max()}, expected 0 to 9")
    return rows


def _part(rows: Array, name: str) -> Part[Picture]:
    pictures = rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return Part[Picture](ArrayItems(np.ascontiguousarray(pictures), name), tuple(rows[:, 0].tolist()))
