"""The labelled samples that come with the page: those of DATA, their labels in the model's order where it has them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neocog.core.contract import ModelContract
from neocog.core.errors import UsageError
from neocog.data.dataset import DataSet, Part
from neocog.data.open import open_pictures
from neocog.data.scan import scan
from neocog.data.text_open import open_texts
from neocog.data.text_rows import Reading
from neocog.tasks.tested_part import choose_part, training_split
from neocog.tasks.text_classification import NAME as TEXTS


@dataclass(frozen=True)
class Samples:
    """Some labelled samples; ``labels`` are the data's ``classes``, whether or not the model knows them."""

    part: Part[Any]
    classes: tuple[str, ...]
    statement: str

    def __len__(self) -> int:
        return len(self.part)

    def label(self, index: int) -> str:
        """Returns the name of a sample's class."""
        return self.classes[self.part.labels[index]]

    def read(self, index: int) -> Any:
        """Returns a sample as stored.

        Raises UsageError for an index that is not there, UnreadableInput for a sample that cannot be read.
        """
        if not 0 <= index < len(self):
            raise UsageError(f"samples are numbered 0 to {len(self) - 1}; got {index}.")
        return self.part.items.read(index)


def open_samples(
    contract: ModelContract,
    source: str | Path,
    *,
    root: str | Path | None = None,
    reading: Reading = Reading(),  # noqa: B008 - frozen
) -> Samples:
    """Returns what the model was not trained on where its file tells, else what `neocog test` would test on.

    ``root`` is where a known set of pictures lies, ``reading`` how files of texts are read.

    Raises DataError for data that cannot be read.
    """
    texts = contract.task == TEXTS
    stored: DataSet[Any]
    if texts:
        stored = open_texts(source, reading=reading, for_training=False)
    else:
        stored = open_pictures(source, root=root, for_training=False)
    split = None if "test" in stored.parts else training_split(contract, stored, _as_it_is if texts else _readable)
    seed = contract.training["split_seed"] if split else 0
    tested = choose_part(stored, None, split_seed=seed, trained_here=split is not None)
    return Samples(tested.part, stored.classes, tested.statement)


def _readable(data: DataSet[Any]) -> DataSet[Any]:
    return scan(data, max_bad=1.0)[0]


def _as_it_is(data: DataSet[Any]) -> DataSet[Any]:
    return data
