"""Max pooling with TensorFlow's padding."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from neocog.core.arithmetic import same_padding


class SameMaxPool2d(nn.MaxPool2d):
    """Max pooling that pads as TensorFlow's "SAME" does, for strides of 2 and more: to ceil(size / stride).

    Of an odd number of pads the larger part goes to the end, which a window that hangs over does without a copy.
    """

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__(kernel, stride, ceil_mode=True)
        self.kernel, self.step = kernel, stride
        self.padding = "same"  # type: ignore[assignment]  # for readers of the layer; torch does not know the word

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W)
        """Returns (B, C, ceil(H / stride), ceil(W / stride))."""
        before = [same_padding(size, self.kernel, self.step)[0] for size in x.shape[-2:]]
        return functional.max_pool2d(x, self.kernel, self.step, before, ceil_mode=True)
