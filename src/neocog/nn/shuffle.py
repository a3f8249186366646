"""Maps that change places: the channel shuffle of the ShuffleNets, and their two halves."""

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
    """Takes the maps of two branches in turns: their concatenation and its shuffle in two groups, written at once.

    Where the channels lie last, two maps' values that are to be neighbours are written as one complex number, which
    costs a third of a copy value by value.
    """

    pointwise = True

    def forward(self, first: Tensor, second: Tensor) -> Tensor:  # (B, C, H, W) each
        """Returns (B, 2 C, H, W): map i of ``first`` comes to place 2 i, map i of ``second`` to 2 i + 1."""
        if _channels_last(second) and not torch.compiler.is_compiling():
            parts = first.permute(0, 2, 3, 1), second.permute(0, 2, 3, 1)  # (B, H, W, C)
            paired = second.dtype in (torch.float32, torch.float64)
            pairs = torch.view_as_real(torch.complex(*parts)) if paired else torch.stack(parts, -1)  # (B, H, W, C, 2)
            return pairs.flatten(3).permute(0, 3, 1, 2)
        return torch.stack((first, second), 2).flatten(1, 2)


def _channels_last(maps: Tensor) -> bool:
    return maps.is_contiguous(memory_format=torch.channels_last) and not maps.is_contiguous()


class Halves(nn.Module):
    """The first half of the maps and the second, without a copy."""

    pointwise = True

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # (B, C, H, W)
        """Returns (B, C / 2, H, W) twice."""
        first, second = x.chunk(2, 1)  # one gradient of all maps; that of two slices would be two, and their sum
        return first, second
