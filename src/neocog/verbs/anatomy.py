"""One network layer by layer: shapes, arithmetic, receptive fields, memory, and its picture."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import torch
from torch import nn

from neocog.architectures import create, record
from neocog.core.errors import UsageError
from neocog.core.files import write_text
from neocog.core.graph import network_graph
from neocog.core.layers import LayerRow, count_parameters, layer_table
from neocog.core.memory import Memory, Precision, memory
from neocog.core.own import is_own
from neocog.core.registry import Record
from neocog.report.diagram import network_svg
from neocog.verbs.catalogue import Entry, entry_of

LARGEST = 2**31  # sizes that torch can count


@dataclass(frozen=True)
class Anatomy:
    """One network layer by layer, for inputs of the shape ``input``.

    ``params`` are all of the network's and ``macs`` those of the layers shown; ``hidden_params`` belong to layers that
    are not among them, since they run in training only. ``memory`` is None for a network that needs numbers to run.
    """

    entry: Entry
    input: tuple[int, ...]
    classes: int | None
    layers: tuple[LayerRow, ...]
    params: int
    hidden_params: int
    macs: int
    memory: Memory | None


def anatomy(
    name: str,
    *,
    input: str | Sequence[int] | None = None,
    classes: int | None = None,
    batch: int = 32,
    precision: Precision = "fp32",
    auxiliary: bool | None = None,
    svg: str | Path | None = None,
) -> Anatomy:
    """Returns a network of the zoo, or one of your own (``module:function``), as `neocog.zoo` explains it.

    Raises NetworkError for an unknown network and for an input that it cannot take, UsageError for the rest.
    """
    if batch < 1:
        raise UsageError(f"batch should be 1 or more, got {batch}.")
    if precision not in get_args(Precision):
        raise UsageError(f"precision should be one of {', '.join(get_args(Precision))}; got {precision!r}.")
    each = record(name)
    shape = each.input if input is None else parse_shape(input)
    network = _built(each, shape, classes)
    with_auxiliary = each.counts_auxiliary if auxiliary is None else auxiliary
    layers = tuple(layer_table(network, shape, auxiliary=with_auxiliary))
    params = count_parameters(network)
    macs = sum(row.macs for row in layers)
    shown = Anatomy(
        entry=_own_entry(entry_of(each), params, macs) if is_own(name) else entry_of(each),
        input=shape,
        classes=classes or each.classes,
        layers=layers,
        params=params,
        hidden_params=params - sum(row.params for row in layers),
        macs=macs,
        memory=memory(network, shape, batch=batch, precision=precision),
    )
    if svg is not None:
        _draw(shown, network, Path(svg), auxiliary=with_auxiliary)
    return shown


def _built(each: Record, shape: tuple[int, ...], classes: int | None) -> nn.Module:
    """Builds the network for inputs of that shape, without memory for its weights where it can run without.

    One of the user's own may need them, and one over bags looks which sentences there are.
    """
    options: dict[str, Any] = {}
    given = shape != each.input or is_own(each.name)
    if given and len(shape) == 3 and "size" in inspect.signature(each.build).parameters:
        if shape[1] != shape[2]:
            raise UsageError(f"{each.name} is built for square inputs, got {'x'.join(map(str, shape))}.")
        options["size"] = shape[1]
    whole = is_own(each.name) or (each.text is not None and each.text.unit == "bags")
    with nullcontext() if whole else torch.device("meta"):
        return create(each.name, classes=classes, channels=shape[0], **options)


def _own_entry(entry: Entry, params: int, macs: int) -> Entry:
    """Returns the entry of a network of one's own, of which no more is known than what was counted."""
    return replace(entry, year=None, paper="", task="", family="", params=params, macs=macs)


def _draw(shown: Anatomy, network: nn.Module, path: Path, *, auxiliary: bool) -> None:
    if path.suffix.lower() != ".svg":
        raise UsageError(f"the network is drawn as .svg, not as {path.name!r}; change its ending.")
    year = f" ({shown.entry.year})" if shown.entry.year else ""
    lead = (
        f"input {'×'.join(map(str, shown.input))}, {shown.params:,} parameters, {shown.macs:,} multiply-accumulates; "
        "norms and activations are drawn with the layer before them"
    )
    write_text(
        path, network_svg(f"{shown.entry.name}{year}", lead, network_graph(network, shown.input, auxiliary=auxiliary))
    )


def parse_shape(value: str | Sequence[int]) -> tuple[int, ...]:
    """Returns a shape given as ``"3x160x160"`` or as numbers.

    Raises UsageError when it is not made of whole numbers from 1.
    """
    parts = re.split(r"[x×,]", value.lower()) if isinstance(value, str) else list(value)
    if not parts or not all(str(part).strip().isdecimal() and 0 < int(part) < LARGEST for part in parts):
        raise UsageError(f"an input shape should be like 3x160x160 (channels, height, width), got {value!r}.")
    return tuple(int(part) for part in parts)
