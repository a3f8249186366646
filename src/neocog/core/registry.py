"""The record of a network: what the zoo's table, the conformance tests, the documentation and the web menu read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from torch import nn

from neocog.core.errors import NetworkError, near_names
from neocog.core.imagenet_weights import weights_for
from neocog.core.pretrained import Weights

__all__ = ["Errors", "Record", "TextInput", "Weights", "find", "network", "records"]

Builder = TypeVar("Builder", bound=Callable[..., nn.Module])


class Errors(NamedTuple):
    """Published ImageNet (or stated) validation errors in percent, and who measured them how."""

    top1: float | None
    top5: float | None
    source: str


class TextInput(NamedTuple):
    """How a network takes texts: ``unit`` is words, characters, relations (sentences with two entities) or bags.

    ``margin`` are the zeros before and after each text; ``length`` the tokens that it takes, 0 for as many as there
    are; ``backward`` whether the last comes first; ``alphabet`` the characters that it knows; ``reach`` the largest
    distance to an entity that it tells from larger ones.
    """

    unit: str = "words"
    margin: tuple[int, int] = (0, 0)
    length: int = 0
    backward: bool = False
    alphabet: str = ""
    reach: int = 0


@dataclass(frozen=True)
class Record:
    """One network: where it comes from, what it takes, and the oracle of its size.

    ``input`` is the published input shape without the batch; ``classes`` the published number of outputs;
    ``params`` and ``macs`` are exact counts at that input (multiply-accumulates of convolutions and dense layers).
    ``renames`` translates other libraries' module names into ours, by library: prefix to prefix, in whole dotted parts.
    ``weights`` are those given, else what is known to be downloadable.
    ``aliases`` are the names that other libraries know the same network by. ``counts_auxiliary`` says that ``macs``
    counts auxiliary heads too, which run in training only. ``text`` says how texts are given to a network over tokens,
    whose ``input`` is (different tokens, length); of relations (different tokens, length, 3), of bags (different
    tokens, sentences, length, 3).
    """

    name: str
    build: Callable[..., nn.Module]
    paper: str
    year: int
    task: str
    input: tuple[int, ...]
    classes: int
    params: int
    macs: int
    errors: Errors | None = None
    weights: tuple[Weights, ...] = field(default=())
    deviations: str = "none"
    renames: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    counts_auxiliary: bool = False
    text: TextInput | None = None

    @property
    def summary(self) -> str:
        """The first line of the builder's docstring."""
        return (self.build.__doc__ or "").strip().split("\n")[0]


_RECORDS: dict[str, Record] = {}


def network(
    *,
    paper: str,
    year: int,
    task: str,
    input: tuple[int, ...],
    params: int,
    macs: int,
    classes: int = 1000,
    errors: Errors | None = None,
    weights: tuple[Weights, ...] = (),
    deviations: str = "none",
    renames: Mapping[str, Mapping[str, str]] | None = None,
    aliases: tuple[str, ...] = (),
    counts_auxiliary: bool = False,
    text: TextInput | None = None,
) -> Callable[[Builder], Builder]:
    """Records a builder ``f(classes=..., channels=...) -> nn.Module`` under its function's name."""

    def record(build: Builder) -> Builder:
        name = build.__name__
        if name in _RECORDS and _RECORDS[name].build.__module__ != build.__module__:
            raise NetworkError(
                f"two networks are called {name!r}: in {_RECORDS[name].build.__module__} and {build.__module__}"
            )
        _RECORDS[name] = Record(
            name=name,
            build=build,
            paper=paper,
            year=year,
            task=task,
            input=input,
            classes=classes,
            params=params,
            macs=macs,
            errors=errors,
            weights=weights or weights_for(name, renames or {}),
            deviations=deviations,
            renames=renames or {},
            aliases=aliases,
            counts_auxiliary=counts_auxiliary,
            text=text,
        )
        return build

    return record


def records() -> tuple[Record, ...]:
    """Returns the records registered so far, by year and name; `neocog.architectures.records` loads them all first."""
    return tuple(sorted(_RECORDS.values(), key=lambda record: (record.year, record.name)))


def find(name: str) -> Record:
    """Returns the record of a registered network, by its name or by an alias.

    Raises NetworkError, with near names, when there is none.
    """
    if name in _RECORDS:
        return _RECORDS[name]
    others = {alias: record for record in _RECORDS.values() for alias in record.aliases}
    if name not in others:
        near = near_names(name, [*_RECORDS, *others])
        raise NetworkError(f"no network is called {name!r}.{near} `neocog zoo` lists all {len(_RECORDS)}.")
    return others[name]
