"""Maps that change places: the channel shuffle of the ShuffleNets, and a part of the maps."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neocog.core.errors import NetworkError


class ChannelShuffle(nn.Module):
    """Takes the maps of ``groups`` groups in turns (Zhang et al. 2017, arXiv:1707.01083, section 3.1).

    Raises NetworkError, when built, where the groups do not divide the maps.
    """

    pointwise = True

    def __init__(self, maps: int, groups: int) -> None:
        super().__init__()
        if maps % groups:
            raise NetworkError(f"{groups} groups do not divide {maps} maps evenly; give a multiple of {groups} maps.")
        self.maps, self.groups = maps, groups

    def forward(self, x: Tensor) -> Tensor:  # (B, maps, H, W)
        """Returns (B, maps, H, W): map j of group g comes to place ``j * groups + g``."""
        return nn.functional.channel_shuffle(x, self.groups)

    def extra_repr(self) -> str:
        """Returns the settings that the printed module shows."""
        return f"{self.maps}, groups={self.groups}"


class Interleave(nn.Module):
    """Takes the maps of two branches in turns: their concatenation and its shuffle in two groups, written at once."""

    pointwise = True

    def forward(self, first: Tensor, second: Tensor) -> Tensor:  # (B, C, H, W) each
        """Returns (B, 2 C, H, W): map i of ``first`` comes to place 2 i, map i of ``second`` to 2 i + 1."""
        return torch.stack((first, second), 2).flatten(1, 2)


class Maps(nn.Module):
    """The maps from ``start`` up to ``stop``, without a copy."""

    pointwise = True

    def __init__(self, start: int, stop: int) -> None:
        super().__init__()
        self.start, self.stop = start, stop

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W)
        """Returns (B, stop - start, H, W)."""
        return x[:, self.start : self.stop]

    def extra_repr(self) -> str:
        """Returns the settings that the printed module shows."""
        return f"{self.start}, {self.stop}"
