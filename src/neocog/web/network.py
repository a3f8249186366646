"""The network as JSON: its nodes with their settings and counts, and the stages that they fold into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn
from torch.nn.modules import pooling

from neocog import architectures
from neocog.core.arithmetic import Field, Window, each_axis
from neocog.core.graph import Node
from neocog.core.layers import count_parameters, layer_macs, parameter_arithmetic
from neocog.core.own import is_own
from neocog.core.receptive import Fields, layer_windows
from neocog.web.encode import Json
from neocog.web.passes import Runner
from neocog.web.roles import role_of
from neocog.web.session import Session


def network_json(session: Session) -> Json:
    """Returns the whole network: its record, its classes, its nodes and the stages that they fold into."""
    contract = session.model.contract
    record = None if is_own(contract.network) else architectures.record(contract.network)
    nodes = nodes_json(session.runner, session.nodes, session.fields)
    return {
        "name": contract.network,
        "title": record.summary if record else contract.network,
        "task": contract.task,
        "kind": session.kind.name,
        "classes": list(session.classes),
        "input": list(session.input_shape),
        "params": count_parameters(session.network),
        "macs": sum(node["macs"] for node in nodes),
        "paper": record.paper if record else "",
        "year": record.year if record else None,
        "note": _note(session),
        "data": session.data is not None,
        "samples": len(session.data) if session.data else 0,
        "nodes": nodes,
        "stages": stages_json(session.nodes),
    }


def _note(session: Session) -> str | None:
    notes = []
    if not session.runner.traced:
        notes.append("The network cannot be traced: layers stand in the order of their calls, without joins.")
    if session.kind.note:
        notes.append(session.kind.note)
    return " ".join(notes) or None


def nodes_json(runner: Runner, nodes: Sequence[Node], fields: Sequence[Fields]) -> list[Json]:
    """Returns a record for each node of a pass, in the order of computing; its id is its place."""
    stages = stages_json(nodes)
    innermost = _innermost(nodes, stages)
    counted: set[int] = set()
    rows = []
    for place, node in enumerate(nodes):
        layer = runner.layer(place)
        row: Json = {
            "id": place,
            "name": "" if node.role == "input" else node.name,
            "call": runner.calls[place],
            "kind": node.kind,
            "role": role_of(runner, place),
            "sources": list(node.sources),
            "guessed": place in runner.guessed,
            "shape": list(node.shape),
            "groups": node.groups,
            "stage": innermost[place],
            "field": _field(fields[place]),
        }
        given = nodes[node.sources[0]].shape if node.sources else ()
        row |= _counts(layer, given, node.shape, fresh=id(layer) not in counted) | _settings(layer, node, given)
        counted.add(id(layer))
        rows.append(row)
    return rows


def _field(fields: Sequence[Field]) -> Json | None:
    if not fields:
        return None
    return {key: [getattr(each, key) for each in fields] for key in ("size", "jump", "start")}


def _counts(layer: nn.Module | None, given: tuple[int, ...], made: tuple[int, ...], *, fresh: bool) -> Json:
    if layer is None:
        return {"params": 0, "arithmetic": "", "macs": 0}
    params = sum(each.numel() for each in layer.parameters()) if fresh else 0
    arithmetic = parameter_arithmetic(layer) if fresh else ""
    return {"params": params, "arithmetic": arithmetic, "macs": layer_macs(layer, given, made)}


def _settings(layer: nn.Module | None, node: Node, given: tuple[int, ...]) -> Json:
    windows = windows_of(layer, given)
    if not windows:
        kernel, stride = (None if each is None else list(each) for each in (node.kernel, node.stride))
        return {"kernel": kernel, "stride": stride, "padding": None, "dilation": None, "formula": None}
    return {
        "kernel": [each.kernel for each in windows],
        "stride": [each.stride for each in windows],
        "padding": [each.before for each in windows],
        "dilation": [each.dilation for each in windows],
        "formula": size_formula(layer, windows[0], given[1], node.shape[1]),
    }


def windows_of(layer: nn.Module | None, given: Sequence[int]) -> tuple[Window, ...]:
    """Returns what a sliding layer looks at along each axis; empty for every other."""
    if layer is None or len(given) < 2:
        return ()
    if isinstance(layer, (pooling._AdaptiveAvgPoolNd, pooling._AdaptiveMaxPoolNd)):
        sizes: tuple[Any, ...] = each_axis(layer.output_size, len(given) - 1)
        axes = [(size, size if made is None else made) for size, made in zip(given[1:], sizes, strict=True)]
        return () if any(size % made for size, made in axes) else tuple(Window(s // m, s // m) for s, m in axes)
    return layer_windows(layer, given[1:])


def size_formula(layer: Any, window: Window, size: int, made: int) -> str | None:
    """Returns how an axis got its length, ``floor((224 + 2*3 - 7)/2) + 1 = 112``; None where the formula differs."""
    padding = window.before
    even = f"2*{padding}" if not isinstance(getattr(layer, "padding", 0), str) else None
    if even is None:  # "same" may put one more zero behind than before
        total = (made - 1) * window.stride + window.dilation * (window.kernel - 1) + 1 - size
        padding_text, zeros = f"{total}", total
    else:
        padding_text, zeros = even, 2 * padding
    spread = f"{window.dilation}*({window.kernel} - 1) - 1" if window.dilation > 1 else f"{window.kernel}"
    rounding = "ceil" if getattr(layer, "ceil_mode", False) else "floor"
    room = size + zeros - window.dilation * (window.kernel - 1) - 1
    told = (-(-room // window.stride) if rounding == "ceil" else room // window.stride) + 1
    if told != made:  # with ceil a last window that would begin in the padding is left out
        return None
    return f"{rounding}(({size} + {padding_text} - {spread})/{window.stride}) + 1 = {made}"


def stages_json(nodes: Sequence[Node]) -> list[Json]:
    """Returns the modules that several nodes are within, the outer before the inner.

    A module that holds the same nodes as the one around it is left out.
    """
    members: dict[str, list[int]] = {}
    kinds: dict[str, str] = {}
    for place, node in enumerate(nodes):
        for name, kind in node.owners:
            members.setdefault(name, []).append(place)
            kinds[name] = kind
    rows: list[Json] = []
    held: dict[str, int] = {}
    for name in sorted(members, key=lambda each: (each.count("."), members[each][0])):
        above = _above(name, held)
        parent = None if above is None else rows[above]
        whole = members[parent["name"]] if parent else None
        if len(members[name]) < 2 or members[name] == whole:
            continue
        held[name] = len(rows)
        span = {"first": members[name][0], "last": members[name][-1]}
        rows.append({"id": len(rows), "name": name, "kind": kinds[name], **span, "parent": above})
    return rows


def _above(name: str, held: dict[str, int]) -> int | None:
    parts = name.split(".")
    around = (".".join(parts[:depth]) for depth in range(len(parts) - 1, 0, -1))
    return next((held[each] for each in around if each in held), None)


def _innermost(nodes: Sequence[Node], stages: Sequence[Json]) -> list[int | None]:
    ids = {stage["name"]: stage["id"] for stage in stages}
    return [next((ids[name] for name, _ in reversed(node.owners) if name in ids), None) for node in nodes]
