"""A folder of class folders with a text a file, or with one file whose lines are the texts."""

from __future__ import annotations

from pathlib import Path

from neocog.core.errors import DataError
from neocog.data.folder import is_ignored
from neocog.data.text_files import PARTS_BY_NAME
from neocog.data.text_lines import numbered_lines, read_text, refuse_long, split_lines
from neocog.data.text_rows import Reading

ONE_TEXT = (".txt", ".text", ".md", "")

# A text, its name and its label.
Sample = tuple[str, str, str]


def class_folders(root: Path) -> dict[str, dict[str, list[Path]]]:
    """Returns the text files by part and class, parts in order; empty where the folder is no folder of class folders.

    Without folders for parts everything is in ``train``.
    """
    folders = _folders(root)
    parts = {PARTS_BY_NAME[folder.name.lower()]: folder for folder in folders if folder.name.lower() in PARTS_BY_NAME}
    parts = {name: folder for name, folder in parts.items() if _folders(folder)}
    if not parts:
        parts = {"train": root}
    found = {name: {each.name: _files(each) for each in _folders(folder)} for name, folder in parts.items()}
    found = {name: {label: files for label, files in classes.items() if files} for name, classes in found.items()}
    return {name: found[name] for name in ("train", "val", "test") if found.get(name)}


def read_class_folders(root: Path, reading: Reading) -> tuple[dict[str, list[Sample]], list[str]]:
    """Returns the samples by part and what is worth saying; files are sorted by name.

    Raises DataError, with the file and line, for what is no text of this encoding.
    """
    found = class_folders(root)
    counts = [len(files) for classes in found.values() for files in classes.values()]
    by_line = all(count == 1 for count in counts)
    parts: dict[str, list[Sample]] = {}
    for name, classes in found.items():
        parts[name] = [
            sample
            for label, files in sorted(classes.items())
            for path in files
            for sample in (_lines_of(path, root, label, reading) if by_line else [_whole(path, root, label, reading)])
        ]
    return parts, ["each class folder holds one file: its lines are the texts"] if by_line else []


def _whole(path: Path, root: Path, label: str, reading: Reading) -> Sample:
    text = "\n".join(split_lines(read_text(path, reading.encoding))).strip()
    refuse_long(text, str(path))
    return text, path.relative_to(root).as_posix(), label


def _lines_of(path: Path, root: Path, label: str, reading: Reading) -> list[Sample]:
    name = path.relative_to(root).as_posix()
    return [(line.strip(), f"{name}:{number}", label) for number, line in numbered_lines(path, reading.encoding)]


def _folders(root: Path) -> list[Path]:
    try:
        return sorted(path for path in root.iterdir() if path.is_dir() and not is_ignored(path.name))
    except OSError as error:
        raise DataError(f"{error.filename or root} cannot be read: {error.strerror or error}") from error


def _files(folder: Path) -> list[Path]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() in ONE_TEXT)
    return sorted(path for path in files if not is_ignored(path.name))
