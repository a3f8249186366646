"""The networks as a list: one line each, filtered and sorted, and the picture that compares them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from neocog.architectures import networks, records
from neocog.core.errors import UsageError
from neocog.core.registry import Record
from neocog.report.comparison import Bubble, save_comparison

IMAGENET_CLASSES = 1000  # errors on other data do not compare with ImageNet's
Sort = Literal["year", "name", "params", "macs", "top1_error", "top5_error"]


@dataclass(frozen=True)
class Entry:
    """One network's line in the zoo.

    ``paper`` is an arXiv number, a DOI or a title; ``input`` the published input without the batch; ``params`` and
    ``macs`` are exact at that input. Errors are in percent, as published or measured by ``error_source``, on ImageNet's
    validation part or, where ``classes`` is 10, on CIFAR-10's test part. ``weights`` names the trained weights that
    there are; ``family`` is the paper's file. ``year`` is None and ``paper`` empty for a network of your own.
    """

    name: str
    year: int | None
    paper: str
    task: str
    params: int
    macs: int
    top1_error: float | None
    top5_error: float | None
    error_source: str
    input: tuple[int, ...]
    classes: int | None
    weights: tuple[str, ...]
    deviations: str
    summary: str
    family: str
    aliases: tuple[str, ...]


def listed(
    *,
    task: str | None = None,
    like: str | None = None,
    max_params: int | str | None = None,
    max_macs: int | str | None = None,
    year: int | str | None = None,
    sort: Sort = "year",
    reverse: bool = False,
    picture: str | Path | None = None,
) -> tuple[Entry, ...]:
    """Returns the networks that pass all filters, as `neocog.zoo` explains them; draws them where asked to.

    Raises UsageError for what is not understood, and for a picture of networks without a published error.
    """
    if sort not in _SORTS:
        raise UsageError(f"sort should be one of {', '.join(_SORTS)}; got {sort!r}.")
    chosen = set(networks(task))
    first, last = years(year)
    most = [None if limit is None else count(limit) for limit in (max_params, max_macs)]
    entries = [
        entry_of(each)
        for each in records()
        if each.name in chosen
        and first <= each.year <= last
        and all(limit is None or size <= limit for size, limit in zip((each.params, each.macs), most, strict=True))
        and (like is None or any(_is_like(name, like) for name in (each.name, *each.aliases)))
    ]
    found = _sorted(entries, sort, reverse=reverse)
    if picture is not None:
        _draw(found, Path(picture))
    return found


def _sorted(entries: list[Entry], sort: str, *, reverse: bool) -> tuple[Entry, ...]:
    """Returns the entries in order; those that lack what is sorted by come last, either way."""
    known = [entry for entry in entries if getattr(entry, sort) is not None]
    ordered = sorted(sorted(known, key=lambda entry: entry.name), key=_SORTS[sort], reverse=reverse)
    return (*ordered, *sorted((entry for entry in entries if entry not in known), key=lambda entry: entry.name))


_SORTS: dict[str, Callable[[Entry], Any]] = {
    name: (lambda entry, name=name: getattr(entry, name))  # type: ignore[misc]
    for name in ("year", "name", "params", "macs", "top1_error", "top5_error")
}


def _is_like(name: str, wanted: str) -> bool:
    """Returns whether a name has the word in it, or matches the pattern where it is one."""
    wanted = wanted.lower()
    return fnmatchcase(name.lower(), wanted if set("*?[") & set(wanted) else f"*{wanted}*")


def _draw(entries: tuple[Entry, ...], path: Path) -> None:
    bubbles = [
        Bubble(entry.name, re.sub(r"_v\d$", "", entry.family), entry.macs, 100 - entry.top1_error, entry.params)
        for entry in entries
        if entry.top1_error is not None and entry.classes == IMAGENET_CLASSES
    ]
    if not bubbles:
        raise UsageError("none of these networks has a published top-1 error on ImageNet, so there is nothing to draw.")
    save_comparison(bubbles, path, left_out=len(entries) - len(bubbles))


def entry_of(each: Record) -> Entry:
    """Returns a record's line."""
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
        family=each.build.__module__.rpartition(".")[2],
        aliases=each.aliases,
    )


def count(value: int | str) -> int:
    """Returns the number that a person means by ``5M``, ``300k``, ``1.2G``, ``5,000,000`` or ``5000000``.

    Raises UsageError for anything else.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgb]?)", str(value).strip().lower().replace(",", "").replace("_", ""))
    if not found:
        raise UsageError(f"a number of parameters or MACs should be like 5M or 300k, got {value!r}.")
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
    last = int(found[3] or 9999) if found[2] else first
    if last < first:
        raise UsageError(f"the years {value} end before they begin; did you mean {last}-{first}?")
    return first, last
