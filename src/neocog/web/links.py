"""What a map is made of: its input maps, weighted by how much each of them adds to it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neocog.web.encode import Json
from neocog.web.parts import parts_of
from neocog.web.roles import keeps_channels
from neocog.web.session import Session

MOST_LINKS = 64


def links_json(session: Session, id: int, place: int, channel: int) -> Json:
    """Returns the input maps of one map, strongest first.

    The weights are what each map adds over all places; together they are the map's sum less its bias. Where the layer
    does not sum, what it makes of its one map (or of the factors alike) is all of it; where it cannot be told which
    map it was made of, there are none.
    """
    session.channel(place, channel, id)
    parts = parts_of(session, id, place, channel)
    if parts is None:
        return {"sources": _of_one(session, id, place, channel), "bias": 0.0, "total": None}
    sums = parts.values.reshape(len(parts.values), -1).sum(1)
    order = torch.sort(sums.abs().nan_to_num(), descending=True, stable=True).indices.tolist()
    rows = [
        {"node": parts.sources[each][0], "channel": parts.sources[each][1], "weight": float(sums[each])}
        for each in order[:MOST_LINKS]
    ]
    return {"sources": rows, "bias": _summed(parts.bias), "total": float(sums.sum())}


def _summed(bias: float | Tensor) -> float:
    return float(bias.sum()) if isinstance(bias, Tensor) else bias


def _of_one(session: Session, id: int, place: int, channel: int) -> list[Json]:
    weight = float(session.passed(id).values[place][0][channel].double().sum())
    found = sources_of(session, id, place, channel)
    return [{"node": node, "channel": each, "weight": weight / len(found)} for node, each in found]


def sources_of(session: Session, id: int, place: int, channel: int) -> list[tuple[int, int]]:
    """Returns the (node, channel) that a map was made of where the layer does not sum; none where it cannot be told."""
    passed = session.passed(id)
    node = passed.nodes[place]
    given, made = passed.given[place], passed.values[place][0][channel]
    pairs = [(source, each[0]) for source, each in zip(node.sources, given, strict=False)]
    if node.kind == "concat":
        return _concatenated(pairs, channel, made)
    if isinstance(session.runner.layer(place), nn.Embedding):
        return [(node.sources[0], 0)]
    if node.kind == "×" and len(pairs) > 1:
        return [(source, min(channel, len(each) - 1)) for source, each in pairs]
    if len(pairs) == 1 and keeps_channels(session.runner, place) and len(pairs[0][1]) == node.shape[0]:
        return [(pairs[0][0], channel)]
    if len(pairs) == 1 and torch.equal(pairs[0][1].flatten(), passed.values[place].flatten()):  # only the shape differs
        return [(pairs[0][0], channel * pairs[0][1].shape[0] // node.shape[0])]
    found = [(source, each) for source, value in pairs for each in _equal(value, made)]
    return found if len(found) == 1 else []


def _concatenated(pairs: list[tuple[int, Tensor]], channel: int, made: Tensor) -> list[tuple[int, int]]:
    for source, value in pairs:
        if channel < len(value):
            return [(source, channel)] if torch.equal(value[channel], made) else []
        channel -= len(value)
    return []


def _equal(value: Tensor, made: Tensor) -> list[int]:
    """Returns the channels that hold the map, or the number, as it is."""
    if value[0].shape != made.shape:
        return []
    alike = (value == made).flatten(1).all(1) if made.dim() else value == made
    places: list[int] = alike.nonzero().flatten().tolist()
    return places
