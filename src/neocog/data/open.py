"""One door for all labelled pictures: looks at what the source is, reads it, checks it, and keeps parts aside."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from neocog.core.errors import DataError, near_names
from neocog.data.arrays import read_npz
from neocog.data.cifar import find_cifar, read_cifar
from neocog.data.dataset import DataSet, Part
from neocog.data.decode import Picture
from neocog.data.exclude import leave_out, read_list
from neocog.data.folder import SUFFIXES, read_folder
from neocog.data.idx import idx_files, read_idx_folder
from neocog.data.known import NAMES, class_names, read_known
from neocog.data.split import keep_aside
from neocog.data.table import read_table
from neocog.data.zipped import read_zip, read_zip_parts, zip_parts

T = TypeVar("T")

FILE_READERS: dict[str, Callable[[Path], DataSet[Picture]]] = {
    ".csv": read_table,
    ".tsv": read_table,
    ".txt": read_table,
    ".npz": read_npz,
    ".zip": read_zip,
}
EXPECTED = f"a folder of class folders, a CSV or TSV of path and label, a .npz, a .zip, or one of {', '.join(NAMES)}"


def open_pictures(
    source: str | Path | None = None,
    *,
    root: str | Path | None = None,
    split_seed: int = 0,
    exclude: str | Path | Iterable[str] | None = None,
    for_training: bool = True,
) -> DataSet[Picture]:
    """Reads labelled pictures from whatever ``source`` is; without one, the digits of scikit-learn.

    ``root`` is where a known set lies; ``exclude`` a list file or names. ``for_training`` asks for two classes and adds
    the parts train, val and test that are missing; without it the parts are as they are stored, and one class will do.
    Raises DataError for what cannot be read, UsageError and ResourceError as the readers do.
    """
    dataset = read_source(source, root)
    dataset = checked(dataset, exclude, for_training=for_training)
    if not for_training:
        return dataset
    return keep_aside(note_small(dataset), seed=split_seed)


def read_source(source: str | Path | None, root: str | Path | None = None) -> DataSet[Picture]:
    """Reads a path by what it is, or a known set by its name; None is the digits, also beside a folder of that name.

    Raises DataError, with near names, where it is neither.
    """
    if source is None:
        return read_known("digits")
    path = Path(source).expanduser()
    if not path.exists():
        if str(source).lower() in NAMES:
            return read_known(str(source).lower(), root)
        raise DataError(f"{source} is neither a path nor a known set.{_near(path)} Expected {EXPECTED}.")
    if path.is_dir():
        return _read_directory(path)
    suffix = path.suffix.lower()
    if suffix in FILE_READERS:
        return FILE_READERS[suffix](path)
    if suffix in SUFFIXES:
        raise DataError(f"{path} is one picture; expected {EXPECTED}")
    raise DataError(f"{path} is a file of unknown kind; expected {EXPECTED}")


def without_empty(dataset: DataSet[T]) -> DataSet[T]:
    """Returns the data set without empty parts and without classes that have no sample in any part.

    Raises DataError where nothing is left.
    """
    parts = {name: part for name, part in dataset.parts.items() if len(part)}
    if parts and not any(part.labels for part in parts.values()):
        return replace(dataset, parts=parts)
    used = sorted({label for part in parts.values() for label in part.labels})
    if not used:
        raise DataError(f"no samples and so no classes are left of {dataset.source}")
    if len(used) == len(dataset.classes):
        return replace(dataset, parts=parts)
    place = {label: index for index, label in enumerate(used)}
    gone = [name for label, name in enumerate(dataset.classes) if label not in place]
    return replace(
        dataset,
        classes=tuple(dataset.classes[label] for label in used),
        parts={name: Part(part.items, tuple(place[label] for label in part.labels)) for name, part in parts.items()},
        notes=(*dataset.notes, f"classes without samples: {', '.join(gone)}"),
    )


def checked(dataset: DataSet[T], exclude: str | Path | Iterable[str] | None, *, for_training: bool) -> DataSet[T]:
    """Returns what is left of a data set without the excluded samples (a list file or names) and the empty classes.

    Raises DataError for class names that are alike, and for training on one class.
    """
    if exclude is not None:
        names = read_list(Path(exclude)) if isinstance(exclude, (str, Path)) else exclude
        dataset = leave_out(dataset, names)
    dataset = without_empty(dataset)
    refuse_alike(dataset)
    if for_training and len(dataset.classes) < 2:
        raise DataError(f"{dataset.source} has one class only ({dataset.classes[0]}); telling apart takes two or more")
    return dataset


def refuse_alike(dataset: DataSet[T]) -> None:
    """Raises DataError for class names that are equal but for case or surrounding space."""
    first: dict[str, str] = {}
    for name in dataset.classes:
        other = first.setdefault(name.strip().casefold(), name)
        if other != name:
            raise DataError(
                f"{dataset.source}: the classes {other!r} and {name!r} are equal but for case or spaces; "
                "join or rename them"
            )


def note_small(dataset: DataSet[T]) -> DataSet[T]:
    """Notes classes that have one sample in all, and classes that training never sees."""
    if not any(part.labels for part in dataset.parts.values()):
        return dataset
    labels = [label for part in dataset.parts.values() for label in part.labels]
    single = [name for label, name in enumerate(dataset.classes) if labels.count(label) == 1]
    seen = set(dataset.parts["train"].labels) if "train" in dataset.parts else set()
    unseen = [name for label, name in enumerate(dataset.classes) if seen and label not in seen]
    notes = list(dataset.notes)
    if single:
        notes.append(f"classes of one sample, which is learned or tested but never both: {_some(single)}")
    if unseen:
        notes.append(f"classes without training samples, which can never be answered: {_some(unseen)}")
    return replace(dataset, notes=tuple(notes))


def _some(names: list[str]) -> str:
    return ", ".join(names[:20]) + (f", ... ({len(names):,} in all)" if len(names) > 20 else "")


def _read_directory(folder: Path) -> DataSet[Picture]:
    try:
        return _read_listed(folder)
    except OSError as error:
        raise DataError(f"{error.filename or folder} cannot be read: {error.strerror or error}") from error


def _read_listed(folder: Path) -> DataSet[Picture]:
    if not any(folder.iterdir()):
        raise DataError(f"{folder} is an empty folder; expected {EXPECTED}")
    if idx_files(folder):
        return read_idx_folder(folder, class_names(folder))
    cifar = find_cifar(folder)
    if cifar is not None:
        return read_cifar(cifar)
    if "train" in zip_parts(folder):
        return read_zip_parts(folder)
    return read_folder(folder)


def _near(path: Path) -> str:
    siblings = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, siblings, n=3)
    if close:
        return f" Did you mean {', '.join(str(path.parent / name) for name in close)}?"
    return near_names(path.name, NAMES) if len(path.parts) == 1 else ""
