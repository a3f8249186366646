"""A folder of class folders, with parts (``train``, ``val``, ``test``) above them or without."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from neocog.core.errors import DataError
from neocog.data.dataset import DataSet, Part
from neocog.data.decode import Picture
from neocog.data.items import FileItems

SUFFIXES = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".webp", ".avif", ".qoi"),
        *(".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".tga", ".pcx", ".sgi", ".ico", ".heic", ".heif"),
    )
)
IGNORED = frozenset({"thumbs.db", "desktop.ini", "__macosx", "@eadir"})
PART_FOLDERS = {
    **{"train": "train", "training": "train"},
    **{"val": "val", "valid": "val", "validation": "val"},
    **{"test": "test", "testing": "test"},
}


def read_folder(root: Path) -> DataSet[Picture]:
    """Reads a folder of class folders; without part folders everything is in ``train``.

    Classes are the folder names, sorted by their Unicode code points; files are sorted by their paths in the same way,
    so the order never depends on the file system. Hidden files, ``Thumbs.db`` and the like are passed over; other files
    that are no pictures by their suffix are named in the notes. Folders inside a class folder belong to the class.
    Raises DataError for an empty folder, for pictures outside class folders, for class folders beside part folders, and
    for part folders without class folders.
    """
    folders = _folders(root)
    parts = _part_folders(folders)
    notes: list[str] = []
    if not parts:
        _refuse_parts_without_classes(root, folders)
        _refuse_loose(root, root, folders)
        parts = {"train": root}
    found = {name: _read_classes(folder, root, notes) for name, folder in parts.items()}
    classes = tuple(sorted({label for labels in found.values() for label, _ in labels}))
    if not classes:
        raise DataError(f"{root} holds no pictures in class folders; expected e.g. {root.name}/cat/1.jpg")
    _note_strays(root, notes)
    index = {label: place for place, label in enumerate(classes)}
    read: dict[str, Part[Picture]] = {
        name: Part(
            FileItems([path for _, path in rows], [path.relative_to(root).as_posix() for _, path in rows]),
            tuple(index[label] for label, _ in rows),
        )
        for name, rows in found.items()
        if rows
    }
    return DataSet(str(root), classes, read, tuple(notes))


def is_ignored(name: str) -> bool:
    """Tells whether a file or folder is the operating system's own and never a sample."""
    return name.startswith(".") or name.lower() in IGNORED


def _folders(root: Path) -> list[Path]:
    folders = [path for path in root.iterdir() if path.is_dir() and not is_ignored(path.name)]
    return sorted(folders, key=lambda path: path.name)


def _part_folders(folders: list[Path]) -> dict[str, Path]:
    """Returns the folders of parts by name; none where the folder holds classes only."""
    parts: dict[str, Path] = {}
    for folder in folders:
        part = PART_FOLDERS.get(folder.name.lower())
        if part is None or not _folders(folder):
            continue  # a class may be called "test": then it holds pictures, not folders
        if part in parts:
            raise DataError(f"{parts[part].name}/ and {folder.name}/ both hold the {part} part; keep one of them")
        parts[part] = folder
    others = [folder for folder in folders if folder not in parts.values()]
    if parts:
        mixed = [folder.name for folder in others if next(_pictures(folder), None)]
        if mixed:
            have = ", ".join(f"{folder.name}/" for folder in parts.values())
            raise DataError(
                f"part folders ({have}) and class folders ({', '.join(mixed[:3])}) lie side by side; "
                "put the classes inside the parts, or take the parts away"
            )
        for folder in parts.values():
            _refuse_loose(folder, folder.parent, _folders(folder))
    return {name: parts[name] for name in ("train", "val", "test") if name in parts}


def _refuse_parts_without_classes(root: Path, folders: list[Path]) -> None:
    """``train`` and ``test`` with pictures in them would be two classes, told apart at random."""
    others = (folder for folder in folders if folder.name.lower() not in PART_FOLDERS)
    if any(next(_pictures(folder), None) for folder in others):
        return
    names = [folder.name for folder in folders if next(_pictures(folder), None)]
    if len(names) > 1:
        raise DataError(
            f"{root}: {', '.join(f'{name}/' for name in names)} are called as parts, and hold pictures but no class "
            f"folders; expected e.g. {names[0]}/cat/1.jpg, or a table of path and label"
        )


def _refuse_loose(folder: Path, root: Path, folders: list[Path]) -> None:
    """Pictures beside class folders have no label."""
    loose = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    loose = [name for name in loose if not is_ignored(name)]
    if not loose:
        return
    where = folder.relative_to(root.parent).as_posix()
    if folders:
        raise DataError(f"{where}/ holds {len(loose)} pictures outside its class folders ({loose[0]}); move them in")
    raise DataError(f"{where}/ holds {len(loose)} pictures but no class folders; expected {where}/CLASS/{loose[0]}")


def _read_classes(part: Path, root: Path, notes: list[str]) -> list[tuple[str, Path]]:
    """Returns (class, path) of every picture of a part, and notes what is no picture and which class is empty."""
    rows: list[tuple[str, Path]] = []
    for folder in _folders(part):
        files = sorted(_files(folder), key=lambda path: path.relative_to(root).as_posix())
        pictures = [path for path in files if path.suffix.lower() in SUFFIXES]
        others = [path.relative_to(root).as_posix() for path in files if path.suffix.lower() not in SUFFIXES]
        name = folder.relative_to(root).as_posix()
        if others:
            notes.append(f"{name}: {len(others)} files passed over, no pictures: {_some(others)}")
        if not pictures:
            notes.append(f"{name}: no pictures, so no class comes of it")
        deeper = {path.parent for path in pictures} - {folder}
        if deeper:
            notes.append(f"{name}: pictures in {len(deeper)} folders inside it all count as {folder.name}")
        rows += [(folder.name, path) for path in pictures]
    return rows


def _pictures(folder: Path) -> Iterator[Path]:
    return (path for path in _files(folder) if path.suffix.lower() in SUFFIXES)


def _files(folder: Path) -> Iterator[Path]:
    """Yields the files below a folder; links to folders are followed, but each folder is entered once."""
    seen: set[tuple[int, int]] = set()
    for place, names, files in os.walk(folder, followlinks=True, onerror=_refuse_unlisted):
        identity = Path(place).stat()
        if (identity.st_dev, identity.st_ino) in seen:
            names.clear()
            continue
        seen.add((identity.st_dev, identity.st_ino))
        names[:] = sorted(name for name in names if not is_ignored(name))
        yield from (Path(place, name) for name in files if not is_ignored(name))


def _refuse_unlisted(error: OSError) -> None:
    raise DataError(f"{error.filename} cannot be listed: {error.strerror or error}") from error


def _note_strays(root: Path, notes: list[str]) -> None:
    strays = sorted(path.name for path in root.iterdir() if path.is_file() and not is_ignored(path.name))
    if strays:
        notes.append(f"{len(strays)} files beside the folders passed over: {_some(strays)}")


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
