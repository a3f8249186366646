"""What LeCun's networks of 1989 and 1998 share: the squashing function, sparse tables of connections, the start."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional

Table = tuple[tuple[int, ...], ...]


class ScaledTanh(nn.Module):
    """The squashing function 1.7159 tanh(2 a / 3), which maps 1 to 1 and -1 to -1 (1998, equation 6, appendix A)."""

    pointwise = True

    def forward(self, x: Tensor) -> Tensor:
        """Returns a tensor of x's shape."""
        return 1.7159 * torch.tanh(2 / 3 * x)


class TableConvolution(nn.Module):
    """A convolution in which each output map sees only the input maps that its row of a table names."""

    def __init__(self, inputs: int, table: Table, kernel: int, *, stride: int = 1, bias: bool = True) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel, stride
        self.inputs, self.table = inputs, table
        self.weight = nn.Parameter(torch.empty(sum(map(len, table)), kernel, kernel))
        self.bias = nn.Parameter(torch.empty(len(table))) if bias else None
        fan_ins = torch.tensor([len(row) * kernel**2 for row in table for _ in row], device=self.weight.device)
        with torch.no_grad():
            self.weight.uniform_(-2.4, 2.4).div_(fan_ins[:, None, None])
        if self.bias is not None:
            uniform_over_fan_in(min(map(len, table)) * kernel**2, self.bias)
        self.register_buffer("slots", self._slots(), persistent=False)

    def _slots(self) -> Tensor:
        """Where each kernel lies among the outputs x inputs kernels of a full convolution."""
        return torch.tensor(
            [row * self.inputs + column for row, columns in enumerate(self.table) for column in columns]
        )

    def forward(self, x: Tensor) -> Tensor:  # (B, inputs, H, W)
        """Returns (B, rows of the table, (H - kernel) // stride + 1, (W - kernel) // stride + 1)."""
        full = self.weight.new_zeros(len(self.table) * self.inputs, *self.weight.shape[1:])
        full = full.index_copy(0, self.get_buffer("slots"), self.weight)
        full = full.view(len(self.table), self.inputs, *self.weight.shape[1:])
        return functional.conv2d(x, full, self.bias, self.stride)

    def macs(self, output_shape: tuple[int, ...]) -> int:
        """Returns the multiply-accumulates of the connections that exist."""
        return self.weight.numel() * prod(output_shape[1:])


def uniform_over_fan_in(fan_in: int, *parameters: Tensor) -> None:
    """Draws from [-2.4, 2.4] / fan-in, so that units start where the squashing function is steep (1998, appendix A)."""
    for parameter in parameters:
        nn.init.uniform_(parameter, -2.4 / fan_in, 2.4 / fan_in)
