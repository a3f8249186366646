"""Chains of layers from whose middle auxiliary heads branch off, and the pooling such heads begin with."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional

from neocog.core.outputs import WithAuxiliary


class WithHeads(nn.Sequential):
    """A chain of layers; children called ``aux...`` are heads on what comes before them, and the chain goes past them.

    ``weight`` is what an auxiliary loss counts (Szegedy et al. 2014, arXiv:1409.4842, section 5: 0.3).
    """

    def __init__(self, layers: Mapping[str, nn.Module], *, weight: float) -> None:
        super().__init__(OrderedDict(layers))
        self.weight = weight

    def forward(self, x: Tensor) -> Tensor | WithAuxiliary:
        """Returns the logits, and in training mode those of the auxiliary heads too."""
        auxiliary = []
        for name, layer in self.named_children():
            if not name.startswith("aux"):
                x = layer(x)
            elif self.training:
                auxiliary.append(layer(x))
        return WithAuxiliary(x, tuple(auxiliary), self.weight) if auxiliary else x


class GridPool(nn.Module):
    """Averages over ``side`` x ``side`` windows of one size, evenly apart and as far apart as they can be.

    On 14x14 maps, 4 a side are 5x5 windows every 3, as GoogLeNet's auxiliary heads have them; on 17x17 maps so are 5 a
    side, as Inception-v3's has them. Maps smaller than the grid are spread over it.
    """

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W)
        """Returns (B, C, side, side)."""
        height, width = x.shape[-2:]
        if min(height, width) < self.side:
            return functional.adaptive_avg_pool2d(x, self.side)
        strides = height // self.side, width // self.side
        last = self.side - 1
        return functional.avg_pool2d(x, (height - last * strides[0], width - last * strides[1]), strides)

    def extra_repr(self) -> str:
        """Returns what stands in the brackets when the module is printed."""
        return f"side={self.side}"
