"""Pictures in a NumPy ``.npz`` file."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from neocog.core.errors import DataError
from neocog.data.dataset import PARTS, DataSet, Part
from neocog.data.decode import Array, Picture
from neocog.data.folder import PART_FOLDERS
from neocog.data.items import ArrayItems
from neocog.data.labels import class_list, indexed, label_names

PICTURE_KEYS = ("x", "images", "image", "data", "inputs", "pictures", "arr_0")
LABEL_KEYS = ("y", "labels", "label", "targets", "target", "classes", "arr_1")
NAME_KEYS = ("class_names", "label_names", "names")


def read_npz(file: Path) -> DataSet[Picture]:
    """Reads arrays ``x`` and ``y`` (or ``images``/``labels``, ...), or ``x_train``, ``y_train``, ``x_test``, ...

    Pictures are (N, H, W), (N, H, W, 1|3) or (N, 1|3, H, W): uint8, other integers in 0 to 255, or floats in [0, 1].
    Labels are whole numbers or strings (N,) or (N, 1); ``class_names`` may name the numbers.
    Raises DataError for anything else, naming the keys and shapes that came.
    """
    arrays = _load(file)
    pairs = _pairs(arrays)
    if not pairs:
        have = ", ".join(f"{key} {value.shape}" for key, value in arrays.items()) or "nothing"
        raise DataError(f"{file} holds {have}; expected x and y, images and labels, or x_train and y_train")
    pictures, labels = {}, {}
    for part, (x, y) in pairs.items():
        pictures[part] = pictures_nhwc(arrays[x], f"{file}: {x}")
        labels[part] = label_names(arrays[y], f"{file}: {y}")
        if len(pictures[part]) != len(labels[part]):
            raise DataError(f"{file}: {len(pictures[part])} pictures in {x}, {len(labels[part])} labels in {y}")
    classes = class_list(name for names in labels.values() for name in names)
    numbers = indexed(labels, classes)
    return DataSet(
        str(file),
        _named(classes, arrays, file),
        {part: Part[Picture](ArrayItems(pictures[part], part), numbers[part]) for part in PARTS if part in pairs},
    )


def pictures_nhwc(array: Array, where: str) -> Array:
    """Returns pictures as uint8 (N, H, W) or (N, H, W, 1|3).

    Raises DataError for other shapes and for values out of range.
    """
    if array.ndim == 4 and array.shape[3] not in (1, 3) and array.shape[1] in (1, 3):
        array = array.transpose(0, 2, 3, 1)
    if array.ndim not in (3, 4) or (array.ndim == 4 and array.shape[3] not in (1, 3)) or 0 in array.shape[1:]:
        raise DataError(f"{where}: expected (N, H, W), (N, H, W, 1|3) or (N, 1|3, H, W), got {array.shape}")
    if array.dtype == np.uint8 or array.size == 0:
        return np.ascontiguousarray(array, dtype=np.uint8)
    if array.dtype.kind not in "iufb":
        raise DataError(f"{where}: expected numbers, got {array.dtype}")
    most = 1 if array.dtype.kind in "fb" else 255
    low, high = float(array.min()), float(array.max())
    if not (low >= 0 and high <= most):
        raise DataError(f"{where}: {array.dtype} values lie in [{low:g}, {high:g}], expected [0, {most}]; scale them")
    return np.round(array * (255 // most)).astype(np.uint8)


def _load(file: Path) -> dict[str, Array]:
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as stored:
            return {key: stored[key] for key in stored.files}
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, AttributeError, TypeError) as error:
        reason = "it holds Python objects, not numbers" if "pickle" in str(error).lower() else str(error).split("\n")[0]
        raise DataError(f"{file} cannot be read as .npz: {reason}; save it with numpy.savez(x=..., y=...)") from error


def _pairs(arrays: dict[str, Array]) -> dict[str, tuple[str, str]]:
    """Returns the keys of pictures and labels by part."""
    found: dict[str, dict[str, str]] = {}
    for key in arrays:
        words = key.lower().split("_")
        marked = [PART_FOLDERS[word] for word in words if word in PART_FOLDERS]
        rest = "_".join(word for word in words if word not in PART_FOLDERS)
        part = marked[0] if marked else "train"
        kind = "x" if rest in PICTURE_KEYS else "y" if rest in LABEL_KEYS else None
        if kind:
            found.setdefault(part, {}).setdefault(kind, key)
    return {part: (keys["x"], keys["y"]) for part, keys in found.items() if len(keys) == 2}


def _named(classes: tuple[str, ...], arrays: dict[str, Array], file: Path) -> tuple[str, ...]:
    """Replaces class numbers by the names that the file gives, which are in the order of the numbers."""
    key = next((key for key in NAME_KEYS if key in arrays), None)
    if key is None or not all(name.isdigit() for name in classes):
        return classes
    names = [str(name) for name in arrays[key].tolist()]
    if int(classes[-1]) >= len(names) or len(set(names)) < len(names):
        raise DataError(f"{file}: {key} has {len(names)} names for labels up to {classes[-1]}; expected one for each")
    return tuple(names[int(name)] for name in classes)
