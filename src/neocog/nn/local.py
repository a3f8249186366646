"""Local connections: a convolution's window at every position, each with weights of its own."""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

from neocog.core.arithmetic import output_size
from neocog.core.errors import NetworkError


class LocallyConnected2d(nn.Module):
    """A convolution that shares no weights: each position has kernels and biases of its own.

    ``size`` is the height and width of its inputs, on which the number of positions depends. Weights start normal with
    variance 2 / fan-in (He et al. 2015, arXiv:1502.01852, equation 10), biases at zero.

    Raises NetworkError when the kernel does not fit the size.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, *, size: int, stride: int = 1, padding: int = 0
    ) -> None:
        super().__init__()
        side = output_size(size, kernel, stride, padding)
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size, self.stride, self.padding = kernel, stride, padding
        self.weight = nn.Parameter(torch.empty(side, side, out_channels, in_channels, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(side, side, out_channels))
        self.fan_in = in_channels * kernel**2
        nn.init.normal_(self.weight, std=sqrt(2 / self.fan_in))

    def forward(self, x: Tensor) -> Tensor:  # (B, in_channels, size, size)
        """Returns (B, out_channels, positions, positions).

        Raises NetworkError for inputs of another size.
        """
        if self.padding:
            x = functional.pad(x, (self.padding,) * 4)
        windows = x.unfold(2, self.kernel_size, self.stride).unfold(3, self.kernel_size, self.stride)
        batch, (rows, columns) = x.shape[0], windows.shape[2:4]
        if (rows, columns) != self.weight.shape[:2]:
            raise NetworkError(
                f"the local connections have {self.weight.shape[0]}x{self.weight.shape[1]} positions, the input has "
                f"{rows}x{columns}; build the network for this input's size."
            )
        # One matrix product a position: its windows (B, fan-in) times its kernels (fan-in, out_channels).
        patches = windows.permute(2, 3, 0, 1, 4, 5).reshape(rows * columns, batch, self.fan_in)
        kernels = self.weight.view(rows * columns, self.out_channels, self.fan_in).transpose(1, 2)
        sums = torch.baddbmm(self.bias.view(rows * columns, 1, self.out_channels), patches, kernels)
        return sums.permute(1, 2, 0).reshape(batch, self.out_channels, rows, columns)

    def macs(self, output_shape: tuple[int, ...]) -> int:
        """Returns the multiply-accumulates: each weight is used once, whatever the shape."""
        del output_shape
        return self.weight.numel()
