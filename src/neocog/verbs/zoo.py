"""``neocog.zoo``: the networks and what is known of them; one network layer by layer; a race between them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from neocog.core.errors import UsageError, near_names
from neocog.verbs.anatomy import Anatomy, anatomy
from neocog.verbs.catalogue import Entry, listed

if TYPE_CHECKING:
    from neocog.verbs.race import Race


@overload
def zoo(name: None = None, *, race: None = None, **options: Any) -> tuple[Entry, ...]: ...


@overload
def zoo(name: str, *, race: None = None, **options: Any) -> Anatomy: ...


@overload
def zoo(name: None = None, *, race: str | Path, **options: Any) -> Race: ...


@overload
def zoo(
    name: str | None = None, *, race: str | Path | None = None, **options: Any
) -> tuple[Entry, ...] | Anatomy | Race: ...


def zoo(
    name: str | None = None, *, race: str | Path | None = None, **options: Any
) -> tuple[Entry, ...] | Anatomy | Race:
    """Lists the networks, shows one layer by layer, or trains several under one protocol.

    Without a name, the networks of a ``task`` (in full or its first word), with ``like`` in their name (a word, or a
    pattern such as ``"resnet*_v2"``), with at most ``max_params`` parameters and ``max_macs`` multiply-accumulates (a
    number, or text such as ``"5M"``), of a ``year`` (``2015``, or ``"2012-2016"``), sorted by ``sort`` (year, name,
    params, macs, top1_error, top5_error), the largest first with ``reverse``; ``picture`` is an .svg or .png file to
    draw accuracy against cost in.

    With a name, or ``"module:function"`` for a network of your own, its layers for an ``input`` such as
    ``"3x160x160"`` or ``(3, 160, 160)``, the published one unless given, and ``classes`` outputs; the memory for a
    ``batch`` (32) in ``precision`` (fp32, bf16, fp16); ``auxiliary`` heads, which run in training only, where they
    count or are asked for; ``svg`` is a file to draw the network in.

    With ``race``, the data for `neocog.verbs.race.race_networks`, whose options the others are then.

    Raises NetworkError for an unknown network and an input that it cannot take; UsageError for the rest.
    """
    if race is not None:
        if name is not None:
            raise UsageError(f"a race is between networks: give them as --nets {name},OTHER and leave the name out.")
        _refuse_unknown(options)
        from neocog.verbs.race import race_networks  # all of training; a list needs none of it

        return race_networks(race, **options)
    form = _FORMS[name is not None]
    _refuse_others(options, form, name)
    if name is None:
        return listed(**options)
    return anatomy(name, **options)


_FORMS: dict[bool, Callable[..., Any]] = {False: listed, True: anatomy}
# The options of a race, of which nothing else is needed to list networks.
RACING = ("nets", "epochs", "minutes", "seeds", "samples", "size", "recipe", "root", "out", "quiet")


def _refuse_others(options: dict[str, Any], form: Callable[..., Any], name: str | None) -> None:
    """Raises UsageError for options that belong to another form of the verb, or to none."""
    own, other = (_options_of(each) for each in (form, _FORMS[form is listed]))
    for option in options:
        if option in own:
            continue
        flag = f"--{option.replace('_', '-')}"
        if option in RACING:
            raise UsageError(f"{flag} goes with a race: `neocog zoo --race DATA`.")
        if option not in other:
            raise UsageError(f"zoo has no option {option!r}.{near_names(option, [*own, *other, *RACING])}")
        if name is None:
            raise UsageError(f"{flag} goes with one network: `neocog zoo NAME {flag}`.")
        raise UsageError(f"{flag} goes with the list; leave it out to see {name}, or leave the name out.")


def _refuse_unknown(options: dict[str, Any]) -> None:
    for option in options:
        if option not in RACING:
            raise UsageError(f"--{option.replace('_', '-')} does not go with a race.{near_names(option, RACING)}")


def _options_of(form: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(form).parameters
    return {name: each for name, each in parameters.items() if each.kind is each.KEYWORD_ONLY}


def _signature() -> inspect.Signature:
    """Returns the verb's whole signature, with the options of all its forms, for help and completion."""
    own = inspect.signature(zoo).parameters
    racing = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in RACING]
    forms = (option for form in _FORMS.values() for option in _options_of(form).values())
    return inspect.Signature([own["name"], *forms, own["race"], *racing])


zoo.__signature__ = _signature()  # type: ignore[attr-defined]
