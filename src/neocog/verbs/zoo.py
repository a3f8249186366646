"""``neocog.zoo``: the networks and what is known of them; one network layer by layer."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, overload

from neocog.architectures import create, networks, record, records
from neocog.core.errors import UsageError
from neocog.core.layers import LayerRow, layer_table
from neocog.core.registry import Record

Sort = Literal["year", "name", "params", "macs", "top1_error"]


@dataclass(frozen=True)
class Entry:
    """One network's line in the zoo.

    ``paper`` is an arXiv number, a DOI or a title; ``input`` the published input without the batch; ``params`` and
    ``macs`` are exact at that input; errors are in percent, as published or measured by ``error_source``; ``weights``
    names those that come with a dependency.
    """

    name: str
    year: int
    paper: str
    task: str
    params: int
    macs: int
    top1_error: float | None
    top5_error: float | None
    error_source: str
    input: tuple[int, ...]
    classes: int
    weights: tuple[str, ...]
    deviations: str
    summary: str


@dataclass(frozen=True)
class Anatomy:
    """One network layer by layer, for inputs of the shape ``input``; ``params`` and ``macs`` are the layers' sums."""

    entry: Entry
    input: tuple[int, ...]
    layers: tuple[LayerRow, ...]
    params: int
    macs: int


@overload
def zoo(
    name: None = None,
    *,
    task: str | None = None,
    max_params: int | str | None = None,
    year: int | str | None = None,
    sort: Sort = "year",
    input: None = None,
) -> tuple[Entry, ...]: ...


@overload
def zoo(name: str, *, input: str | Sequence[int] | None = None) -> Anatomy: ...


@overload
def zoo(
    name: str | None,
    *,
    task: str | None = None,
    max_params: int | str | None = None,
    year: int | str | None = None,
    sort: Sort = "year",
    input: str | Sequence[int] | None = None,
) -> tuple[Entry, ...] | Anatomy: ...


def zoo(
    name: str | None = None,
    *,
    task: str | None = None,
    max_params: int | str | None = None,
    year: int | str | None = None,
    sort: Sort = "year",
    input: str | Sequence[int] | None = None,
) -> tuple[Entry, ...] | Anatomy:
    """Lists the networks, or shows one layer by layer.

    Without a name: the networks of a ``task`` (in full or its first word), with at most ``max_params`` parameters (a
    number, or text such as ``"5M"``), of a ``year`` (``2015``, or ``"2012-2016"``), sorted by ``sort``. With a name:
    that network's layers for an ``input`` such as ``"3x160x160"`` or ``(3, 160, 160)``, the published one unless given.

    Raises NetworkError for an unknown network and an input that it cannot take; UsageError for the rest.
    """
    if name is None:
        if input is not None:
            raise UsageError("an input shape goes with one network: `neocog zoo NAME --input 3x160x160`.")
        return _listed(task, max_params, year, sort)
    if (task, max_params, year, sort) != (None, None, None, "year"):
        raise UsageError(f"filters and sorting go with the list; leave them out to see {name}, or leave the name out.")
    return _anatomy(record(name), input)


def _listed(task: str | None, max_params: int | str | None, year: int | str | None, sort: str) -> tuple[Entry, ...]:
    if sort not in _SORTS:
        raise UsageError(f"sort should be one of {', '.join(_SORTS)}; got {sort!r}.")
    chosen = set(networks(task))
    limit = None if max_params is None else count(max_params)
    first, last = years(year)
    entries = [
        _entry(each)
        for each in records()
        if each.name in chosen and (limit is None or each.params <= limit) and first <= each.year <= last
    ]
    return tuple(sorted(entries, key=_SORTS[sort]))


_SORTS: dict[str, Callable[[Entry], Any]] = {
    "year": lambda entry: (entry.year, entry.name),
    "name": lambda entry: entry.name,
    "params": lambda entry: (entry.params, entry.name),
    "macs": lambda entry: (entry.macs, entry.name),
    "top1_error": lambda entry: (entry.top1_error is None, entry.top1_error or 0.0, entry.name),
}


def _entry(each: Record) -> Entry:
    errors = each.errors
    return Entry(
        name=each.name,
        year=each.year,
        paper=each.paper,
        task=each.task,
        params=each.params,
        macs=each.macs,
        top1_error=errors.top1 if errors else None,
        top5_error=errors.top5 if errors else None,
        error_source=errors.source if errors else "",
        input=each.input,
        classes=each.classes,
        weights=tuple(weights.name for weights in each.weights),
        deviations=each.deviations,
        summary=each.summary,
    )


def _anatomy(each: Record, input: str | Sequence[int] | None) -> Anatomy:
    shape = each.input if input is None else parse_shape(input)
    options: dict[str, Any] = {}
    if shape != each.input and len(shape) == 3 and "size" in inspect.signature(each.build).parameters:
        if shape[1] != shape[2]:
            raise UsageError(f"{each.name} is built for square inputs, got {'x'.join(map(str, shape))}.")
        options["size"] = shape[1]
    layers = tuple(layer_table(create(each.name, channels=shape[0], **options), shape))
    return Anatomy(_entry(each), shape, layers, sum(row.params for row in layers), sum(row.macs for row in layers))


def count(value: int | str) -> int:
    """Returns the number that a person means by ``5M``, ``300k``, ``1.2G``, ``5,000,000`` or ``5000000``.

    Raises UsageError for anything else.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kmgb]?)", str(value).strip().lower().replace(",", "").replace("_", ""))
    if not found:
        raise UsageError(f"a number of parameters should be like 5M or 300k, got {value!r}.")
    return round(float(found[1]) * {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9}[found[2]])


def years(value: int | str | None) -> tuple[int, int]:
    """Returns the first and the last year that are meant by ``2015``, ``2012-2016``, ``2012-``, ``-2016`` or None.

    Raises UsageError for anything else.
    """
    text = "-" if value is None else str(value).replace(" ", "")
    found = re.fullmatch(r"(\d{4})?(-)?(\d{4})?", text)
    if not found or not text or (found[1] and found[3] and not found[2]):
        raise UsageError(f"a year should be like 2015, 2012-2016 or 2012-, got {value!r}.")
    first = int(found[1] or 0)
    return first, int(found[3] or 9999) if found[2] else first


def parse_shape(value: str | Sequence[int]) -> tuple[int, ...]:
    """Returns a shape given as ``"3x160x160"`` or as numbers.

    Raises UsageError when it is not made of whole numbers from 1.
    """
    parts = re.split(r"[x×,]", value.lower()) if isinstance(value, str) else list(value)
    if not parts or not all(str(part).strip().isdecimal() and int(part) > 0 for part in parts):
        raise UsageError(f"an input shape should be like 3x160x160 (channels, height, width), got {value!r}.")
    return tuple(int(part) for part in parts)
