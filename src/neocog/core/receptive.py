"""Receptive fields through a whole network, branches included, read off its traced graph."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn.modules import batchnorm, conv, dropout, padding, pooling

from neocog.core.arithmetic import Field, Window, each_axis, padding_of

# One field an axis of the maps; empty where no one field describes what a unit sees.
Fields = tuple[Field, ...]

# Functions and methods whose result at a place depends on the operands at that place only.
_POINTWISE: frozenset[Any] = frozenset(
    {operator.add, operator.sub, operator.mul, operator.truediv, operator.neg, operator.iadd, operator.imul}
    | {torch.add, torch.sub, torch.mul, torch.cat, torch.concat, torch.relu, torch.sigmoid, torch.tanh}
    | {torch.maximum, torch.minimum, nn.functional.relu, nn.functional.relu6, nn.functional.dropout}
    | {nn.functional.gelu, nn.functional.silu, nn.functional.leaky_relu, nn.functional.elu, nn.functional.hardswish}
    | {nn.functional.relu_, torch.relu_, torch.clamp, nn.functional.dropout2d, nn.functional.softplus}
    | {"add", "sub", "mul", "relu", "sigmoid", "tanh", "contiguous", "clone"}
    | {"add_", "sub_", "mul_", "relu_", "sigmoid_", "tanh_", "clamp", "clamp_", "clamp_min", "clamp_min_"}
    | {"masked_fill", "masked_fill_"}
)
# Functions that slide, or pool to a given size, and the layers that do the same with the same settings.
_POOLINGS: dict[Any, Any] = {
    nn.functional.max_pool1d: nn.MaxPool1d, nn.functional.max_pool2d: nn.MaxPool2d,
    nn.functional.max_pool3d: nn.MaxPool3d, torch.max_pool1d: nn.MaxPool1d, torch.max_pool2d: nn.MaxPool2d,
    torch.max_pool3d: nn.MaxPool3d, nn.functional.avg_pool1d: nn.AvgPool1d, nn.functional.avg_pool2d: nn.AvgPool2d,
    nn.functional.avg_pool3d: nn.AvgPool3d, nn.functional.adaptive_avg_pool1d: nn.AdaptiveAvgPool1d,
    nn.functional.adaptive_avg_pool2d: nn.AdaptiveAvgPool2d, nn.functional.adaptive_avg_pool3d: nn.AdaptiveAvgPool3d,
    nn.functional.adaptive_max_pool1d: nn.AdaptiveMaxPool1d, nn.functional.adaptive_max_pool2d: nn.AdaptiveMaxPool2d,
    nn.functional.adaptive_max_pool3d: nn.AdaptiveMaxPool3d,
}  # fmt: skip
POINTWISE_LAYERS = (
    nn.ReLU, nn.ReLU6, nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.LeakyReLU, nn.ELU, nn.PReLU, nn.Softplus,
    nn.Hardswish, nn.Hardsigmoid, nn.Hardtanh, nn.Identity, nn.LocalResponseNorm, batchnorm._BatchNorm,
    dropout._DropoutNd,
)  # fmt: skip
# Functions and methods that bring all places together.
_GATHERING: frozenset[Any] = frozenset(
    {torch.flatten, torch.mean, torch.amax, torch.reshape, torch.squeeze}
    | {"flatten", "mean", "amax", "view", "reshape", "squeeze"}
)
_ADAPTIVE = (pooling._AdaptiveAvgPoolNd, pooling._AdaptiveMaxPoolNd)
_SLIDING = (conv._ConvNd, pooling._MaxPoolNd, pooling._AvgPoolNd, pooling._LPPoolNd)


def receptive_fields(network: nn.Module, inputs: Tensor) -> dict[str, Fields]:
    """Returns the receptive field of each layer's units, one field an axis, by the layer's dotted name.

    ``inputs`` (B, C, ...) may be an empty batch: only shapes are needed; of tokens (B, L) that are looked up the axis
    is L. Where branches meet, the field is the smallest that holds both. It is empty when no one field describes a
    layer, and a network that cannot be traced has none at all. A layer that is called twice has the field of its last
    call, and each call's as ``name@1``, ``name@2``.
    """
    try:
        reader = _Reader(network, LayerTracer().trace(network))
        with torch.no_grad():
            reader.run(inputs)
    except (fx.proxy.TraceError, TypeError, ValueError, RuntimeError, AttributeError, NotImplementedError):
        return {}
    found = {name: calls[-1] for name, calls in reader.calls.items()}
    several = {name: calls for name, calls in reader.calls.items() if len(calls) > 1}
    return found | {f"{name}@{call}": each for name, calls in several.items() for call, each in enumerate(calls, 1)}


class LayerTracer(fx.Tracer):
    """Traces down to the layers: torch's own, and modules without children."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Returns whether a module is traced as one call."""
        return super().is_leaf_module(m, module_qualified_name) or next(m.children(), None) is None


class _Reader(fx.Interpreter):
    """Runs the graph once and carries the fields along with the values."""

    def __init__(self, network: nn.Module, graph: fx.Graph) -> None:
        # Not by way of a GraphModule, whose own attributes (code, graph) hide layers of these names.
        super().__init__(network, graph=graph)
        self.fields: dict[fx.Node, Fields] = {}
        self.calls: dict[str, list[Fields]] = {}

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        in_pieces = isinstance(value, tuple) and isinstance(next(iter(value), None), Tensor) and n.op != "output"
        if isinstance(value, Tensor) or in_pieces:
            self.fields[n] = self._fields(n, value)
            if n.op == "call_module":
                self.calls.setdefault(str(n.target), []).append(self.fields[n])
        return value

    def _fields(self, node: fx.Node, value: Any) -> Fields:
        layer = self._layer(node)
        looked_up = isinstance(layer, nn.Embedding) and value.dim() == 3  # tokens (B, L) to vectors (B, L, E)
        if node.op == "placeholder" or looked_up:
            axes: int = value.dim() - 2
            return (Field(),) * axes
        sources = [each for each in node.all_input_nodes if each in self.fields and not _is_mask(self.env[each])]
        before = _joined([self.fields[each] for each in sources])
        if not before:
            return ()
        if isinstance(self.env[sources[0]], tuple):
            return before if node.target is operator.getitem else ()
        shape = self.env[sources[0]].shape[2:]
        if layer is not None:
            return layer_fields(layer, before, shape)
        if node.target in _GATHERING and value.dim() == 2:
            return _over_all(before, shape)
        turned = (
            node.target == "transpose" and value.dim() == 3 and set(node.args[1:]) == {1, 2}
        )  # (B, L, E), (B, E, L)
        return before if turned or node.target in _POINTWISE else ()

    def _layer(self, node: fx.Node) -> nn.Module | None:
        """Returns the layer that a node calls, or one that does what its function does; None for other functions."""
        if node.op == "call_module":
            called: nn.Module = self.fetch_attr(str(node.target))
            return called
        made: nn.Module | None = None
        if node.op == "call_function" and node.target in _POOLINGS:
            made = _POOLINGS[node.target](*node.args[1:], **{k: v for k, v in node.kwargs.items() if k != "input"})
        return made


def _is_mask(value: Any) -> bool:
    """Tells whether a value says where something is, and is not itself what a network makes of its input."""
    return isinstance(value, Tensor) and not value.is_floating_point()


def layer_fields(layer: nn.Module, before: Fields, shape: Sequence[int]) -> Fields:
    """Returns the fields behind a layer, empty when they cannot be told.

    ``before`` are the fields of its inputs and ``shape`` the inputs' sizes along the axes, none after flattening. A
    layer of one's own is understood when it has ``kernel_size`` and ``stride``, or the attribute ``pointwise``.
    """
    if not shape:  # flattened: each feature already sees all that any of them sees
        return before
    if isinstance(layer, nn.Flatten):
        return _over_all(before, shape)
    if isinstance(layer, _ADAPTIVE):
        return _through_adaptive(layer, before, shape)
    if isinstance(layer, POINTWISE_LAYERS) or getattr(layer, "pointwise", False):
        return before
    if isinstance(layer, padding._ConstantPadNd):  # two numbers an axis, the last axis first
        starts = zip(before, layer.padding[-2::-2], strict=True)
        return tuple(field.through(Window(1, before=zeros)) for field, zeros in starts)
    windows = layer_windows(layer, shape)
    return tuple(field.through(window) for field, window in zip(before, windows, strict=True)) if windows else ()


def layer_windows(layer: nn.Module, shape: Sequence[int]) -> tuple[Window, ...]:
    """Returns what a sliding layer looks at, one window an axis; empty for every other layer.

    ``shape`` are the sizes of its inputs along the axes, on which the padding "same" depends.
    """
    own = (
        not type(layer).__module__.startswith("torch.nn") and hasattr(layer, "kernel_size") and hasattr(layer, "stride")
    )
    if isinstance(layer, conv._ConvTransposeNd) or not (own or isinstance(layer, _SLIDING)):
        return ()
    axes = len(shape)
    numbers: Any = layer
    kernels, strides = each_axis(numbers.kernel_size, axes), each_axis(numbers.stride or numbers.kernel_size, axes)
    dilations = each_axis(getattr(layer, "dilation", 1), axes)
    paddings = each_axis(getattr(layer, "padding", 0), axes)
    return tuple(
        Window(kernel, stride, padding_of(padding, size, kernel, stride, dilation)[0], dilation)
        for size, kernel, stride, padding, dilation in zip(shape, kernels, strides, paddings, dilations, strict=True)
    )


def _over_all(fields: Fields, shape: Sequence[int]) -> Fields:
    return tuple(field.over(size) for field, size in zip(fields, shape, strict=True))


def _through_adaptive(layer: Any, before: Fields, shape: Sequence[int]) -> Fields:
    """Returns the fields behind a pooling to a given size; empty where its windows are not all of one size."""
    sizes = each_axis(layer.output_size, len(shape))
    axes = [(size, size if made is None else made) for size, made in zip(shape, sizes, strict=True)]
    if any(size % made for size, made in axes):
        return ()
    return tuple(field.over(size // made) for field, (size, made) in zip(before, axes, strict=True))


def _joined(branches: Sequence[Fields]) -> Fields:
    """Returns the fields that hold those of all branches; empty when one is unknown or their units do not line up."""
    if not branches:
        return ()
    result = branches[0]
    for branch in branches[1:]:
        pairs = [one.joined(other) for one, other in zip(result, branch, strict=False)]
        if len(branch) != len(result) or None in pairs:
            return ()
        result = tuple(pair for pair in pairs if pair)
    return result
