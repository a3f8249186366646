"""One door for sentences with tags: a file, or a folder of ``train|dev|test`` files, of columns or of CoNLL-U."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from neocog.core.errors import DataError
from neocog.core.spans import OUTSIDE, in_bioes
from neocog.data import text_files
from neocog.data.conll import TaggedSentence, read_columns
from neocog.data.conllu import COLUMNS, read_conllu
from neocog.data.dataset import PARTS, DataSet, Part
from neocog.data.folder import is_ignored
from neocog.data.folds import with_fold
from neocog.data.labels import class_list
from neocog.data.open import checked
from neocog.data.sentence_items import items_of
from neocog.data.split import keep_aside
from neocog.data.text_files import PARTS_BY_NAME
from neocog.data.text_lines import read_text
from neocog.data.text_rows import Reading

CONLLU = (".conllu", ".conllup", ".connlu")
OF_COLUMNS = (".conll", ".iob", ".iob2", ".bio", ".bioes", ".col")  # of nothing else
SUFFIXES = (*CONLLU, *OF_COLUMNS, ".tags", ".pos", ".tsv", ".txt")
# CoNLL-2003 calls its two test files so, and tunes on the first.
_PARTS = {**PARTS_BY_NAME, "testa": "val", "testb": "test"}
LOOKED_AT, MOST_CELLS = 200, 12  # first lines, and cells of one, by which columns are known
MOST_ODD = 20  # one line in so many may be of another width: the reader then names it
_SPAN_TAG = re.compile(r"O|[BIESLUM]-\S+")
_NO_DATA = ("readme", "license", "licence", "contributing", "changelog")
EXPECTED = "a file of a word and its tag a line, CoNLL-U, or a folder of such files called train, dev and test"


ASIDE = 0.1  # of the sentences that have no parts of their own


def open_for_training(
    source: str | Path,
    *,
    reading: Reading,
    split_seed: int = 0,
    exclude: str | Path | Iterable[str] | None = None,
    fold: tuple[int, int] | None = None,
) -> DataSet[TaggedSentence]:
    """Reads sentences with tags, and keeps aside the parts that are missing.

    ``fold`` is the number of the fold that is to be the test part, and of how many. Raises DataError as `open_tagged`
    does, and where there is no train part or one tag alone.
    """
    data = checked(open_tagged(source, reading=reading), exclude, for_training=True)
    if "train" not in data.parts:
        raise DataError(f"{data.source}: no train part to learn from; found {', '.join(data.parts)}")
    data = data if fold is None else with_fold(data, *fold, seed=split_seed)
    return keep_aside(data, seed=split_seed)


def open_tagged(source: str | Path, *, reading: Reading | None = None, alone: bool = False) -> DataSet[TaggedSentence]:
    """Reads sentences with tags, which are the classes; a file that names its part brings those that are called alike.

    With ``alone`` a file is read without its kin. Parts are as they are stored; a file that names none is ``train``.
    Raises DataError, with file and line, for what cannot be read.
    """
    path, reading = Path(source).expanduser(), reading or Reading()
    files = tagged_files(path, alone=alone)
    if not files:
        raise DataError(f"{path}: there are no sentences with tags; expected {EXPECTED}")
    notes = [text_files.described(files, path)] if len(files) > 1 else []
    read: dict[str, list[TaggedSentence]] = {}
    for part, file in files.items():
        read[part], said = read_tagged(file, reading)
        notes += said
    notes += _read_as_bioes(read)
    parts = {part: items_of(text_files.name_in(files[part], path), sentences) for part, sentences in read.items()}
    tags = class_list(tag for items in parts.values() for each in items.sentences for tag in each.tags)
    return DataSet(str(path), tags, {name: Part(items, ()) for name, items in parts.items()}, tuple(notes), aside=ASIDE)


def _read_as_bioes(parts: dict[str, list[TaggedSentence]]) -> list[str]:
    """Gives sentences in a scheme of other letters those of BIOES, and returns the line that says so."""
    found = in_bioes(tag for sentences in parts.values() for each in sentences for tag in each.tags)
    if found is None:
        return []
    name, renamed = found
    for part, sentences in parts.items():
        parts[part] = [replace(each, tags=tuple(renamed.get(tag, tag) for tag in each.tags)) for each in sentences]
    return [f"tags of {name}, read as BIOES: {', '.join(f'{old} as {new}' for old, new in _differing(renamed))}"]


def _differing(renamed: dict[str, str]) -> list[tuple[str, str]]:
    return [(old, new) for old, new in sorted(renamed.items()) if old != new][:3]


def holds_tags(source: str | Path | None) -> bool:
    """Tells whether ``source`` is a data set of tagged sentences, by the first lines of its first file.

    CoNLL-U, or lines of equally many cells, two to `MOST_CELLS`, with blank lines between sentences of several words
    or with tags of spans in the last; a slip in a few of many lines does not make other data of them.
    """
    if source is None:
        return False
    path = Path(source).expanduser()
    try:
        files = tagged_files(path) if path.exists() else {}
        return any(_looks_tagged(each) for each in islice(files.values(), 1))
    except (OSError, DataError):
        return False  # whoever reads it says why it cannot be read


def holds_words(path: Path) -> bool:
    """Tells whether a file holds sentences of a word a line, with tags or without."""
    try:
        return path.is_file() and _looks_tagged(path, least=1)
    except (OSError, ValueError):
        return False


def _looks_tagged(path: Path, least: int = 2) -> bool:
    if path.suffix.lower() in (*CONLLU, *OF_COLUMNS):
        return True
    with path.open("rb") as file:
        lines = [line.decode("latin-1").rstrip("\r\n") for line in islice(file, LOOKED_AT)]
    lines = lines[: -1 if len(lines) == LOOKED_AT else None]
    full = [line for line in lines if line.strip() and not line.startswith(("#", "-DOCSTART-"))]
    tabs = any("\t" in line for line in full)
    rows = [line.split("\t") if tabs else line.split() for line in full]
    [(width, count)] = Counter(map(len, rows)).most_common(1) or [(0, 0)]
    of_spans = width > 1 and _of_spans(row[-1] for row in rows if len(row) == width)
    odd = max(len(full) // MOST_ODD, of_spans) if width > 1 else 0
    even = len(full) - count <= odd and least <= width <= MOST_CELLS
    blank = sum(not line.strip() for line in lines)
    parted = 0 < blank < len(full) and len(full) > 2 * blank
    return even and (of_spans or (parted and not _labels_first(rows, width, tabs=tabs)))


def _labels_first(lines: Sequence[Sequence[str]], width: int, *, tabs: bool) -> bool:
    """Tells whether lines begin with a label and go on with a text, as a word and its tag never do.

    There are fewer tags than words, and fewer labels than last words of texts.
    """
    firsts, lasts = ({cells[place] for cells in lines} for place in (0, -1))
    return (width == 2 or not tabs) and 2 * len(firsts) <= len(lasts)


def _of_spans(tags: Iterable[str]) -> bool:
    """Tells whether all of these are tags of spans, and one of them begins a span of some type."""
    known = {tag.strip() for tag in tags}
    return all(map(_SPAN_TAG.fullmatch, known)) and known != {OUTSIDE}


def read_tagged(path: Path, reading: Reading, *, labelled: bool = True) -> tuple[list[TaggedSentence], list[str]]:
    """Returns the sentences of one file, CoNLL-U or columns, and what is worth saying; raises as their readers do."""
    reader = read_conllu if is_conllu(path, reading.encoding) else read_columns
    return reader(path, reading, labelled=labelled)


def is_conllu(path: Path, encoding: str) -> bool:
    """Tells whether a file is CoNLL-U: by its name, or by a first word with a number and ten columns parted by tabs."""
    if path.suffix.lower() in CONLLU:
        return True
    lines = read_text(path, encoding).splitlines()
    cells = next((line for line in lines if line.strip() and not line.startswith("#")), "").split("\t")
    return len(cells) == len(COLUMNS) and re.fullmatch(r"1(-[0-9]+)?|0\.1", cells[0]) is not None


def tagged_files(path: Path, *, alone: bool = False) -> dict[str, Path]:
    """Returns the files of a data set by part, in order; none where a folder has no such files.

    Raises DataError for two files of one part, and for a folder of several data sets.
    """
    if not path.is_dir():
        stem, part = part_of(path)
        if part is None or alone or not path.exists():
            return {part or "train": path}
        kin = [each for each in candidates(path.parent) if part_of(each)[0] == stem and _suffix(each) == _suffix(path)]
        return by_part([each for each in kin if part_of(each)[1]])
    files = candidates(path)
    if not files:
        return text_files.files_in_part_folders(path, _may_hold)
    parted = [each for each in files if part_of(each)[1]]
    stems = sorted({part_of(each)[0] for each in parted})
    if len(stems) > 1 or (not parted and len(files) > 1):
        raise DataError(
            f"{path} holds several sets of sentences; name one file of them, e.g. "
            f"{', '.join(str(each) for each in (parted or files)[:4])}"
        )
    return by_part(parted or files)


def part_of(path: Path) -> tuple[str, str | None]:
    """Returns a file's name without its part and suffix, and the part that it names, or None."""
    name = path.name.removesuffix(_suffix(path))
    words = re.split(r"[._ -]|(?<=[0-9])(?=[a-z])", name)
    places = [place for place, word in enumerate(words) if word.lower() in _PARTS]
    if not places:
        return name, None
    return ".".join(word for place, word in enumerate(words) if place != places[-1]), _PARTS[words[places[-1]].lower()]


def _suffix(path: Path) -> str:
    """Returns the suffix where it tells the format: that of ``eng.testa`` tells the part."""
    return path.suffix if path.suffix.lower() in SUFFIXES else ""


def candidates(folder: Path) -> list[Path]:
    """Returns the files of a folder that may hold sentences, by their names, sorted."""
    return [path for path in sorted(folder.iterdir()) if _may_hold(path)]


def _may_hold(path: Path) -> bool:
    if not path.is_file() or is_ignored(path.name) or any(word in path.name.lower() for word in _NO_DATA):
        return False
    last = re.split(r"[._ -]", path.name)[-1].lower()
    return path.suffix.lower() in SUFFIXES or last in _PARTS


def by_part(files: Sequence[Path]) -> dict[str, Path]:
    """Returns the files by the part that each names, in the parts' order; raises DataError for two of one part."""
    found = text_files.by_part(files, part_of)
    return {part: found[part] for part in PARTS if part in found}
