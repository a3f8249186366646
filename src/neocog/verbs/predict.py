"""``predict``: the model's answers for files, folders, globs, lists and texts, one for each, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any

from neocog.core.errors import UnreadableInput, UsageError
from neocog.data.text_lines import ENCODING
from neocog.data.text_rows import Reading
from neocog.tasks.language_modelling import NAME as LANGUAGE
from neocog.tasks.model import Model, load
from neocog.tasks.prediction import Prediction
from neocog.tasks.relation_prediction import RelationPredictor
from neocog.tasks.tagging import NAME as TAGGING
from neocog.tasks.text_classification import NAME as TEXTS
from neocog.verbs.inputs import Found, Nothing, expand
from neocog.verbs.predict_tags import tagged
from neocog.verbs.relation_inputs import expand_relations
from neocog.verbs.text_inputs import expand_texts, said

Named = str | Path


def predict(
    model: Named | Model,
    inputs: Named | Iterable[Named],
    *,
    top: int = 1,
    batch: int | None = None,
    workers: int | None = None,
    device: str | None = None,
    net: str | None = None,
    encoding: str | None = None,
    text_column: str | None = None,
) -> list[Prediction]:
    """Returns one prediction for each file that the inputs name, in order; a refused file has its reason in ``error``.

    ``model`` is a model file or a loaded model; ``inputs`` are what `neocog.verbs.inputs.expand` takes, for pictures
    in memory there is `Model.predict`. For texts they are what `neocog.verbs.text_inputs.expand_texts` takes, texts
    themselves too; ``encoding`` and ``text_column`` say how files of texts are read. ``top`` is how many classes to
    name, at most all; ``workers`` threads read ahead, one a core unless told. ``net`` is the ``module:function`` of a
    network of your own, whose code then runs.

    Raises ModelFileError for a bad model file and UsageError where the inputs lead to no file at all.
    """
    names = [inputs] if isinstance(inputs, (str, Path)) else inputs
    loaded = model if isinstance(model, Model) else load(model, device, net=net, fold=True)
    reading = Reading(encoding or ENCODING, text_column)
    return list(stream(loaded, names, top=top, batch_size=batch, workers=workers, reading=reading))


def stream(
    model: Model,
    inputs: Iterable[Named],
    *,
    top: int = 1,
    batch_size: int | None = None,
    workers: int | None = None,
    stdin: IO[bytes] | None = None,
    reading: Reading | None = None,
) -> Iterator[Prediction]:
    """Yields what `predict` returns as batches fill, so that memory stays bounded; ``stdin`` is read for ``-``."""
    if model.contract.task == TAGGING:
        yield from tagged(model, inputs, stdin, reading or Reading(), batch_size=batch_size)
        return
    named = _inputs(model, inputs, stdin, reading or Reading())
    yield from model.stream(named, top=top, batch_size=batch_size, workers=workers)


def _inputs(
    model: Model, inputs: Iterable[Named], stdin: IO[bytes] | None, reading: Reading
) -> Iterator[tuple[str, Any]]:
    """Yields the inputs by name, as the model's task takes them."""
    if model.contract.task in (TEXTS, LANGUAGE):
        return _texts(expand_texts(inputs, stdin, reading))
    if isinstance(model.predictor, RelationPredictor):
        bags = model.predictor.preprocessing.bags
        return _texts(expand_relations(inputs, stdin, reading.encoding, bags=bags))
    return _named(expand(inputs, stdin))


def _texts(entries: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Yields the texts; refuses where there is not one at all."""
    empty: list[tuple[str, Any]] = []
    for entry in entries:
        if not isinstance(entry[1], UnreadableInput):
            yield from chain(empty, [entry], entries)
            return
        empty.append(entry)
    if empty:
        raise UsageError(said(empty[:5]))
    raise UsageError("nothing to predict: give texts, files of texts, or - for texts on stdin.")


def _named(entries: Iterator[Found | Nothing]) -> Iterator[tuple[str, Path | UnreadableInput]]:
    """Yields each file's name and path, or why there is none; refuses where there is not one file at all."""
    empty: list[Nothing] = []
    for entry in entries:
        if isinstance(entry, Found):
            yield from ((each.name, _path(each)) for each in chain(empty, [entry], entries))
            return
        empty.append(entry)
    if empty:
        raise UsageError("; ".join(f"{each.name}: {each.reason}" for each in empty))
    raise UsageError("nothing to predict: give files, folders, globs, a list of paths, or - for paths on stdin.")


def _path(entry: Found | Nothing) -> Path | UnreadableInput:
    return entry.path if isinstance(entry, Found) else UnreadableInput(entry.reason)
