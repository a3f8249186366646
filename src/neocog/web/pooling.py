"""The arithmetic of pooling: the winner of each window or the mean over it, and where the gradient goes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules import pooling

from neocog.core.arithmetic import Window
from neocog.web.encode import Json, array, flat
from neocog.web.gradients import gradients_at
from neocog.web.network import windows_of
from neocog.web.parts import parts_of
from neocog.web.roles import pooling_layer
from neocog.web.session import Session

_MAX = (pooling._MaxPoolNd, pooling._AdaptiveMaxPoolNd)
_MEAN = (pooling._AvgPoolNd, pooling._AdaptiveAvgPoolNd)


def pooling_json(session: Session, id: int, place: int, channel: int, target: int | None) -> Json | None:
    """Returns how one map was pooled, None where the node does not pool or its windows cannot be told.

    ``winners`` are the places of the greatest numbers in the input's map, rows one after the other; ``divisors`` what
    each mean divides its sum by. ``gradient`` is that of the target's logit, at the output and what of it arrives at
    the input through this layer.
    """
    passed = session.passed(id)
    node = passed.nodes[place]
    if node.role != "pooling":
        return None
    if len(passed.given[place]) != 1 or passed.given[place][0].shape[1] != node.shape[0]:
        return None
    x, made = (flat(each[0][channel]) for each in (passed.given[place][0], passed.values[place]))
    layer = pooling_layer(session.runner, place)
    windows = _windows(layer, node.kind, tuple(passed.given[place][0].shape[1:]), node.shape)
    if windows is None or passed.given[place][0].dim() > 4:
        return None
    if isinstance(layer, _MAX) or node.kind == "amax":
        found = _max(x, made, windows)
    elif isinstance(layer, _MEAN) or node.kind == "mean":
        found = _mean(layer, x, made, windows)
    else:
        found = _weighted(session, id, place, channel, windows)
    return (
        None
        if found is None
        else found
        | _settings(layer, windows)
        | {
            "input": array(x),
            "source": {"node": node.sources[0], "channel": channel},
            "gradient": _gradient(session, id, place, channel, target),
        }
    )


def _windows(layer: nn.Module | None, kind: str, given: tuple[int, ...], made: tuple[int, ...]) -> Any:
    """Returns the windows over rows and columns, or None."""
    if layer is not None:
        found = windows_of(layer, given)
    elif kind in ("mean", "amax") and all(size == 1 for size in made[1:]):
        found = tuple(Window(size, size) for size in given[1:])
    else:
        return None
    if not found or len(found) > 2:
        return None
    return (Window(1),) * (2 - len(found)) + tuple(found)


def _settings(layer: Any, windows: tuple[Window, ...]) -> Json:
    names = {"kernel": "kernel", "stride": "stride", "padding": "before", "dilation": "dilation"}
    settings: Json = {key: [getattr(each, name) for each in windows] for key, name in names.items()}
    return settings | {"origin": [-each.before for each in windows], "ceil": bool(getattr(layer, "ceil_mode", False))}


def _padded(x: Tensor, made: Tensor, windows: tuple[Window, ...], value: float) -> Tensor:
    """Returns the map with as much around it as its windows reach over its borders."""
    amounts: list[int] = []
    for size, count, window in reversed(list(zip(x.shape, made.shape, windows, strict=True))):
        reach = (count - 1) * window.stride + window.dilation * (window.kernel - 1) + 1
        amounts += [window.before, max(0, reach - size - window.before)]
    return functional.pad(x, amounts, value=value)


def _unfolded(padded: Tensor, made: Tensor, windows: tuple[Window, ...]) -> Tensor:
    """Returns each output's window, (rows, columns, kernel's rows, kernel's columns)."""
    strides = [stride * window.stride for stride, window in zip(padded.stride(), windows, strict=True)]
    steps = [stride * window.dilation for stride, window in zip(padded.stride(), windows, strict=True)]
    return padded.as_strided((*made.shape, *(each.kernel for each in windows)), (*strides, *steps))


def _max(x: Tensor, made: Tensor, windows: tuple[Window, ...]) -> Json | None:
    made = made.reshape(1, -1) if made.dim() < 2 else made
    seen = _unfolded(_padded(x.contiguous(), made, windows, float("-inf")), made, windows)
    places = torch.arange(x.numel(), dtype=torch.float32 if x.numel() < 2**24 else torch.float64).view(x.shape)
    where = _unfolded(_padded(places, made, windows, -1), made, windows)
    best, first = seen.flatten(2).max(2)
    if not torch.equal(best, made):
        return None
    winners = where.flatten(2).gather(2, first[..., None])[..., 0]
    return {"kind": "max", "winners": array(winners)}


def _mean(layer: nn.Module | None, x: Tensor, made: Tensor, windows: tuple[Window, ...]) -> Json | None:
    made = made.reshape(1, -1) if made.dim() < 2 else made
    sums = _unfolded(_padded(x.contiguous().double(), made, windows, 0), made, windows).sum((2, 3))
    counts = _unfolded(_padded(torch.ones_like(x), made, windows, 0), made, windows).sum((2, 3))
    divisors = counts if layer is None else counts / _of_ones(layer, x).reshape(made.shape)
    size = max(float(x.abs().max()), 1e-30)
    if not bool(((sums / divisors - made).abs() <= 1e-4 * size).all()):
        return None
    return {"kind": "average", "divisors": array(divisors)}


def _weighted(session: Session, id: int, place: int, channel: int, windows: tuple[Window, ...]) -> Json | None:
    """Returns the mean of a layer that weighs it and adds a bias (LeNet-5's subsampling): weight x mean + bias."""
    parts = parts_of(session, id, place, channel)
    if parts is None or parts.weights is None or [each[1] for each in parts.sources] != [channel]:
        return None
    kernel = parts.weights[0]
    if kernel.dim() != 2 or float(kernel.max() - kernel.min()) > 1e-6 * float(kernel.abs().max()):
        return None
    count = windows[0].kernel * windows[1].kernel
    divisors = torch.full(parts.values.shape[1:], float(count))
    weight = float(kernel.double().sum())
    return {"kind": "average", "divisors": array(divisors), "weight": weight, "bias": parts.bias}


def _of_ones(layer: nn.Module, x: Tensor) -> Tensor:
    """Returns what the layer makes of ones: less than 1 where it divides by more than it sums."""
    one_axis = type(layer).__name__.endswith("1d")
    ones = torch.ones_like(x)
    with torch.no_grad():
        made: Tensor = layer(ones[None] if one_axis else ones[None, None])
    return made


def _gradient(session: Session, id: int, place: int, channel: int, target: int | None) -> Json | None:
    found = gradients_at(session, id, place, target)
    if found is None:
        return None
    inner, outer = (array(flat(each[0, channel])) for each in (found.inner, found.outer))
    return {"target": found.target, "class": session.classes[found.target], "input": inner, "output": outer}
