"""The arithmetic behind one map, with the very numbers that the network had: what the page shows for each pixel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import batchnorm

from neocog.architectures.lenet import RadialBasis
from neocog.web.encode import Json, array, flat
from neocog.web.links import sources_of
from neocog.web.network import windows_of
from neocog.web.parts import Parts, parts_of
from neocog.web.pooling import pooling_json
from neocog.web.roles import NORMS, pointwise_name
from neocog.web.session import Session

MOST_INPUTS, MOST_TERMS = 16, 32


def arithmetic_json(
    session: Session, id: int, place: int, channel: int, target: int | None = None, inputs: int = MOST_INPUTS
) -> Json:
    """Returns how one map of a node was computed for a picture; ``kind`` says which of the forms it is.

    Products, rest and bias add up to the output as the network computed it, to rounding; where they would not, or where
    the layer is of an unknown kind, it is ``other``, with input and output alone.

    Raises UsageError for a picture, node, channel or target that is not there.
    """
    session.channel(place, channel, id)
    passed = session.passed(id)
    node = passed.nodes[place]
    made = passed.values[place][0][channel]
    head = {"node": place, "channel": channel, "name": node.name, "output": _exact(made)}
    parts = parts_of(session, id, place, channel)
    layer = session.runner.layer(place)
    if parts is not None and isinstance(layer, nn.Linear):
        return head | _dense(parts)
    pools = node.role == "pooling"  # also where it weighs and so could be written as a convolution
    if (
        parts is not None
        and parts.weights is not None
        and not pools
        and not getattr(layer, "transposed", False)
        and made.dim() <= 2
    ):
        return head | _convolution(layer, parts, passed.given[place][0].shape[1:], inputs)
    for form in _FORMS:
        found = form(session, id, place, channel, target)
        if found is not None:
            return head | found
    return head | {"kind": "other"} | _input(session, id, place, channel) | _contributions(parts)


def _contributions(parts: Parts | None) -> Json:
    """Returns what the strongest input maps add, where nothing is known but that the layer sums."""
    if parts is None:
        return {}
    rows = [
        {"node": parts.sources[each][0], "channel": parts.sources[each][1], "map": _exact(parts.values[each])}
        for each in parts.order()[:MOST_INPUTS]
    ]
    bias = parts.bias if isinstance(parts.bias, float) else _exact(parts.bias)
    return {"parts": rows, "others": max(0, len(parts.sources) - MOST_INPUTS), "bias": bias}


def _exact(channel: Tensor) -> Json | float:
    """Returns a map as rows and columns, one number of a vector as it is."""
    return float(channel) if channel.dim() == 0 else array(flat(channel))


def _convolution(layer: Any, parts: Parts, given: tuple[int, ...], most: int) -> Json:
    assert parts.inputs is not None and parts.weights is not None
    order = parts.order()
    strongest, others = order[:most], order[most:]
    windows = windows_of(layer, given)
    mode = getattr(layer, "padding_mode", "zeros")
    rest = parts.values[others].sum(0)
    return {
        "kind": "convolution",
        "groups": getattr(layer, "groups", 1),
        "padding_mode": mode,
        "kernel": _two([each.kernel for each in windows], 1),
        "stride": _two([each.stride for each in windows], 1),
        "padding": _two([each.before for each in windows], 0),
        "dilation": _two([each.dilation for each in windows], 1),
        "origin": _two([-each.before if mode == "zeros" else 0 for each in windows], 0),
        "bias": parts.bias,
        "inputs": [
            {
                "node": parts.sources[each][0],
                "channel": parts.sources[each][1],
                "map": array(flat(parts.inputs[each])),
                "weights": array(flat(parts.weights[each])),
            }
            for each in strongest
        ],
        "rest": array(flat(rest)),
        "others": len(others),
    }


def _two(numbers: list[int], before: int) -> list[int]:
    """Returns a setting for rows and columns; sound is one row."""
    return [before] * (2 - len(numbers)) + numbers


def _dense(parts: Parts) -> Json:
    assert parts.inputs is not None and parts.weights is not None
    order = parts.order()
    rows = [
        {
            "node": parts.sources[each][0],
            "index": each,
            "value": float(parts.inputs[each]),
            "weight": float(parts.weights[each]),
        }
        for each in order[:MOST_TERMS]
    ]
    rest = float(parts.values[order[MOST_TERMS:]].sum())
    return {"kind": "dense", "inputs": rows, "rest": rest, "others": len(order[MOST_TERMS:]), "bias": parts.bias}


def _norm(session: Session, id: int, place: int, channel: int, _target: int | None) -> Json | None:
    layer: Any = session.runner.layer(place)
    if not isinstance(layer, NORMS):
        return None
    given = session.passed(id).given[place][0]
    if isinstance(layer, batchnorm._BatchNorm) and layer.running_mean is not None and layer.running_var is not None:
        mean, variance = layer.running_mean[channel], layer.running_var[channel]
    else:  # measured on the sample itself
        group = len(given[0]) // (layer.num_groups if isinstance(layer, nn.GroupNorm) else len(given[0]))
        first = channel // group * group
        variance, mean = torch.var_mean(given[0, first : first + group].double(), correction=0)
    weight, bias = (None if each is None else float(each[channel]) for each in (layer.weight, layer.bias))
    settings = {"mean": float(mean), "variance": float(variance), "epsilon": layer.eps}
    scale = (1.0 if weight is None else weight) / (settings["variance"] + layer.eps) ** 0.5
    told = (given[0, channel].double() - settings["mean"]) * scale + (bias or 0.0)
    made = session.passed(id).values[place][0][channel].double()
    if not torch.allclose(told, made, rtol=1e-3, atol=1e-4 * max(float(made.abs().max()), 1e-30)):
        return None
    return {"kind": "norm", **settings, "weight": weight, "bias": bias} | _input(session, id, place, channel)


def _pointwise(session: Session, id: int, place: int, channel: int, _target: int | None) -> Json | None:
    name = pointwise_name(session.runner, place)
    if name is None:
        return None
    return {"kind": "pointwise", "function": name} | _input(session, id, place, channel)


def _lookup(session: Session, id: int, place: int, channel: int, _target: int | None) -> Json | None:
    """Returns the numbers of the words, of each of which the map holds one number of its vector."""
    if not isinstance(session.runner.layer(place), nn.Embedding):
        return None
    source = {"node": session.nodes[place].sources[0], "channel": 0}
    name = f"number {channel} of the vector of word "
    return {
        "kind": "lookup",
        "function": name,
        "input": _exact(session.passed(id).given[place][0][0, 0]),
        "source": source,
    }


def _radial(session: Session, id: int, place: int, channel: int, _target: int | None) -> Json | None:
    """Returns minus ``scale`` times the sum of the squares of value - weight (LeNet-5's output layer)."""
    layer = session.runner.layer(place)
    if not isinstance(layer, RadialBasis):
        return None
    values, centre = session.passed(id).given[place][0][0], layer.get_buffer("centres")[channel].cpu()
    squares = (values.double() - centre.double()).square()
    order = torch.sort(squares, descending=True, stable=True).indices.tolist()
    source = session.nodes[place].sources[0]
    rows = [
        {"node": source, "index": each, "value": float(values[each]), "weight": float(centre[each])}
        for each in order[:MOST_TERMS]
    ]
    others = order[MOST_TERMS:]
    scale = 1 / len(values) ** 0.5
    return {
        "kind": "radial",
        "inputs": rows,
        "rest": float(squares[others].sum()),
        "others": len(others),
        "scale": scale,
    }


def _pooling(session: Session, id: int, place: int, channel: int, target: int | None) -> Json | None:
    return pooling_json(session, id, place, channel, target)


_JOINS = {"+": "sum", "-": "difference", "×": "product", "concat": "concat"}


def _join(session: Session, id: int, place: int, channel: int, _target: int | None) -> Json | None:
    kind = session.nodes[place].kind
    if kind not in _JOINS:
        return None
    parts = parts_of(session, id, place, channel)
    found = list(parts.sources) if parts else sources_of(session, id, place, channel)
    if not found:
        return None
    values = session.passed(id).values
    rows = [{"node": node, "channel": each, "map": _exact(values[node][0][each])} for node, each in found]
    return {"kind": _JOINS[kind], "inputs": rows}


def _input(session: Session, id: int, place: int, channel: int) -> Json:
    """Returns the one map that a map was made of, where there is one."""
    found = sources_of(session, id, place, channel)
    given = session.passed(id).given[place]
    if len(found) != 1 or len(given) != 1:
        alike = len(given) == 1 and given[0].shape[1:] == session.passed(id).nodes[place].shape
        return {"input": _exact(given[0][0][channel]) if alike else None}  # of the same number, made of it or not
    node, each = found[0]
    return {"input": _exact(given[0][0][each]), "source": {"node": node, "channel": each}}


_FORMS: tuple[Callable[[Session, int, int, int, int | None], Json | None], ...] = (
    _lookup, _pooling, _norm, _pointwise, _join, _radial,
)  # fmt: skip
