"""Which files make a data set of texts: official parts by their names, ``x.train``, ``x.dev``, ``x.test``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from neocog.core.errors import DataError
from neocog.data.folder import PART_FOLDERS, is_ignored

PARTS_BY_NAME = {**PART_FOLDERS, "dev": "val", "devel": "val", "development": "val"}
JSON_LINES = (".jsonl", ".ndjson", ".json")
SUFFIXES = (".txt", ".text", ".all", ".csv", ".tsv", ".jsonl", ".ndjson")  # .all: the sets of Kim 2014 without parts
_PART = re.compile(rf"(?P<stem>.*?)[._ -]?(?P<part>{'|'.join(PARTS_BY_NAME)})(?P<suffix>\.[a-z]+)?", re.IGNORECASE)


def part_of(path: Path) -> tuple[str, str | None]:
    """Returns a file's name without its part and suffix, and the part that it names, or None."""
    found = _PART.fullmatch(path.name)
    if found is None or (found["suffix"] and found["suffix"].lower() not in SUFFIXES):
        return path.stem, None
    if found["stem"] and not re.search(r"[._ -]$", path.name[: found.start("part")]):
        return path.stem, None  # ``contest.csv`` names no part
    return found["stem"], PARTS_BY_NAME[found["part"].lower()]


def is_text_file(path: Path) -> bool:
    """Tells whether a file may hold labelled texts, by its name."""
    named = path.suffix.lower() in SUFFIXES or part_of(path)[1] is not None
    return named and not is_ignored(path.name) and path.is_file() and not path.name.lower().startswith("readme")


def family(path: Path) -> dict[str, Path]:
    """Returns the files of a data set by part: those beside ``path`` that are called as it is but for the part.

    A file that names no part is ``train`` alone. Raises DataError for two files of one part.
    """
    stem, part = part_of(path)
    if part is None:
        return {"train": path}
    beside = [each for each in sorted(path.parent.iterdir()) if is_text_file(each)]
    return by_part([each for each in beside if part_of(each) == (stem, part_of(each)[1]) and _kin(each, path)])


def named_family(path: Path) -> dict[str, Path]:
    """Returns the files that a path without part and suffix stands for (``folder/trec``), by part; none where none."""
    if path.exists() or not path.parent.is_dir():
        return {}
    beside = [each for each in sorted(path.parent.iterdir()) if is_text_file(each)]
    return by_part([each for each in beside if part_of(each)[0] == path.name and part_of(each)[1] is not None])


def folder_family(folder: Path) -> dict[str, Path]:
    """Returns the files of the one data set in a folder, by part; none where there are no such files.

    Raises DataError where there are several data sets.
    """
    files = [path for path in sorted(folder.iterdir()) if is_text_file(path)]
    parted = [path for path in files if part_of(path)[1] is not None]
    stems = sorted({part_of(path)[0] for path in parted})
    if len(stems) == 1:
        return by_part(parted)
    if len(stems) > 1 or len(files) > 1:
        names = [str(folder / stem) for stem in stems] or [str(path) for path in files]
        raise DataError(f"{folder} holds several sets of texts; name one of them, e.g. {', '.join(names[:4])}")
    return {"train": files[0]} if files else {}


def files_in_part_folders(folder: Path, suits: Callable[[Path], bool] = is_text_file) -> dict[str, Path]:
    """Returns by part the one file in each of the folders ``train``, ``dev`` and ``test``; none where others lie there.

    Raises DataError where they hold another number of files that ``suits`` takes: the parts would be taken for classes.
    """
    folders = [path for path in sorted(folder.iterdir()) if path.is_dir() and not is_ignored(path.name)]
    inside = {path: [each for each in sorted(path.iterdir()) if not is_ignored(each.name)] for path in folders}
    named = len(folders) > 1 and all(path.name.lower() in PARTS_BY_NAME for path in folders)
    if not named or any(each.is_dir() for files in inside.values() for each in files):
        return {}
    found = {path: [each for each in files if suits(each)] for path, files in inside.items()}
    odd = [f"{path.name}/ holds {len(files)}" for path, files in found.items() if len(files) != 1]
    if odd:
        raise DataError(
            f"{folder}: its folders are called as parts; expected one file in each, or class folders, but {odd[0]}"
        )
    return by_part((files[0] for files in found.values()), lambda file: (file.stem, _part_of_folder(file.parent)))


def _part_of_folder(folder: Path) -> str:
    return PARTS_BY_NAME[folder.name.lower()]


def _kin(path: Path, other: Path) -> bool:
    """Tells whether two files are of one kind: ``x.train`` and ``x.test``, but not ``x_train.csv`` and ``x.test``."""
    suffixes = [each.suffix.lower() if each.suffix.lower() in SUFFIXES else "" for each in (path, other)]
    return suffixes[0] == suffixes[1]


def by_part(files: Iterable[Path], named: Callable[[Path], tuple[str, str | None]] = part_of) -> dict[str, Path]:
    """Returns the files by the part that each names, ``train`` where none; ``named`` splits a name as `part_of` does.

    Raises DataError for two files of one part.
    """
    found: dict[str, Path] = {}
    for path in files:
        part = named(path)[1] or "train"
        if part in found:
            raise DataError(f"{found[part]} and {path.name} both hold the {part} part; move one of them away")
        found[part] = path
    return found


def name_in(path: Path, source: Path) -> str:
    """Returns what a file is called: by its place in the folder ``source`` where it lies there, else by its name."""
    return path.relative_to(source).as_posix() if source in path.parents else path.name


def described(files: Mapping[str, Path], source: Path) -> str:
    """Returns which file is which part, for a person."""
    return ", ".join(f"{part} from {name_in(path, source)}" for part, path in files.items())
