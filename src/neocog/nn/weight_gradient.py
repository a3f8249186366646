"""The gradient of a convolution's weights as products of matrices, where that is faster than the library's.

What it is worth: `docs/benchmarks/weight-gradient.md`; where it holds: `docs/decisions/0011`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

# Where windows are worth their copy: a product of fewer channels is no faster than torch's, but on large pictures.
CHANNELS = (64, 96)  # least inputs and outputs
CHANNELS_OF_LARGE = (32, 64)  # the same where the output is at least so wide:
LARGE = 56
WORK = 60_000_000  # least multiplications
BAND = 2**21  # bytes of windows at a time, so that they are still in the cache when they are multiplied


@contextmanager
def by_products(network: nn.Module) -> Iterator[None]:
    """Has the network's 2-D convolutions take their weights' gradients by `weight_gradient` while it lasts.

    Each layer decides at each call by the size of its input; gradients differ by rounding alone. Nothing changes on
    processors other than those with AVX2 and no AVX-512, for which the limits were measured.
    """
    measured = torch.backends.cpu.get_cpu_capability() == "AVX2"
    layers = [each for each in network.modules() if type(each) is nn.Conv2d and _suits(each)] if measured else []
    try:
        for layer in layers:
            layer.forward = _Layer(layer)  # type: ignore[assignment, method-assign]
        yield
    finally:
        for layer in layers:
            del layer.forward


def _suits(layer: nn.Conv2d) -> bool:
    """Tells whether a layer is a plain convolution with enough channels at some size of its input."""
    if "forward" in vars(layer) or isinstance(layer.padding, str) or layer.padding_mode != "zeros":
        return False
    plain = layer.groups == 1 and layer.dilation == (1, 1)
    return plain and layer.kernel_size != (1, 1) and _enough(layer.weight, CHANNELS_OF_LARGE)


def _enough(weight: Tensor, channels: tuple[int, int]) -> bool:
    return weight.shape[1] >= channels[0] and weight.shape[0] >= channels[1]


class _Layer:
    """The forward pass of a convolution, the one that torch has, with another way back where that is faster."""

    def __init__(self, layer: nn.Conv2d) -> None:
        self._layer = layer

    def __call__(self, x: Tensor) -> Tensor:  # (B, C, H, W)
        layer = self._layer
        if not (torch.is_grad_enabled() and layer.weight.requires_grad and _lies_well(x, layer.weight)):
            return nn.Conv2d.forward(layer, x)
        given = (x, layer.weight, layer.bias, layer.stride, layer.padding)
        return _Convolution.apply(*given)  # type: ignore[no-any-return, no-untyped-call]


def _lies_well(x: Tensor, weight: Tensor) -> bool:
    """Tells whether a batch is float32 on the processor, with its channels last in memory, and not empty."""
    alike = x.dtype == weight.dtype == torch.float32 and x.device.type == "cpu"
    last = x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last) and x.numel() > 0
    return alike and last and not torch.is_autocast_enabled("cpu")


class _Convolution(torch.autograd.Function):
    """A convolution that chooses how its weights get their gradient; the rest is torch's."""

    @staticmethod
    def forward(
        context: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: tuple[int, int],
        padding: tuple[int, int],
    ) -> Tensor:
        context.save_for_backward(x, weight)
        context.bias = None if bias is None else [len(bias)]
        context.stride, context.padding = stride, padding
        return functional.conv2d(x, weight, bias, stride, padding)

    @staticmethod
    def backward(context: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = context.saved_tensors
        wanted = list(context.needs_input_grad[:3])
        # Gradients of gradients are torch's own.
        ours = wanted[1] and pays(weight, dy) and not torch.is_grad_enabled()
        wanted[1] = wanted[1] and not ours
        found: tuple[Tensor | None, ...] = torch.ops.aten.convolution_backward(
            dy, x, weight, context.bias, context.stride, context.padding, (1, 1), False, (0, 0), 1, wanted
        )
        if ours:
            found = (found[0], weight_gradient(x, dy, weight.shape[2:], context.stride, context.padding), found[2])
        return (*found, None, None)


def pays(weight: Tensor, dy: Tensor) -> bool:
    """Tells whether `weight_gradient` is faster than torch's for weights (outputs, inputs, *kernel) and its ``dy``."""
    channels = CHANNELS_OF_LARGE if dy.shape[-1] >= LARGE else CHANNELS
    return _enough(weight, channels) and dy.numel() * weight[0].numel() >= WORK


def weight_gradient(
    x: Tensor, dy: Tensor, kernel: tuple[int, ...], stride: tuple[int, int], padding: tuple[int, int]
) -> Tensor:
    """Returns the gradient (outputs, inputs, *kernel), channels last, of a convolution's weights.

    ``x`` (B, inputs, H, W) is what the convolution saw, ``dy`` (B, outputs, h, w) the gradient of what it gave.
    dW[o, i, u, v] is the sum over samples and output pixels p of dy[o, p] x[i, stride p + (u, v) - padding]: a product
    of the outputs' gradients with the windows that they saw, a band of a picture or a few pictures at a time.
    """
    outputs, high, wide = dy.shape[1:]
    width = x.shape[1] * kernel[0] * kernel[1]
    pictures = max(1, BAND // (4 * high * wide * width))
    lines = high if pictures > 1 else max(1, min(high, BAND // (4 * wide * width)))
    total = dy.new_zeros(outputs, width)
    for images, gradients in zip(torch.split(x, pictures), torch.split(dy, pictures), strict=True):
        windows = torch.split(_windows(images, kernel, stride, padding, (high, wide)), lines, 1)
        pixels = torch.split(gradients.permute(0, 2, 3, 1), lines, 1)
        for answers, seen in zip(pixels, windows, strict=True):
            total.addmm_(answers.reshape(-1, outputs).t(), seen.reshape(-1, width))
    return total.view(outputs, *kernel, -1).permute(0, 3, 1, 2)


def _windows(
    x: Tensor, kernel: tuple[int, ...], stride: tuple[int, int], padding: tuple[int, int], out: tuple[int, int]
) -> Tensor:
    """Returns what each output pixel sees of a batch (B, C, H, W), a view (B, h, w, *kernel, C) of the padded batch."""
    padded = functional.pad(x.permute(0, 2, 3, 1), (0, 0, padding[1], padding[1], padding[0], padding[0])).contiguous()
    of_picture, of_line, of_pixel, of_channel = padded.stride()
    steps = (of_picture, of_line * stride[0], of_pixel * stride[1], of_line, of_pixel, of_channel)
    return padded.as_strided((len(x), *out, *kernel, x.shape[1]), steps)
