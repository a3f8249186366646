"""``test``: a model measured on labelled data, with everything that follows from its answers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from neocog.core.contract import ModelContract
from neocog.core.errors import DataError
from neocog.data.dataset import DataSet
from neocog.tasks import kinds
from neocog.tasks.kinds import Kind
from neocog.tasks.model import Model, load
from neocog.tasks.options import TrainOptions
from neocog.tasks.result import Occasion, Result
from neocog.tasks.tested_part import Tested, called_alike, choose_part, seen_in_training, training_split


def test(
    model: str | Path | Model,
    data: str | Path,
    *,
    root: str | Path | None = None,
    part: str | None = None,
    split_seed: int | None = None,
    exclude: str | Path | Iterable[str] | None = None,
    batch: int | None = None,
    workers: int | None = None,
    device: str | None = None,
    net: str | None = None,
    encoding: str | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    trees: str | None = None,
    out: str | Path | None = None,
) -> Result:
    """Returns what the model answers for labelled data, with metrics, mistakes, and what could not be read.

    ``model`` is a model file or a loaded model; ``data``, ``root`` and ``exclude`` are as for `neocog.train`. Without
    ``part`` it is the test part where there is one, also one that was kept aside when the model was trained on these
    data; else all of data without parts, else val; ``"all"`` is everything. A part that is not stored is made as
    ``train`` makes it, with ``split_seed`` (the model's own unless given). ``out`` is a new folder for the report and
    tables. ``net`` is the ``module:function`` of a network of your own, whose code then runs. ``encoding``,
    ``text_column``, ``label_column`` and ``trees`` say how texts are read.

    Raises ModelFileError for a bad model file; DataError for data that cannot be read, hold a class that the
    model does not know, or hold no readable sample; ResourceError where ``out`` cannot be written.
    """
    from neocog.tasks import test_folder  # draws: matplotlib

    if out is not None:
        test_folder.refuse(Path(out))
    loaded = model if isinstance(model, Model) else load(model, device, net=net, fold=True)
    options = TrainOptions(
        data=str(data),
        task=loaded.contract.task,
        root=None if root is None else str(root),
        encoding=encoding,
        text_column=text_column,
        label_column=label_column,
        trees=trees,
    )
    kind = kinds.find(options)
    stored = kind.stored(options, str(exclude) if isinstance(exclude, Path) else exclude)
    tested, warnings = _tested(loaded.contract, kind, stored, part, split_seed)
    occasion = Occasion(stored.source, tested.name, tested.statement, warnings)
    result = kind.measure(loaded, stored, tested.part, occasion, batch_size=batch, workers=workers)
    if not result.samples:
        reason = result.refused[0].reason
        raise DataError(
            f"{tested.statement}: none of {len(tested.part):,} {kind.what(stored)} could be read; {reason}."
        )
    if out is not None:
        test_folder.write(Path(out), kind, result, tested.part)
    return result


def _tested(
    contract: ModelContract, kind: Kind, stored: DataSet[Any], part: str | None, split_seed: int | None
) -> tuple[Tested, tuple[str, ...]]:
    """Returns what to test on, and a warning where the model was trained on it as far as its file tells."""
    if (part or "test") in stored.parts and part != "train":  # kept apart by the data themselves
        return choose_part(stored, part, split_seed=0, trained_here=False), ()
    split = training_split(contract, stored, kind.readable)
    if split is not None and contract.training.get("fold") and part != "all":
        stored, part = split, part or "test"  # the folds as they were in training
    if split_seed is None:
        split_seed = contract.training["split_seed"] if split else 0
    tested = choose_part(stored, part, split_seed=split_seed, trained_here=split is not None)
    if split is None and called_alike(contract, stored):
        doubt = f"the model was trained on data called {Path(stored.source).name} that are not quite these"
        return tested, (f"{doubt} (changed since, or with --exclude): the figures may be too good.",)
    seen = seen_in_training(split, tested.part) if split else 0
    if not seen:
        return tested, ()
    warning = (
        f"the model was trained on {seen:,} of these {len(tested.part):,} {kind.what(stored)}: the figures are too good"
    )
    return tested, (f"{warning}; --part test measures those that were kept aside.",)
