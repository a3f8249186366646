"""Gated convolutions that see only what came before: Dauphin et al. 2017, arXiv:1612.08083, section 2 and figure 1."""

from __future__ import annotations

from torch import Tensor, nn


class Gate(nn.GLU):
    """Gated linear unit: the first half of the maps times the sigmoid of the second (equation 1)."""

    pointwise = True  # what a unit sees is what the two units see that it is made of


class GatedConvolution(nn.Module):
    """Maps (B, C, L) to (B, ``maps``, L), of which place n sees the places n - ``kernel`` + 1 to n."""

    def __init__(self, inputs: int, maps: int, kernel: int) -> None:
        super().__init__()
        self.before = nn.ConstantPad1d((kernel - 1, 0), 0.0)  # so that no place sees what follows
        self.conv = nn.Conv1d(inputs, 2 * maps, kernel)
        self.gate = Gate(1)
        assert self.conv.bias is not None
        nn.init.normal_(self.conv.weight, std=(4 / (kernel * inputs)) ** 0.5)  # a gate that is half open halves
        nn.init.zeros_(self.conv.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Returns (B, maps, L)."""
        return self.gate(self.conv(self.before(x)))  # type: ignore[no-any-return]


class GatedBlock(nn.Module):
    """Two gated convolutions and what goes around them: (B, C, L) to (B, C, L)."""

    def __init__(self, maps: int, kernel: int) -> None:
        super().__init__()
        self.first = GatedConvolution(maps, maps, kernel)
        self.second = GatedConvolution(maps, maps, kernel)

    def forward(self, x: Tensor) -> Tensor:
        """Returns (B, C, L)."""
        return x + self.second(self.first(x))  # type: ignore[no-any-return]
