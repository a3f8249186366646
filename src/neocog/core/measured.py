"""The receptive field as gradients measure it, to hold the theory of `neocog.core.receptive` against."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from neocog.core.arithmetic import each_axis, extent, output_shape
from neocog.core.errors import NetworkError, near_names
from neocog.core.receptive import POINTWISE_LAYERS


def measured_field(
    network: nn.Module,
    inputs: Tensor,
    layer: str,
    unit: Sequence[int] | None = None,
    *,
    enter: Callable[[nn.Module], Callable[[Tensor], object]] | None = None,
) -> tuple[range, ...]:
    """Returns the box of input positions whose gradient at a layer's unit is not zero, one range an axis.

    Of ``inputs`` (B, C, ...) only the shape counts; ``layer`` is a dotted name, with ``name@1`` for the first call of
    one that is called several times, else its last; ``unit`` is a position on its maps, the middle unless given.
    ``enter`` turns a network into a function of the inputs, for inputs that begin further up (behind an embedding).
    The box leaves padding out, and is empty for a unit that sees nothing else. Measured on a copy in which nothing
    cancels and nothing is cut off: positive weights, averages for maxima, no norms and activations.
    A layer of one's own whose outputs do not grow with its inputs can make the box too small.

    Raises NetworkError when the network has no such layer, or does not call it in evaluation mode.
    """
    trial = _positive_copy(network)
    device = next((parameter.device for parameter in trial.parameters()), inputs.device)
    ones = torch.ones(1, *inputs.shape[1:], dtype=torch.float64, device=device, requires_grad=True)
    maps = _maps(trial, trial if enter is None else enter(trial), ones, layer)  # (1, M, ...)
    place: tuple[Any, ...] = tuple(size // 2 for size in maps.shape[2:]) if unit is None else tuple(unit)
    (gradient,) = torch.autograd.grad(maps[0, :, *place].sum(), ones, allow_unused=True)
    reached = torch.zeros_like(ones) if gradient is None else gradient
    return _box(reached[0].ne(0).any(0))


def _maps(network: nn.Module, run: Callable[[Tensor], object], inputs: Tensor, layer: str) -> Tensor:
    """Returns what a layer makes of the inputs, at the call that is asked for or its last."""
    names = dict(network.named_modules())
    name, _, call = layer.partition("@")
    if name not in names:
        raise NetworkError(f"the network has no layer {layer!r}.{near_names(layer, names)}")
    made: list[Tensor] = []

    def note(_module: nn.Module, _inputs: object, output: object) -> None:
        if isinstance(output, Tensor):
            made.append(output.clone())  # the next layer may work in place

    handle = names[name].register_forward_hook(note)
    with _Averages():
        run(inputs)
    handle.remove()
    if not made:
        raise NetworkError(f"the network does not call {layer!r} in evaluation mode; name a layer that it calls.")
    if call and not (call.isdecimal() and 1 <= int(call) <= len(made)):
        raise NetworkError(f"the network calls {name!r} {len(made)} times in one pass; there is no {layer!r}.")
    return made[int(call or len(made)) - 1]


def _box(seen: Tensor) -> tuple[range, ...]:
    """Returns the smallest box, one range an axis, around what is true; empty ranges when nothing is."""
    places = seen.nonzero()  # (places, axes)
    if not len(places):
        return (range(0),) * seen.dim()
    least, most = places.amin(0).tolist(), places.amax(0).tolist()
    return tuple(range(first, last + 1) for first, last in zip(least, most, strict=True))


def _positive_copy(network: nn.Module) -> nn.Module:
    """Returns a copy in double precision and evaluation mode whose outputs grow with each input that they see.

    A layer's weights are one over its fan-in, so that deep networks neither overflow nor vanish.
    """
    trial = _without_pointwise(copy.deepcopy(network)).double().eval()
    with torch.no_grad():
        for parameter in trial.parameters():
            parameter.fill_(1 / prod(parameter.shape[1:]))
    return trial


def _without_pointwise(module: nn.Module) -> nn.Module:
    """Returns the module with an identity for each layer that could hide an input, but mixes no two places."""
    if isinstance(module, POINTWISE_LAYERS):
        return nn.Identity()
    for name, child in list(module._modules.items()):
        if child is not None:
            module._modules[name] = _without_pointwise(child)
    return module


def _mean(
    x: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,  # noqa: ARG001  # the arguments are those of torch's max poolings
) -> Tensor:
    """Returns the average (B, C, ...) over each window in which a max pooling of x (B, C, ...) takes the largest."""
    axes = x.dim() - 2
    settings = (kernel_size, stride or kernel_size, padding, dilation)
    kernel, strides, paddings, dilations = (each_axis(setting, axes) for setting in settings)
    made = output_shape(x.shape[2:], kernel, strides, paddings, dilations, ceil=ceil_mode)
    zeros: list[int] = []  # from the last axis to the first, as functional.pad takes them
    for axis in reversed(range(axes)):
        spanned = (made[axis] - 1) * strides[axis] + extent(kernel[axis], dilations[axis])
        zeros += [paddings[axis], spanned - x.shape[2 + axis] - paddings[axis]]
    weight = x.new_full((x.shape[1], 1, *kernel), 1 / prod(kernel))
    padded = functional.pad(x, zeros)
    return _CONVOLUTIONS[axes](padded, weight, stride=strides, dilation=dilations, groups=x.shape[1])


def _adaptive_mean(x: Tensor, output_size: Any, return_indices: bool = False) -> Tensor:  # noqa: ARG001
    averages: Any = _ADAPTIVE_AVERAGES[x.dim() - 2]
    return averages(x, output_size)  # type: ignore[no-any-return]


_CONVOLUTIONS = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
_ADAPTIVE_AVERAGES = {
    1: functional.adaptive_avg_pool1d,
    2: functional.adaptive_avg_pool2d,
    3: functional.adaptive_avg_pool3d,
}
_STAND_INS: dict[Any, Any] = {
    **dict.fromkeys((functional.max_pool1d, functional.max_pool2d, functional.max_pool3d), _mean),
    **dict.fromkeys((torch.max_pool1d, torch.max_pool2d, torch.max_pool3d), _mean),
    functional.adaptive_max_pool1d: _adaptive_mean,
    functional.adaptive_max_pool2d: _adaptive_mean,
    functional.adaptive_max_pool3d: _adaptive_mean,
    torch.amax: torch.mean,
    Tensor.amax: torch.mean,
    torch.maximum: torch.add,
}


class _Averages(TorchFunctionMode):
    """Takes averages for maxima, whoever asks for them: behind a maximum, a gradient reaches the winner alone."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _STAND_INS.get(func, func)(*args, **(kwargs or {}))
