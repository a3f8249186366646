"""``predict``: the model's answers for files, folders, globs and lists, one for each file, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO

from neocog.core.errors import UnreadableInput, UsageError
from neocog.tasks.model import Model, load
from neocog.tasks.prediction import Prediction
from neocog.verbs.inputs import Found, Nothing, expand

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
) -> list[Prediction]:
    """Returns one prediction for each file that the inputs name, in order; a refused file has its reason in ``error``.

    ``model`` is a model file or a loaded model; ``inputs`` are what `neocog.verbs.inputs.expand` takes, for pictures
    in memory there is `Model.predict`. ``top`` is how many classes to name, at most all; ``workers`` threads read
    ahead, one a core unless told. ``net`` is the ``module:function`` of a network of your own, whose code then runs.

    Raises ModelFileError for a bad model file and UsageError where the inputs lead to no file at all.
    """
    names = [inputs] if isinstance(inputs, (str, Path)) else inputs
    loaded = model if isinstance(model, Model) else load(model, device, net=net, fold=True)
    return list(stream(loaded, names, top=top, batch_size=batch, workers=workers))


def stream(
    model: Model,
    inputs: Iterable[Named],
    *,
    top: int = 1,
    batch_size: int | None = None,
    workers: int | None = None,
    stdin: IO[bytes] | None = None,
) -> Iterator[Prediction]:
    """Yields what `predict` returns as batches fill, so that memory stays bounded; ``stdin`` is read for ``-``."""
    return model.stream(_named(expand(inputs, stdin)), top=top, batch_size=batch_size, workers=workers)


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
