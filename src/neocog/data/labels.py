"""Labels as they come (names or numbers) turned into class indices over one list of classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from neocog.core.errors import DataError
from neocog.data.decode import Array


def class_list(names: Iterable[str]) -> tuple[str, ...]:
    """Returns the class names in order: by Unicode code points, or by value where all are whole numbers."""
    unique = set(names)
    if unique and all(name.isascii() and name.isdigit() for name in unique):
        return tuple(sorted(unique, key=lambda name: (int(name), name)))
    return tuple(sorted(unique))


def label_names(labels: Array, where: str) -> list[str]:
    """Returns each label of an array (N,) or (N, 1) of integers or strings as its class's name.

    Raises DataError for floats that are not whole, for one-hot rows, and for missing labels.
    """
    flat = labels.reshape(-1) if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if flat.ndim != 1:
        raise DataError(f"{where}: expected one label a picture, shape (N,), got {labels.shape}; use class indices")
    if flat.dtype.kind in "US":
        names = [str(name) if flat.dtype.kind == "U" else name.decode() for name in flat.tolist()]
        missing = [index for index, name in enumerate(names) if not name.strip()]
        if missing:
            raise DataError(f"{where}: {len(missing)} labels are empty, the first at row {missing[0]}")
        return names
    if flat.dtype.kind == "f" and np.all(np.isfinite(flat)) and np.all(flat == np.round(flat)):
        flat = flat.astype(np.int64)
    if flat.dtype.kind not in "iub":
        raise DataError(f"{where}: expected whole numbers or names as labels, got {labels.dtype}")
    return [str(int(label)) for label in flat]


def indexed(labels: Mapping[str, Sequence[str]], classes: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Returns each part's labels as indices into ``classes``."""
    index = {name: place for place, name in enumerate(classes)}
    return {part: tuple(index[name] for name in names) for part, names in labels.items()}
