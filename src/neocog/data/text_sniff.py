"""Whether a source holds texts or pictures, by a look at its names and first rows."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

from neocog.data.folder import SUFFIXES as PICTURES
from neocog.data.folder import is_ignored
from neocog.data.table import PATH_NAMES
from neocog.data.text_columns import TEXT_NAMES, named
from neocog.data.text_files import JSON_LINES, is_text_file, named_family
from neocog.data.text_folder import ONE_TEXT

LOOKED_AT = 64
_OTHER = (*PICTURES, ".npz", ".zip")
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f]")


def holds_texts(source: str | Path | None) -> bool:
    """Tells whether ``source`` is a data set of texts; pictures where nothing speaks for texts."""
    if source is None:
        return False
    path = Path(source).expanduser()
    try:
        if path.is_dir():
            return _folder(path)
        if not path.exists():
            return bool(named_family(path))
        return path.is_file() and (is_text_file(path) or _reads_as_text(path)) and not lists_pictures(path)
    except OSError:
        return False  # whoever reads it says why it cannot be read


def lists_pictures(path: Path) -> bool:
    """Tells whether a table names picture files, rather than holding texts."""
    if path.suffix.lower() in JSON_LINES:
        return False
    with path.open("rb") as file:
        lines = [line.decode("latin-1").strip() for line in islice(file, LOOKED_AT)]
    rows = [_cells(line) for line in lines if line.strip()]
    if not rows:
        return True  # the reader of pictures has the words for an empty table
    if named(rows[0], PATH_NAMES) is not None:
        return named(rows[0], TEXT_NAMES) is None
    named_ones = sum(any(Path(cell.strip()).suffix.lower() in PICTURES for cell in cells[:2]) for cells in rows)
    return 2 * named_ones >= len(rows)  # a text may end in a file's name


def _reads_as_text(path: Path) -> bool:
    """Tells whether a file of no known kind is text, by its first bytes: some sets come without a suffix."""
    with path.open("rb") as file:
        return path.suffix.lower() not in _OTHER and _NO_TEXT.search(file.read(4096)) is None


def _cells(line: str) -> list[str]:
    delimiter = max("\t,;", key=line.count)
    return [cell.strip().strip('"') for cell in line.split(delimiter)]


def _folder(folder: Path) -> bool:
    """A folder is of texts when its first files of a known kind are: beside each other, or in folders below."""
    beside = [path for path in folder.iterdir() if not is_ignored(path.name)]
    folders = sorted(path for path in beside if path.is_dir())
    for each in folders:
        found = next((kind for path in sorted(each.rglob("*")) if (kind := _kind(path)) is not None), None)
        if found is not None:
            return found
    if folders and not any(is_text_file(path) for path in beside):
        return False
    return any(is_text_file(path) and not lists_pictures(path) for path in beside)


def _kind(path: Path) -> bool | None:
    """Returns whether a file is a text (True), a picture (False) or neither (None)."""
    if is_ignored(path.name) or not path.is_file():
        return None
    if path.suffix.lower() in PICTURES:
        return False
    return True if path.suffix.lower() in ONE_TEXT else None
