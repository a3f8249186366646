"""Class folders inside zip archives: ``train.zip`` and ``test.zip`` with ``class/name.jpg``, or one for all."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import ClassVar

from neocog.core.errors import DataError, UnreadableInput
from neocog.data.dataset import PARTS, DataSet, Part
from neocog.data.decode import Picture
from neocog.data.folder import PART_FOLDERS, SUFFIXES, is_ignored
from neocog.data.items import content_digest
from neocog.data.labels import indexed

LARGEST_ENTRY = 1 << 30
Entry = tuple[str, str]  # class, name within the archive


class ZipItems:
    """Entries of one archive, read by any number of threads; named ``archive.zip/class/name.jpg``."""

    in_memory: ClassVar[bool] = False

    def __init__(self, archive: zipfile.ZipFile, file: Path, entries: Sequence[str]) -> None:
        self.archive = archive
        self.file = file
        self.entries = tuple(entries)

    def __len__(self) -> int:
        return len(self.entries)

    def name(self, index: int) -> str:
        """Returns e.g. ``train.zip/cat/0001.jpg``."""
        return f"{self.file.name}/{self.entries[index]}"

    def read(self, index: int) -> bytes:
        """Returns the entry's bytes; raises UnreadableInput, also where the archive's checksum does not fit."""
        try:
            size = self.archive.getinfo(self.entries[index]).file_size
            if size > LARGEST_ENTRY:
                raise UnreadableInput(f"it would unpack to {size:,} bytes, more than the {LARGEST_ENTRY:,} allowed")
            return self.archive.read(self.entries[index])
        except (zipfile.BadZipFile, RuntimeError, OSError, EOFError, NotImplementedError, zlib.error) as error:
            raise UnreadableInput(f"cannot be unpacked: {error}") from error

    def digest(self, index: int) -> str:
        """Returns the hash of the entry's bytes; an unreadable one has a hash of its own."""
        try:
            return content_digest(self.read(index))
        except UnreadableInput:
            return content_digest(b"unreadable\0" + self.name(index).encode())

    def subset(self, indices: Sequence[int]) -> ZipItems:
        """Returns the entries at these positions."""
        return ZipItems(self.archive, self.file, [self.entries[index] for index in indices])


def zip_parts(folder: Path) -> dict[str, Path]:
    """Returns the folder's archives that are called like parts: ``train.zip``, ``val.zip``, ``test.zip``."""
    files = sorted(folder.glob("*.zip"))
    return {PART_FOLDERS[file.stem.lower()]: file for file in files if file.stem.lower() in PART_FOLDERS}


def read_zip_parts(folder: Path) -> DataSet[Picture]:
    """Reads one archive a part, each with ``class/name`` entries.

    Raises DataError as `read_zip`.
    """
    archives = {part: _open(file) for part, file in zip_parts(folder).items()}
    found = {part: (archive, file, _classes(entries)) for part, (archive, file, entries) in archives.items()}
    return _dataset(str(folder), found)


def read_zip(file: Path) -> DataSet[Picture]:
    """Reads one archive with ``class/name`` or ``train/class/name`` entries, perhaps all in one folder.

    Raises DataError where it is no zip archive or holds no pictures in class folders.
    """
    archive, _, entries = _open(file)
    steps = {entry: PurePosixPath(entry).parts for entry in entries}
    tops = {parts[0] for parts in steps.values()}
    if len(tops) == 1 and all(len(parts) > 2 for parts in steps.values()):
        steps = {entry: parts[1:] for entry, parts in steps.items()}
    if any(PART_FOLDERS.get(parts[0].lower()) == "train" and len(parts) > 2 for parts in steps.values()):
        by_part: dict[str, list[Entry]] = {}
        for entry, parts in steps.items():
            part = PART_FOLDERS.get(parts[0].lower())
            if part is None or len(parts) < 3:
                raise DataError(f"{file}: {entry} lies beside the part folders; expected train/CLASS/name.jpg")
            by_part.setdefault(part, []).append((parts[1], entry))
        return _dataset(str(file), {part: (archive, file, rows) for part, rows in by_part.items()})
    loose = [entry for entry, parts in steps.items() if len(parts) < 2]
    if loose:
        raise DataError(f"{file}: {loose[0]} lies outside a class folder; expected CLASS/{loose[0]}")
    return _dataset(str(file), {"train": (archive, file, [(parts[0], entry) for entry, parts in steps.items()])})


def _open(file: Path) -> tuple[zipfile.ZipFile, Path, list[str]]:
    """Returns the archive, its file and the sorted names of its pictures."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{file} cannot be read as a zip archive: {error}") from error
    names = [name for name in archive.namelist() if PurePosixPath(name).suffix.lower() in SUFFIXES]
    names = sorted(name for name in names if not any(map(is_ignored, PurePosixPath(name).parts)))
    if not names:
        raise DataError(f"{file} holds no pictures; expected entries CLASS/name.jpg")
    return archive, file, names


def _classes(entries: list[str]) -> list[Entry]:
    loose = [entry for entry in entries if len(PurePosixPath(entry).parts) < 2]
    if loose:
        raise DataError(f"{loose[0]} lies outside a class folder of its archive; expected CLASS/{loose[0]}")
    return [(PurePosixPath(entry).parts[0], entry) for entry in entries]


def _dataset(source: str, found: dict[str, tuple[zipfile.ZipFile, Path, list[Entry]]]) -> DataSet[Picture]:
    classes = tuple(sorted({label for _, _, rows in found.values() for label, _ in rows}))
    labels = indexed({part: [label for label, _ in rows] for part, (_, _, rows) in found.items()}, classes)
    parts = {
        part: Part[Picture](ZipItems(archive, file, [entry for _, entry in rows]), labels[part])
        for part, (archive, file, rows) in found.items()
    }
    return DataSet(source, classes, {part: parts[part] for part in PARTS if part in parts})
