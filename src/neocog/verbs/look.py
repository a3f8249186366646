"""``look``: what a network sees in pictures, as maps, sheets and a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from neocog.core.errors import DataError, NeocogError, UnreadableInput, UsageError
from neocog.core.outputs import primary
from neocog.core.trace import find_layer
from neocog.tasks.model import Model
from neocog.verbs import look_folder
from neocog.verbs.inputs import Nothing, expand
from neocog.verbs.look_data import Reference, normalised
from neocog.verbs.look_figures import Seen, View, figures_of, filters_figure
from neocog.verbs.look_kinds import is_of_texts, refuse_other_tasks
from neocog.verbs.look_layers import layers_of
from neocog.verbs.look_methods import Method, chosen_methods
from neocog.verbs.look_result import Figure, Look, Looked
from neocog.verbs.look_text import look_texts
from neocog.verbs.look_text_result import TextLook
from neocog.verbs.look_wishes import class_of, refuse_none
from neocog.verbs.opening import open_model

ANSWERS = 5


def look(
    model: str | Path | Model,
    inputs: str | Path | Iterable[str | Path] = (),
    *,
    out: str | Path | None = None,
    method: str | Iterable[str] = (),
    layer: str | None = None,
    unit: int | str | Iterable[int] | None = None,
    target: str | int | None = None,
    top: int = 1,
    count: int = 16,
    trust: bool = True,
    data: str | Path | None = None,
    root: str | Path | None = None,
    samples: int = 2000,
    device: str | None = None,
    net: str | None = None,
    words: str | Iterable[str] = (),
    vectors: str | Path | None = None,
    encoding: str | None = None,
    text_column: str | None = None,
    word: str | int | Iterable[str | int] = (),
    say: Callable[[str], None] | None = None,
) -> Look | TextLook:
    """Returns what the network sees in pictures or texts: explanations of its answers, its maps, its filters.

    ``model`` is a model file, a loaded model, or a network of the zoo, with its ImageNet weights; ``inputs`` are what
    `neocog.verbs.inputs.expand` takes. ``out`` is a new folder for the sheets, ``look.json`` and ``report.html``.
    ``method`` names one or more of `neocog.verbs.look_methods.METHODS` or ``"all"``; a few telling ones unless told.
    ``layer`` is a dotted name as `neocog zoo` prints it, ``unit`` a channel or (channel, row, column), also as
    ``"7"`` or ``"7,3,4"``; methods find theirs. ``target`` is the class to explain, by name or number; the ``top`` most
    probable ones unless told. ``count`` is how many maps a sheet has. ``trust`` adds scores that say how far each map
    can be trusted. ``data``, with ``root``, are pictures to compare with, at most ``samples`` of them. ``net`` is the
    ``module:function`` of a network of your own, whose code then runs. ``say`` is told of each picture first.

    For a model of texts, tagged sentences or relations ``inputs`` are what `neocog.predict` takes, read by ``encoding``
    and ``text_column``, and the result is `neocog.verbs.look_text.look_texts`'s; ``words`` are those whose neighbours
    in the table of word vectors are asked for, before training too where ``vectors`` names the file that it began with.
    Of a tagged sentence ``word`` are the words whose tags are explained, or their numbers from 1 on; some telling ones
    unless told, with ``target`` those that have this tag.

    A picture that cannot be read, and a method that this network refuses, have the reason in their place.

    Raises UsageError for options that cannot be followed and inputs that lead to no file, DataError where there is
    nothing to show, NetworkError for an unknown layer, ModelFileError and ResourceError as reading and writing do.
    """
    if is_of_texts(model):
        asked: dict[str, Any] = {"method": method, "layer": layer, "target": target, "top": top, "count": count}
        asked |= {"unit": unit, "trust": trust, "data": data, "root": root, "samples": samples, "say": say}
        asked |= {"words": words, "vectors": vectors, "encoding": encoding, "text_column": text_column, "word": word}
        return look_texts(model, inputs, out=out, device=device, net=net, **asked)
    _refuse_of_texts(words=words, vectors=vectors, encoding=encoding, text_column=text_column, word=word)
    methods = _checked(out, method, top, count, samples, with_data=data is not None)
    place = _unit(unit)
    files = _files(inputs)
    opened = open_model(model, device, net=net)
    refuse_other_tasks(opened)
    if layer is not None:
        find_layer(opened.network, layer)
    wanted = None if target is None else class_of(target, opened.classes)
    view = View(
        network=opened.network,
        classes=opened.classes,
        layers=layers_of(opened.network, normalised(opened, _blank(opened))),
        layer=layer,
        unit=place,
        count=count,
        trust=trust,
        reference=None if data is None else Reference(opened, data, root=root, samples=samples),
    )
    pictures = []
    for name, path in files:
        if say is not None:
            say(name)
        pictures.append(_looked(opened, view, methods, name, path, wanted, top))
    alone = tuple(filters_figure(view, each) for each in methods if each.shows == "kernels")
    found = Look(_model_name(model, opened), opened.contract.network, opened.classes, tuple(pictures), alone)
    _refuse_nothing(found)
    return found if out is None else look_folder.write(Path(out), found)


def _refuse_of_texts(**options: Any) -> None:
    for name, value in options.items():
        if value:
            raise UsageError(f"--{name.replace('_', '-')} is for models of texts, and this one takes pictures.")


def _checked(
    out: str | Path | None, method: str | Iterable[str], top: int, count: int, samples: int, *, with_data: bool
) -> tuple[Method, ...]:
    """Refuses what can be refused before anything is read, and returns the methods."""
    if out is not None:
        look_folder.refuse(Path(out))
    refuse_none({"top": top, "count": count, "samples": samples})
    return chosen_methods([method] if isinstance(method, str) else method, with_data=with_data)


def _unit(unit: int | str | Iterable[int] | None) -> tuple[int, ...] | None:
    if unit is None:
        return None
    parts = unit.split(",") if isinstance(unit, str) else [unit] if isinstance(unit, int) else list(unit)
    if not parts or not all(str(part).strip().isdecimal() for part in parts):
        raise UsageError(f"a unit is a channel such as 7, or a channel and a place such as 7,3,4; got {unit!r}.")
    return tuple(int(part) for part in parts)


def _files(inputs: str | Path | Iterable[str | Path]) -> list[tuple[str, Path | UnreadableInput]]:
    named = [inputs] if isinstance(inputs, (str, Path)) else list(inputs)
    entries = list(expand(named))
    empty = [each for each in entries if isinstance(each, Nothing)]
    if len(empty) == len(entries):
        reasons = "; ".join(f"{each.name}: {each.reason}" for each in empty)
        raise UsageError(reasons or "nothing to look at: give picture files, folders, globs or a list of paths.")
    return [(each.name, UnreadableInput(each.reason) if isinstance(each, Nothing) else each.path) for each in entries]


def _blank(model: Model) -> Tensor:
    """Returns a black picture of the size that the model takes, uint8 (1, C, H, W)."""
    numbers = model.contract.preprocessing
    return torch.zeros(1, int(numbers["channels"]), *(int(side) for side in numbers["size"]), dtype=torch.uint8)


def _looked(
    model: Model,
    view: View,
    methods: tuple[Method, ...],
    name: str,
    path: Path | UnreadableInput,
    wanted: int | None,
    top: int,
) -> Looked:
    try:
        if isinstance(path, UnreadableInput):
            raise path
        picture = model.predictor.read(path)
    except UnreadableInput as error:
        return Looked(name, error=str(error))
    seen, order = _seen(model, picture, wanted, top)
    answers = tuple((model.classes[place], float(seen.probabilities[place])) for place in order[:ANSWERS])
    figures = tuple(_all_figures(view, seen, methods))
    return Looked(name, picture, answers, figures)


def _seen(model: Model, picture: Tensor, wanted: int | None, top: int) -> tuple[Seen, list[int]]:
    """Returns the picture with the classes to explain, and all classes, the most probable first."""
    logs = model.outputs([picture])[0].double()
    order = logs.argsort(descending=True, stable=True).tolist()
    inputs = normalised(model, picture[None])
    with torch.no_grad():
        logits = primary(model.network(inputs.clone()))[0].detach().cpu()
    targets = (wanted,) if wanted is not None else tuple(order[:top])
    return Seen(picture, inputs, logits, logs.exp(), targets), order


def _all_figures(view: View, seen: Seen, methods: tuple[Method, ...]) -> Iterator[Figure]:
    for method in methods:
        if method.shows != "kernels":
            yield from figures_of(view, seen, method)


def _model_name(model: str | Path | Model, opened: Model) -> str:
    return opened.contract.network if isinstance(model, Model) else str(model)


def _refuse_nothing(found: Look) -> None:
    """Raises DataError where no picture could be read, UsageError where every method refused."""
    if len(found.refused) == len(found.pictures):
        first = found.pictures[0]
        count = len(found.pictures)
        which = "" if count == 1 else f"none of {count} pictures could be read; the first, "
        raise DataError(f"{which}{first.input}: {first.error}.")
    if all(figure.error for figure in found.all_figures):
        raise _nothing(found.all_figures)


def _nothing(figures: tuple[Figure, ...]) -> NeocogError:
    reasons = dict.fromkeys(f"{figure.title}: {figure.error}" for figure in figures)
    return UsageError(f"no method gave a picture. {' '.join(reasons)}")
