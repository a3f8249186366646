"""Convolution with TensorFlow's padding, and the trio of convolution, batch norm and clipped ReLU."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

from neocog.core.arithmetic import same_padding

Convolution = Callable[[int, int, int, int, int], nn.Conv2d]
Norm = Callable[[int], nn.Module]


class SameConv2d(nn.Conv2d):
    """A convolution that pads as TensorFlow's "SAME" does: to ceil(size / stride), an odd zero at the end.

    Weights trained so need it: on even inputs at stride 2 the symmetric padding looks half a pixel to the side.
    """

    def forward(self, x: Tensor) -> Tensor:  # (B, inputs, H, W)
        """Returns (B, outputs, ceil(H / stride), ceil(W / stride))."""
        top, bottom = same_padding(x.shape[-2], self.kernel_size[0], self.stride[0], self.dilation[0])
        left, right = same_padding(x.shape[-1], self.kernel_size[1], self.stride[1], self.dilation[1])
        return super().forward(functional.pad(x, (left, right, top, bottom)))


def centred(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """Returns a convolution without bias, padded by half its kernel on every side."""
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False)


def tensorflow_same(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """Returns a convolution without bias, padded as TensorFlow does; at stride 1 that is `centred`, which is faster."""
    if stride == 1:
        return centred(inputs, outputs, kernel, stride, groups)
    return SameConv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)


def named_trio(name: str, convolution: nn.Conv2d, norm: Norm) -> dict[str, nn.Module]:
    """Returns a convolution, its norm and a ReLU6 of its own under ``name``, ``name_bn`` and ``name_relu``."""
    return {name: convolution, f"{name}_bn": norm(convolution.out_channels), f"{name}_relu": nn.ReLU6()}
