"""Running text: files one after the other, in pieces that keep their order, with parts that are never shuffled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from neocog.core.errors import DataError
from neocog.data.dataset import PARTS, DataSet, Part
from neocog.data.folder import is_ignored
from neocog.data.items import content_digest
from neocog.data.split import keep_aside
from neocog.data.text_files import PARTS_BY_NAME, by_part, family, named_family, part_of
from neocog.data.text_folder import ONE_TEXT
from neocog.data.text_lines import ENCODING, read_text, split_lines

EXPECTED = "a plain text file, files called alike but for train, dev and test, or a folder of text files"
TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".conllu", ".gz", ".zip")
ASIDE = 0.1
LONGEST_PIECE = 1000  # characters; a longer line is several pieces


class RunningItems:
    """Pieces of a text in their order: a line with its line feed, or of a long line some of it; named ``file:line``."""

    in_memory: ClassVar[bool] = True

    def __init__(self, pieces: Sequence[str], names: Sequence[str]) -> None:
        self.pieces = tuple(pieces)
        self.names = tuple(names)

    def __len__(self) -> int:
        return len(self.pieces)

    def name(self, index: int) -> str:
        """Returns e.g. ``alice.txt:17``."""
        return self.names[index]

    def read(self, index: int) -> str:
        """Returns the piece, its line feed included."""
        return self.pieces[index]

    def digest(self, index: int) -> str:
        """Returns the hash of the piece."""
        return content_digest(self.pieces[index].encode("utf-8", "surrogatepass"))

    def identity(self, index: int) -> str:
        """Returns name and content: a line that was changed is another sample."""
        return f"{self.names[index]} {self.digest(index)}"

    def subset(self, indices: Sequence[int]) -> RunningItems:
        """Returns the pieces at these positions, under their names."""
        return RunningItems([self.pieces[index] for index in indices], [self.names[index] for index in indices])


def open_running_text(
    source: str | Path, *, encoding: str = ENCODING, split_seed: int = 0, for_training: bool = True
) -> DataSet[str]:
    """Reads running text; the classes are left empty, since the model knows which tokens there are.

    ``source`` is a file, one of several called alike but for train, dev and test, a folder with such files or with
    folders of these names, or a folder whose text files follow upon each other by name. ``for_training`` adds the parts
    that are missing: the last tenth of the train part's lines is the test part, and the last tenth of the rest the val
    part, so that no line that was learned from stands between lines that are tested on. Without it the parts are as
    they are stored, and a file that is a val or test part by its name is read alone.

    Raises DataError, with file and line, for what is no text.
    """
    path = Path(source).expanduser()
    files = _files(path, kin=for_training)
    parts = {name: _part(files[name], path, encoding) for name in PARTS if name in files}
    several = sum(map(len, files.values())) > 1
    notes = [f"{name} from {_some(files[name])}" for name in parts if several]
    for name, part in parts.items():
        if not len(part):
            raise DataError(f"{path}: the {name} part is empty; expected {EXPECTED}")
    data = DataSet(str(path), (), parts, tuple(notes), aside=ASIDE, in_order=True)
    if not for_training:
        return data
    if "train" not in parts:
        raise DataError(f"{path}: no train part to learn from; found {', '.join(parts)}")
    return keep_aside(data, seed=split_seed)


def _files(path: Path, *, kin: bool) -> dict[str, list[Path]]:
    """Returns the files of each part in order."""
    if path.is_dir():
        return _in_folder(path)
    if not path.exists():
        named = named_family(path)
        if not named:
            raise DataError(f"{path}: there is no such file; expected {EXPECTED}")
        return {part: [each] for part, each in named.items()}
    if path.suffix.lower() in TABLES:
        raise DataError(f"{path} is no running text; expected {EXPECTED}")
    own = part_of(path)[1]
    if not kin and own not in (None, "train"):
        return {str(own): [path]}
    return {part: [each] for part, each in family(path).items()}


def _in_folder(folder: Path) -> dict[str, list[Path]]:
    below = {PARTS_BY_NAME[each.name.lower()]: each for each in folder.iterdir()
             if each.is_dir() and each.name.lower() in PARTS_BY_NAME}  # fmt: skip
    if "train" in below:
        return {part: _texts(each) for part, each in below.items()}
    files = _texts(folder)
    if not files:
        raise DataError(f"{folder}: there are no text files; expected {EXPECTED}")
    stems = {part_of(each) for each in files}
    if all(part is not None for _, part in stems) and len({stem for stem, _ in stems}) == 1:
        return {part: [each] for part, each in by_part(files).items()}
    return {"train": files}


def _texts(folder: Path) -> list[Path]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix.lower() in ONE_TEXT)
    return [path for path in found if not is_ignored(path.name) and not path.name.lower().startswith("readme")]


def _part(files: Sequence[Path], root: Path, encoding: str) -> Part[str]:
    pieces: list[str] = []
    names: list[str] = []
    for path in files:
        name = path.relative_to(root).as_posix() if root.is_dir() else path.name
        for number, line in enumerate(split_lines(read_text(path, encoding)), 1):
            for place, piece in enumerate(in_pieces(f"{line}\n")):
                pieces.append(piece)
                names.append(f"{name}:{number}" + (f"+{place}" if place else ""))
    return Part(RunningItems(pieces, names), ())


def in_pieces(line: str) -> list[str]:
    """Returns a line in pieces of at most `LONGEST_PIECE` characters, cut behind spaces where there are any."""
    pieces = []
    while len(line) > LONGEST_PIECE:
        cut = line.rfind(" ", 1, LONGEST_PIECE) + 1 or LONGEST_PIECE
        pieces.append(line[:cut])
        line = line[cut:]
    return [*pieces, line]


def _some(files: Sequence[Path]) -> str:
    names = ", ".join(path.name for path in files[:3])
    return names if len(files) <= 3 else f"{names}, ... ({len(files)} files, by name)"
