"""Which samples a model is tested on: the part, said in words, with labels in the model's order of classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from neocog.core.contract import ModelContract
from neocog.core.errors import DataError, UsageError, near_names
from neocog.data.dataset import PARTS, DataSet, Part
from neocog.data.folds import with_fold
from neocog.data.split import fewer, keep_aside


@dataclass(frozen=True)
class Tested:
    """The samples to test on: ``name`` is the part, or ``"all"``; ``statement`` says in words which they are."""

    name: str
    part: Part[Any]
    statement: str


def choose_part(data: DataSet[Any], part: str | None, *, split_seed: int, trained_here: bool) -> Tested:
    """Returns the part of that name; where the data have no such part, the one that ``train`` would keep aside.

    ``data`` are as stored, ``trained_here`` whether the model was trained on these very data. Without a name it is the
    test part where there is one, or where one was kept aside in training; else all of data without parts; else
    the val part.

    Raises UsageError for an unknown part, and for ``"all"`` of data that are stored in parts; DataError where the data
    are too few to keep a part aside.
    """
    name, undivided = part or _usual(data, trained_here), _is_undivided(data)
    if name == "all" and undivided:
        return Tested("all", data.parts["train"], f"all of {data.source}")
    if name in data.parts and not undivided:
        return Tested(name, data.parts[name], f"the {name} part of {data.source}")
    if name not in PARTS:
        allowed = ", ".join([*PARTS, "all"] if undivided else data.parts)
        raise UsageError(f"--part {name}: the parts of {data.source} are {allowed}; name one of them.")
    kept = keep_aside(data, seed=split_seed).parts[name]
    how = "`train`" if data.in_order else f"`train --split-seed {split_seed}`"
    return Tested(name, kept, f"the {name} part of {data.source} as {how} splits it")


def _usual(data: DataSet[Any], trained_here: bool) -> str:
    if "test" in data.parts or trained_here:
        return "test"
    return "all" if _is_undivided(data) else "val"


def _is_undivided(data: DataSet[Any]) -> bool:
    """Tells whether the data have no parts: readers put everything into ``train`` then."""
    return set(data.parts) == {"train"}


def in_model_order(data: DataSet[Any], part: Part[Any], classes: tuple[str, ...]) -> Part[Any]:
    """Returns the part with the model's class indices as labels: names are matched, never positions.

    A class of the model without samples is fine. Raises DataError for a sample of a class that the model lacks.
    """
    place = {name: index for index, name in enumerate(classes)}
    present = [data.classes[label] for label in dict.fromkeys(part.labels)]
    unknown = [name for name in sorted(present) if name not in place]
    if unknown:
        more = f" (and {len(unknown) - 1} more)" if len(unknown) > 1 else ""
        first = next(i for i, label in enumerate(part.labels) if data.classes[label] == unknown[0])
        raise DataError(
            f"{data.source}: the model does not know the class {unknown[0]!r}{more}, of {part.items.name(first)}; "
            f"it knows {_some(classes)}."
            f"{near_names(unknown[0], classes)}"
        )
    order = [place.get(name, -1) for name in data.classes]
    return Part(part.items, tuple(order[label] for label in part.labels))


def training_split(
    contract: ModelContract, data: DataSet[Any], readable: Callable[[DataSet[Any]], DataSet[Any]]
) -> DataSet[Any] | None:
    """Returns the data in the parts with which the model was trained, or None if it was trained on others.

    The model file tells by a fingerprint of names, labels and parts, and by the seed of the split. ``readable`` leaves
    out what training left out as unreadable.
    """
    seed, known = contract.training.get("split_seed"), contract.training.get("fingerprint")
    if not isinstance(seed, int) or not isinstance(known, str):
        return None
    from neocog.tasks.deciding import fingerprint  # with all of training behind it

    fold = contract.training.get("fold")
    try:
        whole = keep_aside(with_fold(data, *fold, seed=seed) if fold else data, seed=seed)
    except DataError:
        return None
    made = _as_trained(contract, whole, seed)
    if fingerprint(made) == known:
        return made
    if not called_alike(contract, data):
        return None
    rest = _as_trained(contract, readable(whole), seed)
    return rest if fingerprint(rest) == known else None


def called_alike(contract: ModelContract, data: DataSet[Any]) -> bool:
    """Tells whether the data have the name of those that the model was trained on."""
    return Path(str(contract.training.get("data"))).name == Path(data.source).name


def _as_trained(contract: ModelContract, whole: DataSet[Any], seed: int) -> DataSet[Any]:
    """Returns the data with as few training samples, and with the classes, as the model had."""
    samples = contract.training.get("samples")
    if isinstance(samples, int) and samples >= len(whole.classes):
        whole = fewer(whole, samples, seed=seed)
    if whole.parts["train"].labels:
        return whole
    return replace(whole, classes=contract.classes)  # tokens, and tags in the scheme that is learned, are its own


def seen_in_training(split: DataSet[Any], tested: Part[Any]) -> int:
    """Returns how many of the tested samples are in the train part of the split."""
    items = split.parts["train"].items
    trained = {items.name(index) for index in range(len(items))}
    return sum(tested.items.name(index) in trained for index in range(len(tested)))


def _some(classes: tuple[str, ...]) -> str:
    return ", ".join(classes[:8]) + (f", ... ({len(classes)} in all)" if len(classes) > 8 else "")
