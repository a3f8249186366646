"""Data sets known by name: digits, mnist, fashion-mnist, cifar10."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from neocog.core.download import cache_folder, fetch
from neocog.core.errors import DataError
from neocog.data.cifar import ARCHIVE, find_cifar, read_cifar
from neocog.data.dataset import DataSet, Part
from neocog.data.decode import Picture
from neocog.data.idx import idx_files, read_idx_folder
from neocog.data.items import ArrayItems
from neocog.data.zipped import read_zip_parts, zip_parts

TEN_DIGITS = tuple(str(digit) for digit in range(10))
FASHION = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
MNIST_FILES = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
FASHION_FILES = {
    "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}
CIFAR_FILES = {ARCHIVE: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"}
FASHION_COMMIT = "b2617bb6d3ffa2e429640350f613e3291e10b141"


@dataclass(frozen=True)
class Known:
    """How a data set is found and fetched: ``folders`` it may lie in below a root, and where its files come from."""

    folders: tuple[str, ...]
    read: Callable[[Path], DataSet[Picture] | None]
    files: dict[str, str]
    bases: tuple[str, ...]


def _read_mnist(folder: Path) -> DataSet[Picture] | None:
    return read_idx_folder(folder, TEN_DIGITS) if set(idx_files(folder)) >= {"train", "test"} else None


def _read_fashion(folder: Path) -> DataSet[Picture] | None:
    return read_idx_folder(folder, FASHION) if set(idx_files(folder)) >= {"train", "test"} else None


def _read_cifar10(folder: Path) -> DataSet[Picture] | None:
    place = find_cifar(folder)
    if place is not None:
        return read_cifar(place)
    return read_zip_parts(folder) if set(zip_parts(folder)) >= {"train", "test"} else None


DOWNLOADED = {
    "mnist": Known(
        ("mnist", "MNIST", "MNIST/raw"),
        _read_mnist,
        MNIST_FILES,
        ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
    ),
    "fashion-mnist": Known(
        ("fashion-mnist", "fashion_mnist", "FashionMNIST", "FashionMNIST/raw"),
        _read_fashion,
        FASHION_FILES,
        (f"https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/{FASHION_COMMIT}/data/fashion/",),
    ),
    "cifar10": Known(
        ("cifar10", "cifar-10", "cifar_10", "CIFAR10", "cifar10_jpeg"),
        _read_cifar10,
        CIFAR_FILES,
        ("https://www.cs.toronto.edu/~kriz/",),
    ),
}
NAMES = ("digits", *DOWNLOADED)
ELSEWHERE = ", or name a folder that has them by --root or NEOCOG_DATA"


def read_known(name: str, root: str | Path | None = None) -> DataSet[Picture]:
    """Reads a known data set from ``root`` or ``NEOCOG_DATA`` where a copy lies there, else from the cache or fetched.

    Looked for in the root itself and in folders below it that are called like the set.
    Raises DataError for a root that is no folder, ResourceError where the set can neither be found nor fetched.
    """
    if name == "digits":
        return read_digits()
    known = DOWNLOADED[name]
    given = root or os.environ.get("NEOCOG_DATA")
    if given and not Path(given).is_dir():
        raise DataError(f"--root (or NEOCOG_DATA) is {given}, which is no folder; expected one that holds {name}")
    found = _look(known, Path(given)) if given else None
    cached = cache_folder() / name
    if found is None:
        found = known.read(cached) if cached.is_dir() else None
    if found is None:
        found = known.read(fetch(known.files, known.bases, cached, instead=ELSEWHERE))
    if found is None:
        raise DataError(f"{cached} holds no complete copy of {name}; remove it, and it is fetched again")
    return replace(found, notes=(*found.notes, f"read from {found.source}"), source=name)


def read_digits() -> DataSet[Picture]:
    """Returns the 1797 scanned digits of scikit-learn (Alpaydin and Kaynak 1998): 8 x 8, 17 greys scaled to 0..255."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    pictures = np.round(digits.images * (255 / 16)).astype(np.uint8)  # (1797, 8, 8)
    part = Part[Picture](ArrayItems(pictures, "digits"), tuple(digits.target.tolist()))
    return DataSet("digits", TEN_DIGITS, {"train": part})


def class_names(folder: Path) -> Sequence[str] | None:
    """Returns the names of the classes where a folder of idx files is called like a known set."""
    return FASHION if folder.resolve().name in DOWNLOADED["fashion-mnist"].folders else None


def _look(known: Known, root: Path) -> DataSet[Picture] | None:
    # The root itself counts only under the set's own name: MNIST and Fashion-MNIST have files of the same names.
    own = [root] if known.folders[0] not in ("mnist", "fashion-mnist") or root.resolve().name in known.folders else []
    places = [*own, *(root / folder for folder in known.folders)]
    return next((found for place in places if place.is_dir() and (found := known.read(place)) is not None), None)
