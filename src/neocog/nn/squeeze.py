"""Squeeze-and-excitation (Hu, Shen, Albanie, Sun, Wu 2017, arXiv:1709.01507)."""

from __future__ import annotations

from torch import Tensor, nn


class SqueezeExcitation(nn.Module):
    """Weighs each map by a number in (0, 1) that all maps' averages decide on (section 3, figure 1).

    The averages go through a bottleneck of ``maps / reduction`` units with ReLU and through a sigmoid.
    """

    def __init__(self, maps: int, reduction: int = 16) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(maps, maps // reduction, 1)
        self.relu = nn.ReLU()
        self.fc2 = nn.Conv2d(maps // reduction, maps, 1)
        self.sigmoid = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:  # (B, maps, H, W)
        """Returns a tensor of x's shape."""
        weights: Tensor = self.sigmoid(self.fc2(self.relu(self.fc1(self.pool(x)))))  # (B, maps, 1, 1)
        return x * weights
