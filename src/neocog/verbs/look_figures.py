"""The figures of one picture: each method's result, what it belongs to, and its sheet."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neocog.core.errors import NeocogError, NetworkError, UsageError
from neocog.core.trace import caught
from neocog.explain.layers import first_convolution
from neocog.explain.receptive import ReceptiveField, sight
from neocog.report import explained
from neocog.report.overlay import Box, in_colours
from neocog.report.sheet import Tile, sheet
from neocog.report.thumbnails import Pixels
from neocog.verbs.look_data import Reference
from neocog.verbs.look_layers import Layers
from neocog.verbs.look_methods import Method, as_map, attribution
from neocog.verbs.look_result import Figure
from neocog.verbs.look_trust import Chances, trust_of

Unit = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class View:
    """What is looked into, and what was asked for; ``layer`` and ``unit`` None where the method chooses."""

    network: nn.Module
    classes: tuple[str, ...]
    layers: Layers
    layer: str | None
    unit: Unit | None
    count: int
    trust: bool
    reference: Reference | None


@dataclass(frozen=True, eq=False)
class Seen:
    """One picture: as the network saw it, uint8 (C, H, W), and as it entered, (1, C, H, W); what was answered.

    ``targets`` are the classes to explain; ``logits`` and ``probabilities`` (K,) are of all; ``chances`` fills up with
    what `trust_of` needs once.
    """

    picture: Tensor
    inputs: Tensor
    logits: Tensor
    probabilities: Tensor
    targets: tuple[int, ...]
    chances: Chances = field(default_factory=dict)

    @property
    def pixels(self) -> Pixels:
        """The picture as an array (H, W, C)."""
        array: Pixels = self.picture.permute(1, 2, 0).contiguous().numpy()
        return array


def figures_of(view: View, seen: Seen, method: Method) -> tuple[Figure, ...]:
    """Returns a method's figures of a picture; a refusal is a figure with its reason."""
    return tuple(_attempt(method, make) for make in _wanted(view, seen, method))


def filters_figure(view: View, method: Method) -> Figure:
    """Returns the kernels of a layer, for which no picture is needed."""
    return _attempt(method, lambda: _kernels(view, method))


def _attempt(method: Method, make: Callable[[], Figure]) -> Figure:
    begun = time.perf_counter()
    try:
        figure = make()
    except NeocogError as error:
        figure = Figure(method.name, method.title, error=" ".join(str(error).split()))
    except RuntimeError as error:  # what torch raises in a network of the user's own, or without memory
        figure = Figure(
            method.name, method.title, error=f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
        )
    return replace(figure, seconds=round(time.perf_counter() - begun, 3))


def _wanted(view: View, seen: Seen, method: Method) -> Iterator[Callable[[], Figure]]:
    """Yields what to draw: a figure a class for methods that explain classes, a figure a layer for maps of layers."""
    layers = (view.layer,) if view.layer else _DEPTHS.get(method.name, _one)(view.layers, method)
    targets: tuple[int | None, ...] = seen.targets if "target" in method.needs else (None,)
    make = _MAKERS.get(method.shows, _attribution)
    for layer in layers:
        for target in targets:
            yield partial(make, view, seen, method, layer, target)


# Which layer of the network a method takes when nobody says.
_DEFAULT: dict[str, str] = {
    "deconvnet": "part",
    "receptive_field": "part",
    "strongest_activations": "part",
    "nearest_neighbours": "features",
}


def _one(layers: Layers, method: Method) -> tuple[str | None, ...]:
    return (getattr(layers, _DEFAULT.get(method.name, "last")) if "layer" in method.needs else None,)


def _all_depths(layers: Layers, _method: Method) -> tuple[str | None, ...]:
    return layers.depths or (None,)


_DEPTHS: dict[str, Callable[[Layers, Method], tuple[str | None, ...]]] = {"feature_maps": _all_depths}


def _attribution(view: View, seen: Seen, method: Method, layer: str | None, target: int | None) -> Figure:
    layer = layer if "layer" in method.needs else None
    unit = _strongest(view, seen, layer) if layer and "unit" in method.needs else None
    inputs = seen.inputs.clone()
    result = attribution(method, view.network, inputs, target=target, layer=layer, unit=unit)
    trust = None
    if view.trust:
        trust = trust_of(
            method, view.network, inputs, result, target=target, layer=layer, unit=unit, chances=seen.chances
        )
    values = result[0].detach().cpu()
    if method.shows == "colours":
        drawn = explained.colours_sheet(seen.pixels, values.numpy())
        flat = as_map(method, values[None])[0]
    else:
        flat = as_map(method, result)[0].detach().cpu()
        drawn = explained.heat_sheet(seen.pixels, flat.numpy(), signed=method.signed)
    note = "" if bool(flat.any()) else "The map is zero everywhere: nothing here moves the score."
    figure = Figure(method.name, method.title, layer=layer, unit=unit, values=values, drawn=drawn, note=note)
    return replace(figure, trust=trust, **_class(view, seen, target))


def _class(view: View, seen: Seen, target: int | None) -> dict[str, Any]:
    if target is None:
        return {}
    return {
        "target": view.classes[target],
        "score": float(seen.logits[target]),
        "probability": float(seen.probabilities[target]),
    }


def _maps(view: View, seen: Seen, method: Method, layer: str | None, _target: int | None) -> Figure:
    name = _named(layer, method)
    maps = method.function(view.network, seen.inputs.clone(), layer=name)[0].detach().cpu()  # (M, h, w)
    if maps.dim() != 3:
        raise UsageError(f"the layer {name!r} gives {tuple(maps.shape)} for a picture, no maps; name one before it.")
    order = maps.abs().mean((1, 2)).argsort(descending=True, stable=True)[: view.count].tolist()
    if view.unit:
        _refuse_unit(view.unit, tuple(maps.shape), name)
        order = [view.unit[0]]
    drawn = explained.maps_sheet(maps[order].numpy(), order)
    note = f"{len(order)} of {len(maps)} channels, by their mean magnitude, which stands behind each number."
    return Figure(method.name, method.title, layer=name, values=maps, drawn=drawn, note=note)


def _kernels(view: View, method: Method) -> Figure:
    chosen = {} if view.layer is None else {"layer": view.layer}
    kernels = method.function(view.network, **chosen).detach().cpu()  # (M, C, h, w)
    if kernels.dim() != 4:
        raise UsageError(f"the kernels are {tuple(kernels.shape)}, not pictures; name a convolution over pictures.")
    numbers = [view.unit[0]] if view.unit else list(range(len(kernels)))[: max(view.count, _MOST_KERNELS)]
    _refuse_unit((numbers[-1],), (len(kernels),), view.layer or "the first")
    drawn = explained.kernels_sheet(kernels[numbers].numpy(), numbers)
    wide = kernels.shape[1]
    cut = f" Of {wide} input maps the first {explained.MOST_INPUT_MAPS}." if wide > explained.MOST_INPUT_MAPS else ""
    note = f"{len(numbers)} of {len(kernels)} kernels of {kernels.shape[2]}×{kernels.shape[3]}.{cut}"
    layer = view.layer or first_convolution(view.network)
    return Figure(method.name, method.title, layer=layer, values=kernels, drawn=drawn, note=note)


_MOST_KERNELS = 64


def _field(view: View, seen: Seen, method: Method, layer: str | None, _target: int | None) -> Figure:
    name = _named(layer, method)
    unit = _strongest(view, seen, name)
    field = sight(view.network, seen.inputs.clone(), layer=name, unit=unit)
    effective = field.effective[0].detach().cpu()
    box, how = _box(field)
    drawn = explained.field_sheet(seen.pixels, box, effective.numpy())
    note = f"The unit sees {box[2]}×{box[3]} pixels from row {box[0]}, column {box[1]}{how}."
    return Figure(method.name, method.title, layer=name, unit=unit, values=effective, drawn=drawn, note=note)


def _box(field: ReceptiveField) -> tuple[Box, str]:
    """Returns what a unit can see, padding included where that is known, and how it is known."""
    if field.theory is not None:
        (top, left), (height, width) = field.theory.start, field.theory.size
        return (top, left, height, width), ""
    if field.measured is None:
        raise NetworkError("what the unit sees can neither be told from the network's layers nor be measured.")
    rows, columns = field.measured
    return (rows.start, columns.start, len(rows), len(columns)), ", as its gradients reach"


def _patches(view: View, seen: Seen, method: Method, layer: str | None, _target: int | None) -> Figure:
    assert view.reference is not None
    name = _named(layer, method)
    maps = _activation(view.network, seen.inputs, name).flatten(1).cpu()  # (M, places)
    channels = [view.unit[0]] if view.unit else maps.amax(1).argsort(descending=True, stable=True)[:_CHANNELS].tolist()
    _refuse_unit((channels[0],), (len(maps),), name)
    rows = [(f"channel {channel}", view.reference.strongest(view.network, name, channel)) for channel in channels]
    drawn = explained.patches_sheet(rows)
    return Figure(method.name, method.title, layer=name, drawn=drawn, note=view.reference.statement)


_CHANNELS = 6


def _neighbours(view: View, seen: Seen, method: Method, layer: str | None, _target: int | None) -> Figure:
    assert view.reference is not None
    name = _named(layer, method)
    tiles = view.reference.nearest(view.network, seen.inputs, name)
    query = Tile(in_colours(seen.pixels), "this picture")
    drawn = sheet([query, *tiles], side=112, columns=len(tiles) + 1)
    return Figure(method.name, method.title, layer=name, drawn=drawn, note=view.reference.statement)


_MAKERS: dict[str, Callable[[View, Seen, Method, str | None, int | None], Figure]] = {
    "maps": _maps,
    "field": _field,
    "patches": _patches,
    "neighbours": _neighbours,
}


def _named(layer: str | None, method: Method) -> str:
    if layer is None:
        raise NetworkError(f"no layer for {method.title} was found in this network; name one with --layer.")
    return layer


def _activation(network: nn.Module, inputs: Tensor, layer: str) -> Tensor:
    """Returns the layer's maps (M, ...) of one input."""
    with torch.no_grad(), caught(network, [layer]) as seen:
        network(inputs.clone())
    return seen.activation(layer)[0]


def _strongest(view: View, seen: Seen, layer: str) -> Unit:
    """Returns the unit that was asked for; of a channel, or of the whole layer, the picture's strongest place."""
    maps = _activation(view.network, seen.inputs, layer)
    shape = tuple(maps.shape)
    if view.unit and len(view.unit) == len(shape):
        _refuse_unit(view.unit, shape, layer)
        return view.unit
    if view.unit:
        _refuse_unit(view.unit, shape, layer)
        place = np.unravel_index(int(maps[view.unit[0]].argmax()), shape[1:])
        return (view.unit[0], *(int(number) for number in place))
    return tuple(int(number) for number in np.unravel_index(int(maps.argmax()), shape))


def _refuse_unit(unit: Unit, shape: tuple[int, ...], layer: str) -> None:
    fits = len(unit) in (1, len(shape)) and all(0 <= at < size for at, size in zip(unit, shape, strict=False))
    if not fits:
        text = ",".join(map(str, unit))
        raise UsageError(f"the units of {layer} lie in {'x'.join(map(str, shape))}, counted from 0; got {text}.")
