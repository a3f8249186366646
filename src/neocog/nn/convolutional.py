"""A classifier as a fully convolutional network, which gives a map of logits for a larger picture.

Long, Shelhamer, Darrell 2014 (arXiv:1411.4038, section 3.1), and OverFeat before (arXiv:1312.6229, section 3.5).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from neocog.core.errors import NetworkError
from neocog.core.inputs import check_input, empty_batch, shape_copy

Shape = tuple[int, ...]

# Layers behind a flattening that treat each feature by itself: the next dense layer still sees the maps before them.
_EACH_FEATURE = (
    nn.ReLU, nn.ReLU6, nn.Tanh, nn.Sigmoid, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Dropout, nn.Identity
)  # fmt: skip
_POOLS = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)
_MORE = 64  # pixels a side by which the trial picture is larger: more than the stride of the deepest networks


def fully_convolutional(network: nn.Module, input_shape: Sequence[int]) -> nn.Module:
    """Returns a copy of a classifier that gives (B, classes, H', W') for pictures of ``input_shape`` and larger.

    ``input_shape`` is what the classifier was made for, e.g. ``(3, 224, 224)``; there the map is 1x1 and holds the
    classifier's logits. The dense layer behind a flattening becomes a convolution with the window that it saw, other
    dense layers become 1x1 convolutions, and the last adaptive pooling becomes one over the window that it saw, with
    stride 1. Each place of a larger map is the classifier's answer for that part of the picture, except that padded
    layers see the neighbourhood where the part cut out by itself would have zeros. Auxiliary heads stay as they are.

    Raises NetworkError when the input does not fit, or when a layer works at one size of input only.
    """
    shape = tuple(input_shape)
    check_input(network, shape)
    changed = copy.deepcopy(network)
    for name, layer in _replacements(_calls(changed, shape)).items():
        parent, _, child = name.rpartition(".")
        setattr(changed.get_submodule(parent), child, layer)
    _try(changed, shape, expected=(1, 1))
    _try(changed, (shape[0], *(size + _MORE for size in shape[1:])), expected=None)
    return changed


class _Call(NamedTuple):
    """One call of a layer: its dotted name, what it was given and what it made."""

    name: str
    layer: nn.Module
    given: Tensor
    made: Tensor


def _calls(network: nn.Module, shape: Shape) -> list[_Call]:
    """Returns the calls of all layers in a forward pass over an empty batch, in their order."""
    trial = shape_copy(network)
    calls: list[_Call] = []
    for name, module in trial.named_modules():
        if next(module.children(), None) is None:
            module.register_forward_hook(_noting(calls, name))
    with torch.no_grad():
        made = trial(empty_batch(trial, shape))
    if len(shape) != 3 or not isinstance(made, Tensor) or made.dim() != 2:
        raise NetworkError(
            "a fully convolutional form is of a classifier of pictures (C, H, W), with logits (B, classes)."
        )
    return calls


def _noting(calls: list[_Call], name: str) -> Callable[[nn.Module, tuple[Any, ...], Any], None]:
    def note(module: nn.Module, arguments: tuple[Any, ...], output: Any) -> None:
        if arguments and isinstance(arguments[0], Tensor) and isinstance(output, Tensor):
            calls.append(_Call(name, module, arguments[0], output))

    return note


def _replacements(calls: Sequence[_Call]) -> dict[str, nn.Module]:
    """Returns the new layers, by the dotted names of those whose places they take."""
    fresh: dict[str, nn.Module] = {}
    maps: dict[int, Shape] = {}  # of flattened tensors, by their ids, which the calls keep alive: what they were
    for call in calls:
        seen = maps.get(id(call.given)) or (*call.given.shape[1:], 1, 1)[:3]
        if isinstance(call.layer, nn.Flatten):
            maps[id(call.made)] = seen
            fresh[call.name] = nn.Identity()
        elif call.given.dim() == 2:
            behind = _behind_flattening(call, seen)
            if behind is call.layer:
                maps[id(call.made)] = seen
            else:
                fresh[call.name] = behind
    pools = [call for call in calls if isinstance(call.layer, _POOLS)]
    return fresh | ({pools[-1].name: _pool(pools[-1])} if pools else {})


def _behind_flattening(call: _Call, seen: Shape) -> nn.Module:
    """Returns what slides over maps as the layer goes over flattened ones, the layer itself where it does already."""
    if isinstance(call.layer, nn.Linear):
        return _convolution(call.layer, seen)
    if isinstance(call.layer, nn.BatchNorm1d) and seen[1:] == (1, 1):
        return _norm(call.layer)
    if isinstance(call.layer, _EACH_FEATURE) or getattr(call.layer, "pointwise", False):
        return call.layer
    raise NetworkError(
        f"no convolution stands for {call.name or 'the network'!r}, a {type(call.layer).__name__} over flattened maps, "
        "so the network has no fully convolutional form; dense layers have one."
    )


def _convolution(dense: nn.Linear, seen: Shape) -> nn.Conv2d:
    maps, height, width = seen
    layer = nn.Conv2d(maps, dense.out_features, (height, width), bias=dense.bias is not None, device="meta")
    kernels = dense.weight.detach().view(dense.out_features, maps, height, width)
    layer.weight = nn.Parameter(kernels, requires_grad=dense.weight.requires_grad)
    layer.bias = dense.bias
    return layer.train(dense.training)


def _norm(norm: nn.BatchNorm1d) -> nn.BatchNorm2d:
    layer = nn.BatchNorm2d(
        norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats, device="meta"
    )
    layer.load_state_dict(norm.state_dict(), assign=True)
    return layer.train(norm.training)


def _pool(call: _Call) -> nn.Module:
    seen, made = tuple(call.given.shape[2:]), tuple(call.made.shape[2:])
    if made == seen:
        return nn.Identity()
    if made != (1, 1):
        raise NetworkError(
            f"{call.name!r} pools {_text(seen)} to {_text(made)} by windows that no single stride gives; give the "
            f"input_shape at which it sees {_text(made)}, or a multiple that a pooling of one stride would do for."
        )
    kind = nn.AvgPool2d if isinstance(call.layer, nn.AdaptiveAvgPool2d) else nn.MaxPool2d
    return kind((seen[0], seen[1]), 1)


def _try(network: nn.Module, shape: Shape, *, expected: Shape | None) -> None:
    """Runs an empty batch of pictures, and refuses a network that makes no map of them, or another than expected."""
    trial = shape_copy(network)
    entered: list[str] = []
    for name, module in trial.named_modules():
        module.register_forward_pre_hook(
            lambda module, _, name=name: entered.append(f"{name} ({type(module).__name__})")
        )
    try:
        with torch.no_grad():
            made = trial(empty_batch(trial, shape))
    except (RuntimeError, ValueError, IndexError) as error:
        raise NetworkError(
            f"{entered[-1]} does not slide over a picture of {_text(shape)}, so the network has no fully convolutional "
            "form: its weights belong to places of one size of input, or its maps are flattened outside of a layer."
        ) from error
    if made.dim() != 4 or expected not in (None, tuple(made.shape[2:])):
        raise NetworkError(
            f"the network makes {_text(made.shape[1:])} of a picture of {_text(shape)}, not a map, since it brings its "
            "places together outside of nn.Flatten and of pooling layers; make that a layer."
        )


def _text(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))
