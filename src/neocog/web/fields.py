"""What each node's units can see of the input, carried along the graph that the page shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import nn

from neocog.core.arithmetic import Field
from neocog.core.errors import UsageError
from neocog.core.graph import Node
from neocog.core.receptive import Fields, layer_fields
from neocog.web.encode import Json
from neocog.web.passes import Runner

if TYPE_CHECKING:
    from neocog.web.session import Session

# Functions whose result at a place depends on the operands at that place alone.
_POINTWISE = frozenset(
    {"+", "×", "-", "concat", "truediv", "neg", "relu", "relu_", "relu6", "sigmoid", "tanh", "gelu", "silu", "elu"}
    | {"leaky_relu", "hardtanh", "hardswish", "clamp", "clamp_min", "maximum", "minimum", "clone", "contiguous"}
    | {"dropout", "softplus"}
)
_GATHERING = frozenset({"flatten", "mean", "amax"})


def unit_fields(runner: Runner, nodes: Sequence[Node] | None = None) -> list[Fields]:
    """Returns each node's field, one an axis of the input; empty where it cannot be told.

    ``nodes`` are those of another pass, of a text of another length; the example's unless told.
    """
    found: list[Fields] = []
    every = runner.nodes if nodes is None else nodes
    for place in range(len(every)):
        found.append(_fields(runner, every, place, found))
    return found


def field_json(session: Session, place: int, row: int, column: int, id: int | None = None) -> Json:
    """Returns what one unit can see: its field in the shown picture's pixels, whole and without the padding.

    Of texts ``id`` is the text whose length counts. Units of a sound's row have no ``row``, those of a vector neither.
    ``theory`` is None where no field can be told.

    Raises UsageError for a node or a unit that is not there.
    """
    node = (session.nodes if id is None else session.passed(id).nodes)[session.node(place)]
    axes = node.shape[1:]
    unit = (row, column)[2 - len(axes) :] if len(axes) <= 2 else ()
    if len(axes) > 2 or any(not 0 <= at < size for at, size in zip(unit, axes, strict=True)):
        raise UsageError(f"the node {place} has maps of {'x'.join(map(str, axes))}; got row {row}, column {column}.")
    return {"theory": box_of(session, place, row, column, id)}


def box_of(session: Session, place: int, row: int, column: int, id: int | None = None) -> Json | None:
    """Returns a unit's field inside the picture, and ``unclipped`` with the padding; None where it cannot be told."""
    nodes = session.nodes if id is None else session.passed(id).nodes
    axes = nodes[place].shape[1:]
    unit = (row, column)[2 - len(axes) :] if len(axes) <= 2 else ()
    fields = (session.fields if nodes is session.nodes else unit_fields(session.runner, nodes))[place]
    if not fields:
        return None
    # A vector sees from its one place; a picture has two axes, whatever the maps have left of them.
    places = (0,) * (len(fields) - len(unit)) + unit
    whole = [(each.start + at * each.jump, each.size) for each, at in zip(fields, places, strict=True)]
    inside = [each.inside(at, size) for each, at, size in zip(fields, places, nodes[0].shape[1:], strict=True)]
    return {**_box([(each.start, len(each)) for each in inside]), "unclipped": _box(whole)}


def _box(spans: Sequence[tuple[int, int]]) -> Json:
    (top, height), (left, width) = ((0, 1), *spans)[-2:]
    return {"top": top, "left": left, "height": height, "width": width}


def _fields(runner: Runner, nodes: Sequence[Node], place: int, found: Sequence[Fields]) -> Fields:
    node = nodes[place]
    if node.role == "input":
        return (Field(),) * (len(node.shape) - 1)
    before = joined([found[source] for source in node.sources])
    if not before or place in runner.guessed:
        return ()
    spatial = nodes[node.sources[0]].shape[1:]
    layer = runner.layer(place)
    if isinstance(layer, nn.Embedding) or place in runner.rearranged:  # words stay where they are
        return before if node.shape[1:] == spatial else ()
    return _through_function(node, before, spatial) if layer is None else layer_fields(layer, before, spatial)


def _through_function(node: Node, before: Fields, spatial: Sequence[int]) -> Fields:
    if not spatial:
        return before
    if node.shape[1:] == spatial:
        return before if node.kind in _POINTWISE or node.kind == "getitem" else ()
    if node.kind in _GATHERING and len(node.shape) == 1:
        return tuple(each.over(size) for each, size in zip(before, spatial, strict=True))
    return ()


def joined(branches: Sequence[Fields]) -> Fields:
    """Returns the fields that hold those of all branches; empty where one is unknown or their units do not line up."""
    if not branches or any(len(each) != len(branches[0]) or not each for each in branches):
        return ()
    result: list[Any] = list(branches[0])
    for branch in branches[1:]:
        result = [one and one.joined(other) for one, other in zip(result, branch, strict=True)]
    return tuple(result) if all(result) else ()
