"""One door for all labelled texts: looks at what the source is, reads it, checks it, and keeps parts aside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from neocog.core.errors import DataError, UsageError
from neocog.data.dataset import PARTS, DataSet, Part
from neocog.data.folds import with_fold
from neocog.data.labels import class_list, indexed
from neocog.data.open import checked, note_small
from neocog.data.split import keep_aside
from neocog.data.text_files import (
    PARTS_BY_NAME,
    described,
    family,
    files_in_part_folders,
    folder_family,
    name_in,
    named_family,
    part_of,
)
from neocog.data.text_folder import Sample, class_folders, read_class_folders
from neocog.data.text_items import TextItems
from neocog.data.text_rows import Reading, Row, read_rows
from neocog.data.text_trees import holds_trees, read_trees

EXPECTED = "a file of `label text` lines, a CSV, TSV or JSONL with text and label, trees, or a folder of class folders"
ASIDE = 0.1  # Kim 2014, section 3.1: a tenth of the training data is the dev set; ten folds leave a tenth to test on


def open_texts(
    source: str | Path,
    *,
    reading: Reading = Reading(),  # noqa: B008 - frozen
    split_seed: int = 0,
    exclude: str | Path | Iterable[str] | None = None,
    for_training: bool = True,
    fold: tuple[int, int] | None = None,
) -> DataSet[str]:
    """Reads labelled texts from whatever ``source`` is, in the files' order.

    Official parts are files called alike but for ``train``, ``dev`` (or ``val``) and ``test``, or a table's column.
    ``for_training`` asks for two classes, refuses empty texts, and adds the parts that are missing; without it the
    parts are as they are stored, and of a file that is a val or test part by its name only that part is read. ``fold``
    is the number of the fold that is to be the test part, and of how many.

    Raises DataError, with file and line, for what cannot be read and for a missing label.
    """
    dataset = read_texts(source, reading, whole=for_training, kin=for_training)
    dataset = checked(dataset, exclude, for_training=for_training)
    if not for_training:
        return dataset
    _refuse_empty(dataset)
    if fold is not None:
        dataset = with_fold(dataset, *fold, seed=split_seed)
    return keep_aside(note_small(dataset), seed=split_seed)


def read_texts(source: str | Path, reading: Reading, *, whole: bool, kin: bool) -> DataSet[str]:
    """Reads texts with the parts that are stored, whatever the texts and classes are.

    ``whole`` asks for a train part, and of trees for all that training learns, phrases too; without ``kin`` a file
    that is a val or test part by its name is read alone. Raises as `open_texts` does.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        files = folder_family(path) or files_in_part_folders(path)
        if not files and class_folders(path):
            _refuse_tree_options(path, reading)
            samples, notes = read_class_folders(path, reading)
            return _dataset(str(path), samples, notes)
    else:
        files = family(path) if path.exists() else named_family(path)
    if not files:
        raise DataError(f"{path}: there are no labelled texts; expected {EXPECTED}")
    alone = None if path.is_dir() else part_of(path)[1]
    if not kin and alone not in (None, "train") and path.exists():
        files = {str(alone): path}
    if "train" not in files and whole:
        raise DataError(f"{path}: no train part to learn from; found {described(files, path)}")
    if any(holds_trees(each) for each in files.values()):
        samples, notes = read_trees(files, reading, whole=whole)
        return _dataset(str(path), samples, [described(files, path), *notes])
    _refuse_tree_options(path, reading)
    return _read_files(path, files, reading)


def _refuse_tree_options(path: Path, reading: Reading) -> None:
    for option, value in (("--trees", reading.trees), ("--phrases", reading.phrases)):
        if value is not None:
            raise UsageError(f"{option}: {path} holds no trees; leave it out")


def _read_files(source: Path, files: Mapping[str, Path], reading: Reading) -> DataSet[str]:
    notes = [described(files, source)] if len(files) > 1 else []
    parts: dict[str, list[Sample]] = {}
    guesses: dict[str, tuple[Path, str]] = {}
    for part, path in files.items():
        rows, said = read_rows(path, reading)
        _refuse_other_columns(path, said, guesses)
        notes += [f"{name_in(path, source)}: {line}" for line in said]
        if not rows:
            raise DataError(f"{path} is empty; expected {EXPECTED}")
        _refuse_unlabelled(path, rows)
        told = len(files) == 1 and any(row.part for row in rows)
        for row in rows:
            own = _row_part(path, row) if told else part
            parts.setdefault(own, []).append((row.text, f"{name_in(path, source)}:{row.line}", row.label))
    return _dataset(str(source), {name: parts[name] for name in PARTS if name in parts}, notes)


def _refuse_other_columns(path: Path, said: list[str], guesses: dict[str, tuple[Path, str]]) -> None:
    """Raises DataError where a column was guessed that is not the one of the files before, which are in ``guesses``."""
    for line in said:
        first, before = guesses.setdefault(line.split()[0], (path, line))
        if before != line:
            raise DataError(
                f"{path}: {line.partition(' (')[0]} by a guess, and of {first.name} {before.partition(' (')[0]}; "
                "say --text-column and --label-column"
            )


def _row_part(path: Path, row: Row) -> str:
    own = PARTS_BY_NAME.get(row.part.lower())
    if own is None:
        raise DataError(f"{path}, line {row.line}: {row.part!r} names no part; expected train, val or test in each row")
    return own


def _dataset(source: str, parts: Mapping[str, list[Sample]], notes: list[str]) -> DataSet[str]:
    labels = {name: [label for _, _, label in samples] for name, samples in parts.items()}
    classes = class_list(label for each in labels.values() for label in each)
    numbers = indexed(labels, classes)
    read = {
        name: Part(TextItems([each[0] for each in samples], [each[1] for each in samples]), numbers[name])
        for name, samples in parts.items()
    }
    return DataSet(source, classes, read, tuple(notes), aside=ASIDE)


def _refuse_unlabelled(path: Path, rows: list[Row]) -> None:
    missing = [row.line for row in rows if not row.label]
    if missing:
        raise DataError(
            f"{path}, line {_some(missing)}: {len(missing)} of {len(rows)} rows have no label; complete them"
        )


def _refuse_empty(dataset: DataSet[str]) -> None:
    for part in dataset.parts.values():
        items = part.items
        assert isinstance(items, TextItems)
        empty = [items.name(index) for index, text in enumerate(items.texts) if not text.strip()]
        if empty:
            shown = ", ".join(empty[:10]) + (", ..." if len(empty) > 10 else "")
            raise DataError(
                f"{shown}: {len(empty)} of {len(items)} texts are empty; complete or remove them (or --exclude them)"
            )


def _some(lines: list[int]) -> str:
    return ", ".join(map(str, lines[:10])) + (", ..." if len(lines) > 10 else "")
