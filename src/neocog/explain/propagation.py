"""A forward pass whose gradient carries relevance: each function of torch that meets an activation gets its rule.

The gradient c of an activation a stands for its relevance a c. Where outputs are proportional to inputs (sums, pooling,
rectifiers, reshaping), the ordinary derivative already shares relevance as the epsilon rule does; activations that are
not get a / z, so that relevance passes unchanged; linear layers get `linear_rules`. The functions are seen as they are
called, from modules or not, in place or not, however often. One that no rule is known for is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from neocog.core.errors import NetworkError
from neocog.explain.linear_rules import Linear, Rule, bounded, shared, stabilised
from neocog.explain.normalising import NORMS

# Outputs in proportion to inputs, all other operands fixed: the ordinary derivative shares relevance.
_PROPORTIONAL = frozenset(
    (
        "add", "sub", "rsub", "neg", "mul", "div", "true_divide", "relu", "abs", "maximum", "minimum", "where",
        "masked_fill", "dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_dropout",
        "feature_alpha_dropout", "max_pool1d", "max_pool2d", "max_pool3d", "max_pool1d_with_indices",
        "max_pool2d_with_indices", "max_pool3d_with_indices", "adaptive_max_pool1d", "adaptive_max_pool2d",
        "adaptive_max_pool3d", "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d_with_indices",
        "adaptive_max_pool3d_with_indices", "avg_pool1d", "avg_pool2d", "avg_pool3d", "adaptive_avg_pool1d",
        "adaptive_avg_pool2d", "adaptive_avg_pool3d", "mean", "sum", "amax", "amin", "max", "min", "cat", "concat",
        "concatenate", "stack", "flatten", "unflatten", "ravel", "view", "view_as", "reshape", "reshape_as",
        "transpose", "swapaxes", "permute", "movedim", "squeeze", "unsqueeze", "chunk", "split", "tensor_split",
        "unbind", "getitem", "setitem", "select", "narrow", "index_select", "gather", "expand", "expand_as",
        "broadcast_to", "repeat", "repeat_interleave", "tile", "contiguous", "clone", "copy", "roll", "flip",
        "unfold", "fold", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "native_channel_shuffle", "pad",
        "constant_pad_nd", "interpolate", "upsample", "cumsum", "t", "T", "mT", "H", "to", "float", "double",
        "type", "type_as", "zero", "fill", "cpu", "cuda",
    )
)  # fmt: skip
# One output an input, in any way: relevance passes unchanged (Bach et al. 2015, section 2.3).
_ELEMENTWISE = frozenset(
    (
        "relu6", "hardtanh", "clamp", "clamp_min", "clamp_max", "clip", "threshold", "leaky_relu", "prelu", "rrelu",
        "elu", "selu", "celu", "gelu", "silu", "mish", "hardswish", "hardsigmoid", "sigmoid", "tanh", "softplus",
        "softsign", "logsigmoid", "softshrink", "hardshrink", "tanhshrink", "pow", "square", "sqrt", "exp", "log",
        "log1p", "expm1", "erf", "sin", "cos", "local_response_norm", "rms_norm",
    )
)  # fmt: skip
_LINEAR = frozenset(("linear", *(f"conv{kind}{axes}d" for kind in ("", "_transpose") for axes in (1, 2, 3))))
_PRODUCTS = frozenset(("matmul", "mm", "mv", "bmm", "rmatmul"))
_COPIES = frozenset(("clone", "contiguous"))
_TAG = "_neocog_relevance"

Layer = Literal["convolution", "dense"]


class Bounds(NamedTuple):
    """The least and the greatest inputs (B, C, ...), leaves of the graph."""

    low: Tensor
    high: Tensor


@dataclass
class Source:
    """The linear layer that made a tensor, for the batch norm that may follow it."""

    layer: Linear
    kind: Layer
    inputs: Tensor
    weight: Tensor
    bias: Tensor | None
    by_rows: bool = False  # whether each row of the weights makes one channel
    version: int = 0

    def merges(self, outputs: Tensor) -> bool:
        """Returns whether a batch norm of these outputs, unchanged since, scales rows of the weights."""
        channels_second = self.kind == "convolution" or outputs.dim() == 2
        return self.by_rows and channels_second and self.version == outputs._version


@dataclass
class _Tag:
    """What is known of an activation: whether it is the input itself, and the linear layer that it comes from."""

    raw: bool = False
    source: Source | None = None


@dataclass(eq=False)
class Propagation(TorchFunctionMode):
    """Within it the functions of torch compute what they always do, and their gradient is relevance by activation.

    ``rules`` are those of the two kinds of layers; layers that read the ``values`` themselves share by z-B where there
    are ``bounds``, which they note in ``bounded``.
    """

    values: Tensor
    rules: dict[Layer, Rule]
    bounds: Bounds | None = None
    bounded: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        super().__init__()
        setattr(self.values, _TAG, _Tag(raw=True))

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Returns what the function does, its gradient by the rule for it."""
        kwargs = kwargs or {}
        active = [each for each in _tensors((args, kwargs)) if _is_activation(each)]
        if not active or not torch.is_grad_enabled():
            return func(*args, **kwargs)
        name = _plain_name(func)
        if any(getattr(each, _TAG, None) is None for each in active):
            raise NetworkError(
                f"relevance cannot tell where an input of {name} comes from: a torch.jit function or an "
                "autograd.Function made it; write it with torch's operations, or choose another method."
            )
        result, tag = self._by_rule(name, func, args, kwargs, active)
        for each in _tensors((args[:1] if name == "setitem" else (), result)):
            if each.requires_grad:
                setattr(each, _TAG, tag)
        return result

    def _by_rule(self, name: str, func: Any, args: Any, kwargs: Any, active: list[Tensor]) -> tuple[Any, _Tag]:
        if name in _PRODUCTS:
            return self._linear(_product(func, *args))
        if name in _LINEAR:
            return self._linear(_source(name, func, *args, **kwargs))
        own = self._own(name, len(active))
        if own is not None:
            return own(func, *args, **kwargs), _Tag()
        result = func(*args, **kwargs)
        if name in _PROPORTIONAL and not _multiplies(name, args, active):
            raw = name in _COPIES and getattr(active[0], _TAG).raw
            return result, _Tag(raw=raw)
        if any(each.requires_grad for each in _tensors(result)):
            raise NetworkError(_no_rule(name, len(active)))
        return result, _Tag()

    def _own(self, name: str, count: int) -> Callable[..., Any] | None:
        if name == "batch_norm":
            return self._batch_norm
        return _unchanged if name in _ELEMENTWISE and count == 1 else NORMS.get(name)

    def _linear(self, source: Source) -> tuple[Tensor, _Tag]:
        if any(_is_activation(each) for each in (source.weight, source.bias) if each is not None):
            raise NetworkError(_no_rule("a layer", 2))
        outputs = self._share(source)
        source.version = outputs._version
        return outputs, _Tag(source=source)

    def _share(self, source: Source) -> Tensor:
        parts = source.layer, source.inputs
        if self.bounds is not None and getattr(source.inputs, _TAG).raw:
            self.bounded = True
            return bounded(*parts, *self.bounds, source.weight, source.bias)
        return shared(self.rules[source.kind], *parts, source.weight, source.bias)

    def _batch_norm(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        """Batch norm right behind a layer is part of it: one layer with other weights and one bias."""
        inputs, mean, variance, weight, bias, training, _, eps = _norm_settings(*args, **kwargs)
        if training or mean is None or variance is None:
            raise NetworkError(
                "relevance has no rule for batch norm without running statistics; train it with them, "
                "or choose another method."
            )
        source: Source | None = getattr(inputs, _TAG).source
        if source is None or not source.merges(inputs):
            return func(*args, **kwargs)
        scale = (variance + eps).rsqrt() * (1 if weight is None else weight)  # (outputs,)
        shift = (0 if bias is None else bias) - mean * scale + (0 if source.bias is None else source.bias * scale)
        scaled = source.weight * scale.reshape(-1, *(1,) * (source.weight.dim() - 1))
        return self._share(Source(source.layer, source.kind, source.inputs, scaled, shift))


def _source(name: str, func: Any, input: Tensor, weight: Tensor, bias: Any = None, *rest: Any, **named: Any) -> Source:
    def layer(values: Tensor, weights: Tensor, offset: Tensor | None) -> Tensor:
        return func(values, weights, offset, *rest, **named)  # type: ignore[no-any-return]

    # A copy: the network may write over a layer's inputs once it has read them.
    kind: Layer = "dense" if name == "linear" else "convolution"
    return Source(layer, kind, _copy(input), weight, bias, by_rows="transpose" not in name)


def _copy(inputs: Tensor) -> Tensor:
    copy = inputs.clone()
    setattr(copy, _TAG, getattr(inputs, _TAG, None) or _Tag())
    return copy


def _product(func: Any, first: Tensor, second: Tensor) -> Source:
    if _is_activation(first):
        return Source(lambda values, weights, _: func(values, weights), "dense", _copy(first), second, None)
    return Source(lambda values, weights, _: func(weights, values), "dense", _copy(second), first, None)


def _norm_settings(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> tuple[Any, ...]:
    return input, running_mean, running_var, weight, bias, training, momentum, eps


def _unchanged(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    inputs = args[0] if args else kwargs["input"]
    rest = {name: value for name, value in kwargs.items() if name != "input"}
    with torch.no_grad():
        copy = inputs.detach().clone()
        before = copy.clone()
        value = func(copy, *args[1:], **rest)
        quotient = torch.where(before == 0, 0, value / stabilised(before, torch.finfo(before.dtype).tiny))
        rest_of_value = value - before * quotient
    if value is copy:  # it works in place
        inputs.mul_(quotient).add_(rest_of_value)
        return inputs
    return (inputs * quotient).add_(rest_of_value)


def _multiplies(name: str, args: Any, active: list[Tensor]) -> bool:
    divides = (
        name in ("div", "true_divide") and len(args) > 1 and isinstance(args[1], Tensor) and _is_activation(args[1])
    )
    return divides or (name == "mul" and len(active) > 1)


def _no_rule(name: str, count: int) -> str:
    if name in ("mul", "div", "true_divide", "rdiv", "a layer", *_PRODUCTS) and count > 1:
        reason = "multiplies two activations (a gate, as in squeeze and excitation, or attention)"
    else:
        reason = f"uses {name} on activations"
    instead = "give it without its softmax" if "softmax" in name else "choose integrated_gradients"
    return f"relevance has no rule for a network that {reason}; {instead}."


def _plain_name(func: Any) -> str:
    name = str(getattr(func, "__name__", func))
    if name == "__get__":
        name = str(getattr(getattr(func, "__self__", None), "__name__", name))
    return name.strip("_")


def _is_activation(tensor: Tensor) -> bool:
    """Returns whether the inputs had a part in the tensor; weights that no module holds may ask for gradients too."""
    return tensor.requires_grad and (not tensor.is_leaf or hasattr(tensor, _TAG))


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from _tensors(each)
    elif isinstance(value, dict):
        yield from _tensors(tuple(value.values()))
