"""A network as a table: each layer with its shapes, its parameters, its multiply-accumulates and what it can see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import batchnorm
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from neocog.core.arithmetic import convolution_macs, dense_macs
from neocog.core.inputs import check_input, empty_batch, shape_copy
from neocog.core.receptive import Fields, receptive_fields

_RECURRENT = (nn.RNNBase, nn.RNNCellBase)


@dataclass(frozen=True)
class LayerRow:
    """One call of one layer.

    Shapes are without the batch; ``kernel``, ``stride`` and ``padding`` hold one number an axis, or a name of padding,
    and are None where a layer has none. ``arithmetic`` shows where ``params`` comes from (``16 x (3x3x3) + 16 = 448``);
    both count a weight once, so they are empty at a layer's second call and leave out what an earlier layer shares.
    ``receptive_field`` is the side of the region of the input that one unit can see, padding included; ``jump`` how far
    apart in the input two neighbouring units look; ``start`` where the first unit's region begins, below 0 in the
    padding. They have one number an axis and are None when they cannot be told.
    """

    name: str
    kind: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    kernel: tuple[int, ...] | None
    stride: tuple[int, ...] | None
    padding: tuple[int, ...] | str | None
    params: int
    arithmetic: str
    macs: int
    receptive_field: tuple[int, ...] | None
    jump: tuple[int, ...] | None
    start: tuple[int, ...] | None


def layer_table(network: nn.Module, input_shape: Sequence[int], *, auxiliary: bool = False) -> list[LayerRow]:
    """Returns a row for each layer that a forward pass calls, in that order.

    ``input_shape`` is without the batch, e.g. ``(3, 224, 224)``. A layer is a module without children (identities left
    out), one of torch's own, or one with parameters of its own. The batch is empty, so only shapes are computed.
    ``auxiliary`` heads, which run in training only, have their rows on request.

    Raises NetworkError when the input does not fit, with the smallest that does.
    """
    check_input(network, input_shape)
    copy = shape_copy(network)
    if auxiliary:
        _train_all_but_norms(copy)
    inputs = empty_batch(copy, input_shape)
    names = {module: name for name, module in copy.named_modules()}
    calls: list[tuple[nn.Module, tuple[int, ...], tuple[int, ...]]] = []

    def note(module: nn.Module, arguments: tuple[Any, ...], output: Any) -> None:
        output = output[0] if isinstance(module, _RECURRENT) and isinstance(output, tuple) else output
        if isinstance(output, Tensor) and arguments and isinstance(arguments[0], Tensor):
            calls.append((module, _of_one(module, arguments[0]), _of_one(module, output)))

    for module in names:
        if is_layer(module):
            module.register_forward_hook(note)
    with torch.no_grad():
        copy(inputs)
    for module in names:
        module._forward_hooks.clear()
    fields = receptive_fields(copy, inputs)
    originals = dict(network.named_modules())  # the copy may have lost which layers share their weights
    counted: set[int] = set()
    called: Counter[str] = Counter()
    rows = []
    for module, given, made in calls:
        name = names[module]
        called[name] += 1
        own = fields.get(f"{name}@{called[name]}", fields.get(name, ()))
        fresh = {id(weights): weights for weights in originals[name].parameters() if id(weights) not in counted}
        rows.append(_row(name, module, given, made, own, list(fresh.values())))
        counted.update(fresh)
    return rows


def count_parameters(network: nn.Module) -> int:
    """Returns the number of trainable weights; running statistics and fixed codes are none."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_macs(network: nn.Module, input_shape: Sequence[int], *, auxiliary: bool = False) -> int:
    """Returns the multiply-accumulates of a forward pass over one sample.

    Convolutions, dense and recurrent layers count (`neocog.core.arithmetic.recurrent_macs`), and layers of one's own
    with a method ``macs(output_shape)``; biases, norms, activations and pooling do not. ``input_shape`` is without
    the batch.

    Raises NetworkError when the input does not fit.
    """
    return sum(row.macs for row in layer_table(network, input_shape, auxiliary=auxiliary))


def layer_macs(layer: nn.Module, input_shape: tuple[int, ...], output_shape: tuple[int, ...]) -> int:
    """Returns one layer's multiply-accumulates for shapes without the batch."""
    if isinstance(layer, _ConvTransposeNd):  # each input is spread over the kernel, as a convolution gathers it
        return convolution_macs(
            layer.in_channels, layer.out_channels, layer.kernel_size, input_shape[1:], groups=layer.groups
        )
    if isinstance(layer, _ConvNd):
        return convolution_macs(
            layer.in_channels, layer.out_channels, layer.kernel_size, output_shape[1:], groups=layer.groups
        )
    if isinstance(layer, nn.Linear):
        return dense_macs(layer.in_features, layer.out_features) * prod(output_shape[:-1])
    if isinstance(layer, _RECURRENT):  # at each step every weight once, of all its layers and directions
        weights = sum(weight.numel() for weight in layer.parameters() if weight.dim() == 2)
        return weights * prod(output_shape[:-1])
    own: Any = getattr(layer, "macs", None)
    return int(own(output_shape)) if callable(own) else 0


def parameter_arithmetic(layer: nn.Module) -> str:
    """Returns where a layer's number of parameters comes from, e.g. ``16 x (3x3x3) + 16 = 448``; empty for none."""
    weights = list(layer.parameters())
    return _arithmetic(_terms(layer) or _by_size(weights), weights)


def _arithmetic(terms: str, weights: Sequence[nn.Parameter]) -> str:
    if not weights:
        return ""
    total = f"{sum(each.numel() for each in weights):,}"
    return total if terms == total else f"{terms} = {total}"


def _by_size(weights: Sequence[nn.Parameter]) -> str:
    return " + ".join(_times(each.shape) for each in weights)


def _terms(layer: nn.Module) -> str:
    if isinstance(layer, _ConvNd):
        outputs, kernel = layer.out_channels, _times((*layer.kernel_size, layer.in_channels // layer.groups))
        return f"{outputs} x ({kernel})" + (f" + {outputs}" if layer.bias is not None else "")
    if isinstance(layer, nn.Linear):
        bias = f" + {layer.out_features}" if layer.bias is not None else ""
        return f"{layer.out_features} x {layer.in_features}{bias}"
    if isinstance(layer, batchnorm._BatchNorm):
        return f"2 x {layer.num_features}"
    if isinstance(layer, nn.RNNBase) and layer.bias and not layer.proj_size:
        return _recurrent_terms(layer)
    return ""


def _recurrent_terms(layer: nn.RNNBase) -> str:
    """Returns e.g. ``2 x 4 x 128 x (300 + 128 + 2)``: directions, gates, units, inputs, units, two biases."""
    ways, units = 2 if layer.bidirectional else 1, layer.hidden_size
    gates = len(layer.all_weights[0][1]) // units
    heads = " x ".join(str(number) for number in (ways, gates) if number > 1)
    inputs = [layer.input_size, *[ways * units] * (layer.num_layers - 1)]
    return " + ".join(f"{heads} x {units} x ({each} + {units} + 2)".removeprefix(" x ") for each in inputs)


def _of_one(module: nn.Module, batch: Tensor) -> tuple[int, ...]:
    """Returns the shape of one sample of a batch; of a recurrent layer as torch has it usually, time comes first."""
    time_first = isinstance(module, nn.RNNBase) and not module.batch_first
    return (batch.shape[0], *batch.shape[2:]) if time_first else tuple(batch.shape[1:])


def _times(sizes: Sequence[int]) -> str:
    return "x".join(map(str, sizes))


def _train_all_but_norms(copy: nn.Module) -> None:
    """Norms stay as they are: an empty batch would leave its statistics in the tensors that the copy shares."""
    for module in copy.modules():
        module.training = not isinstance(module, batchnorm._BatchNorm)


def is_layer(module: nn.Module) -> bool:
    """Returns whether a module is a layer: without children, one of torch's own, or with parameters of its own."""
    if next(module.children(), None) is None:
        return not isinstance(module, nn.Identity)
    torchs_own = type(module).__module__.startswith("torch.nn") and not isinstance(
        module, (nn.Sequential, nn.ModuleList, nn.ModuleDict)
    )
    return torchs_own or next(module.parameters(recurse=False), None) is not None


def _row(
    name: str,
    layer: nn.Module,
    given: tuple[int, ...],
    made: tuple[int, ...],
    fields: Fields,
    fresh: Sequence[nn.Parameter],
) -> LayerRow:
    axes, own = max(len(given) - 1, 0), list(layer.parameters())
    return LayerRow(
        name=name,
        kind=type(layer).__name__,
        input_shape=given,
        output_shape=made,
        kernel=_setting(layer, "kernel_size", axes),
        stride=_setting(layer, "stride", axes),
        padding=_setting(layer, "padding", axes),
        params=sum(parameter.numel() for parameter in fresh),
        arithmetic=parameter_arithmetic(layer) if len(fresh) == len(own) else _arithmetic(_by_size(fresh), fresh),
        macs=layer_macs(layer, given, made),
        receptive_field=tuple(field.size for field in fields) or None,
        jump=tuple(field.jump for field in fields) or None,
        start=tuple(field.start for field in fields) or None,
    )


def _setting(layer: nn.Module, name: str, axes: int) -> Any:
    value = getattr(layer, name, None)
    return (value,) * axes if isinstance(value, int) else value
