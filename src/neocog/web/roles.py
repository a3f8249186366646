"""What a node does, for its arithmetic: which functions work place by place, and pooling that is written as one."""

from __future__ import annotations

from typing import Any

import torch
from torch import fx, nn
from torch.nn.modules import batchnorm, dropout, instancenorm, pooling

from neocog.core.receptive import POINTWISE_LAYERS
from neocog.web.passes import Runner

NORMS = (batchnorm._BatchNorm, nn.GroupNorm, instancenorm._InstanceNorm)
POOLS = (
    pooling._MaxPoolNd, pooling._AvgPoolNd, pooling._LPPoolNd, pooling._AdaptiveAvgPoolNd, pooling._AdaptiveMaxPoolNd,
)  # fmt: skip
_ACTIVATIONS = (
    nn.ReLU, nn.ReLU6, nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.Mish, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU,
    nn.PReLU, nn.RReLU, nn.Softplus, nn.Softsign, nn.Hardtanh, nn.Hardswish, nn.Hardsigmoid, nn.Hardshrink,
    nn.Softshrink, nn.Tanhshrink, nn.LogSigmoid, nn.Threshold, nn.Identity, dropout._DropoutNd,
)  # fmt: skip
_RESHAPING = (nn.Flatten, nn.Unflatten, nn.ChannelShuffle, nn.PixelShuffle, nn.PixelUnshuffle)
_RESHAPES = frozenset({"flatten", "view", "reshape", "getitem", "permute", "transpose", "squeeze", "unsqueeze"}) | {
    "ChannelsFirst"
}
_FORMULAS = {"ScaledTanh": "1.7159 tanh(2x/3)"}
_FUNCTIONS = frozenset(
    {"relu", "relu_", "relu6", "sigmoid", "sigmoid_", "tanh", "tanh_", "gelu", "silu", "elu", "selu", "leaky_relu"}
    | {"hardtanh", "hardswish", "hardsigmoid", "softplus", "clamp", "clamp_min", "clamp_max", "neg", "exp", "abs"}
    | {"square", "sqrt", "dropout", "clone", "contiguous", "+", "-", "×", "truediv"}
)
# A functional pooling and the module that does the same for the same settings.
_AS_MODULES: dict[str, type[nn.Module]] = {
    f"{way}{axes}d": getattr(nn, f"{name}{axes}d")
    for axes in (1, 2, 3)
    for way, name in (
        ("max_pool", "MaxPool"),
        ("avg_pool", "AvgPool"),
        ("adaptive_avg_pool", "AdaptiveAvgPool"),
        ("adaptive_max_pool", "AdaptiveMaxPool"),
    )
}
_ORDERS = {
    "max_pool": ("kernel_size", "stride", "padding", "dilation", "ceil_mode"),
    "avg_pool": ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"),
    "adaptive_avg_pool": ("output_size",),
    "adaptive_max_pool": ("output_size",),
}


def pointwise_name(runner: Runner, place: int) -> str | None:
    """Returns the name of a function of each number alone, None where the node does something else."""
    node, layer = runner.nodes[place], runner.layer(place)
    if layer is None:
        return node.kind if node.kind in _FUNCTIONS and len(node.sources) == 1 else None
    own = isinstance(layer, POINTWISE_LAYERS) and not isinstance(layer, (batchnorm._BatchNorm, nn.LocalResponseNorm))
    own = own or (bool(getattr(layer, "pointwise", False)) and len(node.sources) == 1 and _by_channel(runner, place))
    return _FORMULAS.get(node.kind, node.kind) if isinstance(layer, _ACTIVATIONS) or own else None


def _by_channel(runner: Runner, place: int) -> bool:
    """Tries whether a layer that says that it works place by place leaves each channel to itself, and shuffles none."""
    layer, node = runner.layer(place), runner.nodes[place]
    assert layer is not None
    shape = runner.nodes[node.sources[0]].shape
    if shape != node.shape:
        return False
    device = next((each.device for each in layer.parameters()), torch.device("cpu"))
    x = torch.randn(1, *shape, generator=torch.Generator().manual_seed(0)).to(device)
    with torch.no_grad():
        return torch.equal(layer(x.flip(1)).flip(1), layer(x.clone()))


def keeps_channels(runner: Runner, place: int) -> bool:
    """Tells whether each map is made of the map of the same number alone, or of it before all others."""
    kinds = (*NORMS, *POOLS, nn.LocalResponseNorm)
    layer = pooling_layer(runner, place)
    return isinstance(layer, kinds) or pointwise_name(runner, place) is not None or runner.nodes[place].kind == "mean"


def role_of(runner: Runner, place: int) -> str:
    """Returns what a node does: the graph's role, and of those without one activation, norm, softmax or reshape."""
    node, layer = runner.nodes[place], runner.layer(place)
    if node.role != "other":
        return node.role
    kinds = {"norm": (*NORMS, nn.LocalResponseNorm, nn.LayerNorm), "embedding": (nn.Embedding,)}
    for name, layers in kinds.items():
        if isinstance(layer, layers):
            return name
    if isinstance(layer, (nn.Softmax, nn.LogSoftmax)) or node.kind in ("softmax", "log_softmax"):
        return "softmax"
    if isinstance(layer, _RESHAPING) or node.kind in _RESHAPES:
        return "reshape"
    return "other" if pointwise_name(runner, place) is None else "activation"


def pooling_layer(runner: Runner, place: int) -> nn.Module | None:
    """Returns the node's module, or for a functional pooling one with the same settings; None for other functions."""
    layer = runner.layer(place)
    kind = runner.nodes[place].kind
    if layer is not None or kind not in _AS_MODULES or not runner.steps:
        return layer
    return _module(kind, runner.steps[place])


def _module(kind: str, step: fx.Node) -> nn.Module | None:
    names = _ORDERS[kind[:-2]]
    given: dict[str, Any] = {**dict(zip(names, step.args[1:], strict=False)), **step.kwargs}
    settings = {name: value for name, value in given.items() if name in names}
    if any(isinstance(value, fx.Node) for value in settings.values()):
        return None
    return _AS_MODULES[kind](**settings)
