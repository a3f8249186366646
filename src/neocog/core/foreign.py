"""Weights from wherever they come, in whichever library's naming, as a state dict of one of our networks."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from neocog.core.download import fetch_weights
from neocog.core.errors import NetworkError, near_names
from neocog.core.keras_weights import classes_in_layers, read_layers, translated
from neocog.core.pretrained import Weights
from neocog.core.registry import Record
from neocog.core.weights import State, classes_in, misfits, read_state, rename, renamed

KERAS = "keras"
NAMINGS = ("torchvision", "timm", KERAS)
_WITH_NAMING = re.compile(r"([A-Za-z][\w-]+):(?!//)(.+)")
_FILES_OF_KERAS = (".h5", ".hdf5", ".keras")
# timm's VGG has convolutions over the whole map where others have dense layers: their kernels' sides.
_DENSE_IN_TIMM = {"pre_logits.fc1.weight": 7, "pre_logits.fc2.weight": 1}


@dataclass(frozen=True)
class Opened:
    """Weights that were read: for how many classes they are, and their state for a network that has been built.

    ``source`` is a word on where they come from, ``notes`` lines on what was found out about them.
    """

    source: str
    classes: int | None
    state: Callable[[nn.Module, Sequence[int]], State]
    notes: tuple[str, ...] = ()


def open_weights(record: Record, spec: str | Path, names: Callable[[], Iterable[str]]) -> Opened:
    """Reads weights for a network.

    ``spec`` is a file or an https address, with the naming before it (``torchvision:FILE``) or without: then it is
    recognised. Of ``keras`` it is a file that `read_layers` takes. ``names`` gives the names in the network's state.

    Raises NetworkError for a naming that does not exist or that the network has no table for; ModelFileError,
    ResourceError for a file that cannot be read or fetched.
    """
    naming, place = _parts(record, spec)
    table = table_of(record, naming) if naming else {}
    path = fetch_weights(place) if "://" in place else Path(place).expanduser()
    if naming == KERAS:
        return _keras(record, path, str(spec))
    state = read_state(path)
    notes: tuple[str, ...]
    if naming:
        found, notes = _translated(state, table, str(spec)), ()
    else:
        found, notes = _recognised(record, state, names, str(spec))
    return Opened(str(spec), classes_in(found), lambda *_: found, notes)


def _translated(state: State, table: Mapping[str, str], source: str) -> State:
    try:
        return renamed(state, table)
    except NetworkError as error:
        raise NetworkError(f"{source}: {error}") from error


def open_named(record: Record, weights: Weights) -> Opened:
    """Reads weights that a record names: those that come with a dependency, or a download to the cache.

    Raises ResourceError when their hash is not the recorded one, or when they can be neither found nor fetched.
    """
    if weights.load is not None:
        state = dict(weights.load())
    else:
        state = renamed(read_state(fetch_weights(weights.address)), table_of(record, weights.naming))
    return Opened(f"{record.name}'s {weights.name} weights", classes_in(state), lambda *_: state)


def options_for(record: Record, spec: str | Path) -> dict[str, str]:
    """Returns the options with which a network computes what the weights' library computes, where it has them.

    Raises NetworkError for a naming that does not exist.
    """
    parameters = inspect.signature(record.build).parameters
    in_keras = "padding" in parameters and _parts(record, spec)[0] == KERAS
    return {"padding": "tensorflow"} if in_keras else {}


def naming_of(record: Record, spec: str | Path) -> str:
    """Returns the library whose names the weights have as far as their spec tells, empty where it does not."""
    return _parts(record, spec)[0]


def written(state: Mapping[str, Tensor], record: Record, naming: str) -> State:
    """Returns a state dict of one of our networks in another library's naming: what `renamed` reads back.

    Of several names that become one of ours, the last in the table is written.

    Raises NetworkError where there is no table for that library, or its names do not come back one to one.
    """
    if naming == KERAS:
        raise NetworkError("weights are not written in Keras's format; there are: torchvision, timm.")
    table = table_of(record, naming)
    back = {ours: theirs for theirs, ours in table.items()}
    result = {rename(name, back): tensor for name, tensor in state.items()}
    if list(renamed(result, table)) != list(state):
        raise NetworkError(f"{record.name}'s names cannot be turned back into {naming}'s.")
    if naming == "timm":
        for name in _DENSE_IN_TIMM.keys() & result.keys():
            side, kernel = _DENSE_IN_TIMM[name], result[name]
            result[name] = kernel.reshape(len(kernel), -1, side, side)
    return result


def table_of(record: Record, naming: str) -> Mapping[str, str]:
    """Returns the table from a library's module names to ours.

    Raises NetworkError, with the libraries that have the network, when there is none.
    """
    if naming not in record.renames:
        known = ", ".join(record.renames)
        has = f"there are tables for {known}" if known else "no other library's names are known for it"
        raise NetworkError(
            f"{naming} has no {record.name}, or none with the same layers, so its names are not translated; {has}."
        )
    return record.renames[naming]


def _parts(record: Record, spec: str | Path) -> tuple[str, str]:
    """Returns a spec's naming, empty where it does not tell, and its file or address."""
    text = str(spec)
    found = None if isinstance(spec, Path) or Path(text).exists() else _WITH_NAMING.fullmatch(text)
    if not found:
        return KERAS if text.partition("#")[0].endswith(_FILES_OF_KERAS) else "", text
    known = (*NAMINGS, *(naming for naming in record.renames if naming not in NAMINGS))
    if found[1] not in known:
        raise NetworkError(
            f"no naming of weights is called {found[1]!r}.{near_names(found[1], known)} There are: {', '.join(known)}."
        )
    return found[1], found[2]


def _keras(record: Record, path: Path, source: str) -> Opened:
    table = table_of(record, KERAS)
    layers = read_layers(path)
    return Opened(
        source,
        classes_in_layers(layers, table),
        lambda network, shape: translated(layers, table, network, shape, source=source),
    )


def _recognised(
    record: Record, state: State, names: Callable[[], Iterable[str]], source: str
) -> tuple[State, tuple[str, ...]]:
    """Returns the state in our naming, recognised by its names; as it is where no naming fits, or ours does.

    Raises NetworkError when more than one would fit.
    """
    tables = {naming: table for naming, table in record.renames.items() if naming != KERAS}
    if not tables:
        return state, ()
    own = tuple(names())
    fitting: dict[tuple[str, ...], tuple[str, State]] = {}
    for naming, table in (("", {}), *tables.items()):
        try:
            candidate = renamed(state, table)
        except NetworkError:
            continue
        if not any(misfits(own, candidate)):
            fitting.setdefault(tuple(candidate), (naming, candidate))
    found = list(fitting.values())
    if len(found) > 1:
        options = " or ".join(f"{naming or 'our'}" for naming, _ in found)
        raise NetworkError(f"{source}: its names could be {options} ones; say which, e.g. {found[-1][0]}:{source}.")
    if not found or not found[0][0]:
        return state, ()
    return found[0][1], (f"{source}: names as in {found[0][0]}, translated",)
