"""Convolution with TensorFlow's padding, and the trio of convolution, batch norm and clipped ReLU."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

from neocog.core.arithmetic import same_padding

Convolution = Callable[[int, int, int, int, int], nn.Conv2d]
Norm = Callable[[int], nn.Module]


class SameConv2d(nn.Conv2d):
    """A convolution without bias that pads as TensorFlow's "SAME" does: to ceil(size / stride), an odd zero at the end.

    Weights trained so need it: on even inputs at stride 2 the symmetric padding looks half a pixel to the side.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, groups: int) -> None:
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=False)
        self.padding = "same"  # for readers of the layer; torch itself knows the word at stride 1 only

    def forward(self, x: Tensor) -> Tensor:  # (B, inputs, H, W)
        """Returns (B, outputs, ceil(H / stride), ceil(W / stride))."""
        top, bottom = same_padding(x.shape[-2], self.kernel_size[0], self.stride[0])
        left, right = same_padding(x.shape[-1], self.kernel_size[1], self.stride[1])
        padded = functional.pad(x, (left, right, top, bottom))
        return functional.conv2d(padded, self.weight, self.bias, self.stride, groups=self.groups)


def centred(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """Returns a convolution without bias, padded by half its kernel on every side."""
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False)


def tensorflow_same(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """Returns a convolution without bias, padded as TensorFlow does; at stride 1 that is `centred`, which is faster."""
    if stride == 1:
        return centred(inputs, outputs, kernel, stride, groups)
    return SameConv2d(inputs, outputs, kernel, stride, groups)


def named_trio(name: str, convolution: nn.Conv2d, norm: Norm) -> dict[str, nn.Module]:
    """Returns a convolution, its norm and a ReLU6 of its own under ``name``, ``name_bn`` and ``name_relu``."""
    return {name: convolution, f"{name}_bn": norm(convolution.out_channels), f"{name}_relu": nn.ReLU6()}
