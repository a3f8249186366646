"""Which layer is meant when none is named, told by a run of the network and not by names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from math import prod
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules import conv, dropout, padding, pooling

from neocog.core.errors import NetworkError
from neocog.core.receptive import LayerTracer
from neocog.explain.entry import entry
from neocog.explain.rest import at_rest
from neocog.nn.lecun import TableConvolution

Node = torch.autograd.graph.Node

CONVOLUTIONS = (conv._ConvNd, TableConvolution)
# What passes maps on, or picks from them, makes none.
_PASSING = (
    pooling._MaxPoolNd, pooling._AvgPoolNd, pooling._LPPoolNd, pooling._AdaptiveAvgPoolNd, pooling._AdaptiveMaxPoolNd,
    dropout._DropoutNd, padding._ConstantPadNd, padding._ReflectionPadNd, padding._ReplicationPadNd, nn.Upsample,
    nn.Identity, nn.Flatten, nn.Unflatten,
)  # fmt: skip
# Layers of features: in a tensor with places, these lie on its last axis.
OF_FEATURES = (nn.Linear, nn.Embedding, nn.LayerNorm)


class Call(NamedTuple):
    """One call of one layer: what came out, without the batch, and the autograd node that made it."""

    name: str
    number: int
    layer: nn.Module
    shape: tuple[int, ...]
    made_by: tuple[Node, int]


def last_maps(module: nn.Module, inputs: Tensor) -> str:
    """Returns the name of the layer that leaves the last maps with places, ``name@2`` where it runs several times.

    It is the last convolution, norm, activation or block of these, poolings left out, that a forward pass of the first
    of ``inputs`` calls, whose output (B, M, ...) has more than one place, and from which the logits come. A block that
    adds or joins branches finishes after them, and so is taken before the last of them. Where that is one of several
    branches that are joined later, with places no more, the last before them with as many places is taken.

    Raises NetworkError for a network without such a layer.
    """
    calls: list[Call] = []
    with at_rest(module):
        where = entry(module, inputs[:1])
        values = where.values.clone().requires_grad_()
        with watching(module, lambda name, number, layer, output: _note(calls, name, number, layer, output)):
            logits = where.run(values)
        maps = _maps(calls, logits)
        if not maps:
            raise NetworkError(_reason(calls, logits))
        found = _whole(maps, logits, values) or maps[-1]
    several = Counter(call.name for call in calls)[found.name] > 1
    return f"{found.name}@{found.number}" if several else found.name


def first_convolution(module: nn.Module) -> str:
    """Returns the name of the convolution that runs first, or that is written first where the network is not traceable.

    Raises NetworkError for a network without convolutions.
    """
    layers = dict(plain(module).named_modules())
    found = [name for name in _order(module) if isinstance(layers[name], CONVOLUTIONS)]
    if not found or not found[0]:
        raise NetworkError("the network has no convolution by a name; give the layer or a network that holds it.")
    return found[0]


def last_weights(module: nn.Module, inputs: Tensor) -> str:
    """Returns the name of the dense layer or convolution that runs last: the head, as a forward pass tells it.

    A layer with ``in_features`` counts as dense. Raises NetworkError for a network without either.
    """
    found: list[str] = []
    with at_rest(module), torch.no_grad():
        where = entry(module, inputs[:1])

        def note(name: str, _number: int, layer: nn.Module, _output: Tensor) -> None:
            if isinstance(layer, CONVOLUTIONS) or hasattr(layer, "in_features"):
                found.append(name)

        with watching(module, note):
            where.run(where.values)
    if not found:
        raise NetworkError("the network runs neither a dense layer nor a convolution; name the layer to take.")
    return found[-1]


@contextmanager
def watching(module: nn.Module, note: Callable[[str, int, nn.Module, Tensor], None]) -> Iterator[None]:
    """Within it ``note(name, number of the call, layer, output)`` is told of each layer that has given a tensor."""
    numbers: Counter[str] = Counter()

    def told(name: str) -> Any:
        def hook(layer: nn.Module, _inputs: object, output: object) -> None:
            if isinstance(output, Tensor):
                numbers[name] += 1
                note(name, numbers[name], layer, output)

        return hook

    with ExitStack() as stack:
        for name, layer in plain(module).named_modules():
            if name and not isinstance(layer, torch.jit.ScriptModule):
                stack.callback(layer.register_forward_hook(told(name)).remove)
        yield


def plain(module: nn.Module) -> nn.Module:
    """Returns the module behind torch.compile."""
    original = getattr(module, "_orig_mod", module)
    return original if isinstance(original, nn.Module) else module


def _note(calls: list[Call], name: str, number: int, layer: nn.Module, output: Tensor) -> None:
    if output.grad_fn is not None:
        calls.append(Call(name, number, layer, tuple(output.shape[1:]), (output.grad_fn, output.output_nr)))


def _maps(calls: list[Call], logits: Tensor) -> list[Call]:
    """Returns the calls that leave maps with places on the way to the logits, in their order.

    A block that hands on what a layer in it made is that layer's call: the first to finish counts.
    """
    way = _before(logits.grad_fn)
    featured = {call.shape for call in calls if _last_axis_is_features(call)}
    known: set[tuple[Node, int]] = set()
    found = []
    for call in calls:
        own = call.made_by not in known
        known.add(call.made_by)
        if own and call.made_by[0] in way and _has_maps(call) and call.shape not in featured:
            found.append(call)
    return found


def _has_maps(call: Call) -> bool:
    if len(call.shape) < 2 or prod(call.shape[1:]) < 2 or isinstance(call.layer, (*_PASSING, *OF_FEATURES[:2])):
        return False
    pools = hasattr(call.layer, "kernel_size") and next(call.layer.parameters(), None) is None
    return not pools or isinstance(call.layer, CONVOLUTIONS)


def _last_axis_is_features(call: Call) -> bool:
    """Returns whether tensors of this shape have their channels last, as those between dense layers have."""
    if not isinstance(call.layer, OF_FEATURES) or len(call.shape) < 2:
        return False
    return not isinstance(call.layer, nn.LayerNorm) or (
        type(call.layer) is nn.LayerNorm and len(call.layer.normalized_shape) == 1
    )


def _whole(maps: list[Call], logits: Tensor, values: Tensor) -> Call | None:
    """Returns the call to take in the place of the last where that is one of several branches, None for the last."""
    last, start = maps[-1].made_by[0], torch.autograd.graph.get_gradient_edge(values).node
    joins = (node for node in _before(logits.grad_fn) if node.name().startswith("CatBackward"))
    if start not in _before(logits.grad_fn, without=last) or not any(last in _before(join) for join in joins):
        return None
    places = prod(maps[-1].shape[1:])
    wide = (call for call in reversed(maps) if prod(call.shape[1:]) == places)
    return next((call for call in wide if start not in _before(logits.grad_fn, without=call.made_by[0])), None)


def _before(end: Node | None, without: Node | None = None) -> set[Node]:
    """Returns the autograd nodes that lead to one, but for those that do so through ``without`` alone."""
    waiting = [node for node in (end,) if node is not None and node != without]
    seen = set(waiting)
    while waiting:
        for source, _ in waiting.pop().next_functions:
            if source is not None and source not in seen and source != without:
                seen.add(source)
                waiting.append(source)
    return seen


def _reason(calls: list[Call], logits: Tensor) -> str:
    if logits.grad_fn is None:
        return (
            "no gradient leads from the logits back through the network, so that its last maps cannot be told; "
            "name a layer."
        )
    shapes = sorted({"x".join(map(str, call.shape)) for call in calls if len(call.shape) > 1})
    made = f"its layers leave {', '.join(shapes[:3])}" if shapes else "none of its layers leaves maps"
    return (
        f"a class activation map needs maps (M, ...) with more than one place, and {made}; give a larger input, name a "
        "layer, or choose saliency or occlusion."
    )


def _order(module: nn.Module) -> list[str]:
    """Returns the names of the layers in the order of their calls, or in that of their definition."""
    layers = [name for name, _ in plain(module).named_modules()]
    try:
        with at_rest(module):
            graph = LayerTracer().trace(plain(module))
    except Exception:  # noqa: BLE001 - a network of the user's own may raise anything when it is traced
        return layers
    called = [str(node.target) for node in graph.nodes if node.op == "call_module"]
    return [*called, *layers]
