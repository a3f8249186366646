"""A network as a graph: what each layer's output is fed into, branches and joins included, read off its trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, fx, nn
from torch.nn.modules import conv, pooling

from neocog.core.inputs import check_input, empty_batch, shape_copy
from neocog.core.layers import LayerRow, layer_macs, layer_table
from neocog.core.receptive import LayerTracer

Role = Literal["input", "convolution", "pooling", "dense", "join", "other"]

_ADAPTIVE = (pooling._AdaptiveAvgPoolNd, pooling._AdaptiveMaxPoolNd)
_WINDOWS = (pooling._MaxPoolNd, pooling._AvgPoolNd, pooling._LPPoolNd)
_POOLING = {"mean", "amax", "avg_pool2d", "max_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d"}
_JOINS = {"add": "+", "iadd": "+", "mul": "×", "imul": "×", "sub": "-", "cat": "concat", "concat": "concat"}


@dataclass(frozen=True)
class Node:
    """One tensor of a forward pass: the input, or what a layer or a function made of others.

    ``name`` is the layer's dotted name, empty for a function; ``owners`` are the dotted names and the classes of the
    modules that it is within, the outermost first; ``kind`` is the layer's class, or what a join does; ``sources`` are
    the places of what it was made of; ``shape`` is without the batch. ``kernel`` and ``stride`` are those of layers
    that slide, None for the others; ``groups`` those of a convolution.
    """

    name: str
    owners: tuple[tuple[str, str], ...]
    kind: str
    role: Role
    sources: tuple[int, ...]
    shape: tuple[int, ...]
    kernel: tuple[int, ...] | None = None
    stride: tuple[int, ...] | None = None
    groups: int = 1


def network_graph(network: nn.Module, input_shape: Sequence[int], *, auxiliary: bool = False) -> tuple[Node, ...]:
    """Returns the nodes in the order in which they are computed, the input first.

    ``input_shape`` is without the batch; only shapes are computed. ``auxiliary`` heads, which run in training only, are
    there on request. A network that cannot be traced is given as the chain of the layers that it calls.

    Raises NetworkError when the input does not fit.
    """
    check_input(network, input_shape)
    copy = shape_copy(network)
    if auxiliary:
        for module in copy.modules():
            module.training = not isinstance(module, nn.modules.batchnorm._BatchNorm)
    try:
        reader = GraphReader(fx.GraphModule(copy, LayerTracer().trace(copy)))
        with torch.no_grad():
            reader.run(empty_batch(copy, input_shape))
    except (fx.proxy.TraceError, TypeError, ValueError, RuntimeError, AttributeError, NotImplementedError):
        return _chain(network, tuple(input_shape), auxiliary)
    return tuple(reader.nodes)


class GraphReader(fx.Interpreter):
    """Runs a traced network once and notes each tensor, in ``nodes``, and where it came from."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.nodes: list[Node] = []
        self.origins: dict[fx.Node, tuple[int, ...]] = {}

    def run_node(self, n: fx.Node) -> Any:
        """Runs one step of the trace."""
        value = super().run_node(n)
        sources = tuple(dict.fromkeys(place for each in n.all_input_nodes for place in self.origins.get(each, ())))
        if isinstance(value, Tensor) and n.op not in ("get_attr", "output") and (sources or n.op == "placeholder"):
            self.origins[n] = (len(self.nodes),)
            self.nodes.append(self._node(n, sources, tuple(value.shape[1:])))
        elif isinstance(value, (tuple, list)) and any(isinstance(part, Tensor) for part in value):
            self.origins[n] = sources  # pieces of a tensor lead back to the whole
        return value

    def _node(self, node: fx.Node, sources: tuple[int, ...], shape: tuple[int, ...]) -> Node:
        if node.op == "placeholder":
            return Node("input", (), "input", "input", (), shape)
        if node.op != "call_module":
            kind = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "function")
            role: Role = "join" if len(sources) > 1 else "pooling" if kind in _POOLING else "other"
            return Node("", _owners(node), _JOINS.get(kind, kind), role, sources, shape)
        layer = self.fetch_attr(str(node.target))
        return layer_node(str(node.target), layer, _owners(node)[:-1], sources, self.nodes[sources[0]].shape, shape)


def layer_node(
    name: str,
    layer: nn.Module,
    owners: tuple[tuple[str, str], ...],
    sources: tuple[int, ...],
    given: tuple[int, ...],
    made: tuple[int, ...],
) -> Node:
    """Returns the node of a layer that made ``made`` of ``given``, shapes without the batch."""
    kernel, stride = (_numbers(getattr(layer, setting, None), len(given) - 1) for setting in ("kernel_size", "stride"))
    role = _role(layer, given, made)
    role = "join" if role == "other" and len(sources) > 1 else role
    groups: int = getattr(layer, "groups", 1) if isinstance(layer, conv._ConvNd) else 1
    return Node(name, owners, type(layer).__name__, role, sources, made, kernel, stride, groups)


def _owners(node: fx.Node) -> tuple[tuple[str, str], ...]:
    """Returns the names and classes of the modules that the node is called in, the last the one that calls it."""
    stack: list[tuple[str, Any]] = list(node.meta.get("nn_module_stack", {}).values())
    return tuple((name, getattr(kind, "__name__", str(kind))) for name, kind in stack if name)


def _role(layer: nn.Module, given: tuple[int, ...], made: tuple[int, ...]) -> Role:
    if isinstance(layer, (*_ADAPTIVE, *_WINDOWS)):
        return "pooling"
    if isinstance(layer, nn.RNNBase):  # a place's output depends on the places before it: no sum of products tells it
        return "other"
    slides = isinstance(layer, conv._ConvNd) or hasattr(layer, "kernel_size")
    if layer_macs(layer, given, made):
        return "convolution" if slides else "dense"
    return "pooling" if slides else "other"


def _numbers(setting: Any, axes: int) -> tuple[int, ...] | None:
    if setting is None or axes < 1:
        return None
    return (setting,) * axes if isinstance(setting, int) else tuple(setting)


def _chain(network: nn.Module, shape: tuple[int, ...], auxiliary: bool) -> tuple[Node, ...]:
    rows = layer_table(network, shape, auxiliary=auxiliary)
    kinds = {name: type(module).__name__ for name, module in network.named_modules()}
    nodes = [Node("input", (), "input", "input", (), shape)]
    for place, row in enumerate(rows):
        parts = row.name.split(".")
        above = [".".join(parts[:depth]) for depth in range(1, len(parts))]
        owners = tuple((name, kinds[name]) for name in above)
        settings = (row.output_shape, row.kernel, row.stride)
        nodes.append(Node(row.name, owners, row.kind, _row_role(row), (place,), *settings))
    return tuple(nodes)


def _row_role(row: LayerRow) -> Role:
    if row.macs:
        return "convolution" if row.kernel else "dense"
    return "pooling" if row.kernel or row.kind.startswith("Adaptive") else "other"
