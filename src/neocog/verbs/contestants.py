"""Who takes part in a race, and the one protocol that all are trained under."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch

from neocog.architectures import create, record, records
from neocog.core.errors import NetworkError, UsageError
from neocog.core.inputs import check_input
from neocog.core.layers import count_macs, count_parameters
from neocog.core.recipe import Augmentation, Recipe
from neocog.core.registry import Record
from neocog.tasks import deciding
from neocog.tasks.choice import SMALL
from neocog.tasks.image_kind import ImageClassificationKind
from neocog.tasks.options import apply_to_recipe, make_options

# A network fits when it was made for pictures of about that size, takes them, and costs there what a CPU trains in
# minutes: so many parameters, and multiply-accumulates for a picture of 32x32, or as many more as there are pixels.
MOST_PARAMS, MOST_MACS = 15_000_000, 120_000_000
LARGEST_SIDE = 224


@dataclass(frozen=True)
class Contest:
    """What a race needs to know: the networks, what `neocog.train` is told of each, and the protocol in words.

    ``years`` holds the year of those that have one; ``lines`` say what the data are.
    """

    data: str | Path
    networks: tuple[str, ...]
    years: Mapping[str, int]
    options: Mapping[str, Any]
    protocol: Mapping[str, Any]
    lines: tuple[str, ...]


def contest(data: str | Path, names: tuple[str, ...] | None, asked: dict[str, Any]) -> Contest:
    """Returns who takes part, those that fit the pictures unless ``names`` are given, and how they are trained.

    ``asked`` are options of `neocog.train` that hold for all.

    Raises NetworkError for an unknown network, UsageError for a recipe that differs from network to network and for
    a race without networks, DataError for the data.
    """
    if asked.get("recipe") == "paper":
        raise UsageError("a race has one recipe for all networks; --recipe paper has another for each.")
    known = {name: record(name) for name in names or () if ":" not in name}
    kind = ImageClassificationKind()
    read = kind.read(make_options(data, asked))
    deciding.refuse_one_class(read)
    look = kind.look(read)
    side = asked.get("size") or (max(32, look.short_side) if look.short_side <= SMALL else LARGEST_SIDE)
    options = {**asked, "size": side, "transfer": "none"}
    chosen = make_options(data, options)
    channels = 1 if look.grey else 3
    networks = names or tuple(each.name for each in records() if _fits(each, channels, side))
    if not networks:
        raise UsageError(f"no network fits {channels}x{side}x{side}; name some with --nets.")
    any_record = next(iter(known.values()), records()[0])
    recipe = apply_to_recipe(kind.recipe(chosen.recipe, any_record, read, pretrained=False), chosen)
    numbers = kind.preprocessing(read, any_record, None, chosen)
    protocol = {
        "data": read.source,
        "fingerprint": deciding.fingerprint(read),
        "pictures": {name: len(part) for name, part in read.parts.items()},
        "classes": len(read.classes),
        "split seed": chosen.split_seed,
        "input": kind.describe_input(read, numbers).removeprefix("input "),
        "weights": "none, every network from scratch",
        **_in_words(recipe),
        "minutes a network": asked.get("minutes"),
    }
    years = {name: record(name).year for name in networks if ":" not in name}
    return Contest(data, tuple(networks), years, options, protocol, kind.describe(read))


def _in_words(recipe: Recipe) -> dict[str, Any]:
    """Returns what the recipe does, without what it leaves at nothing."""
    plain = {
        field.name: getattr(recipe, field.name)
        for field in fields(recipe)
        if field.name in _ALWAYS or getattr(recipe, field.name) != field.default
    }
    plain.pop("augmentation", None)
    changed = {
        name: value for name, value in asdict(recipe.augmentation).items() if value != getattr(Augmentation(), name)
    }
    plain["augmentation"] = ", ".join(f"{name} {value}" for name, value in changed.items()) or "none"
    names = {"name": "recipe"}
    return {names.get(name, name).replace("_", " "): value for name, value in plain.items() if name != "source"}


_ALWAYS = ("epochs", "batch_size", "optimiser", "learning_rate", "schedule")


def _fits(each: Record, channels: int, side: int) -> bool:
    """Returns whether a network is for pictures of about that size, takes them, and is small enough there."""
    published = each.input[-1]
    if each.task != ImageClassificationKind.name or not side / 2 <= published <= 2 * side:
        return False
    most = MOST_MACS * (side / 32) ** 2
    if each.params > 4 * MOST_PARAMS or each.macs * (side / published) ** 2 > 2 * most:
        return False  # without building it: far too large
    size: dict[str, Any] = {"size": side} if "size" in inspect.signature(each.build).parameters else {}
    try:
        with torch.device("meta"):
            network = create(each.name, channels=channels, **size)
        shape = (channels, side, side)
        check_input(network, shape, name=each.name)
        return count_parameters(network) <= MOST_PARAMS and count_macs(network, shape) <= most
    except NetworkError:
        return False
