"""Language modeling with gated convolutional networks (Dauphin et al., ICML 2017). Section 2, figure 1, table 1."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neocog.core.registry import TextInput, network
from neocog.nn.causal import GatedBlock, GatedConvolution
from neocog.nn.tables import ChannelsFirst, table

KERNEL = 4  # table 1, GCNN-9: one layer, then four blocks of two, all of width 4
BLOCKS = 4
MAPS = 128


class GatedConvLM(nn.Module):
    """Vectors of tokens, gated convolutions over the last of them, a dense layer at every place.

    Tokens (B, L), 0 where the text has not begun, to logits (B, L, classes) of the token that comes next. A place sees
    itself and the 27 tokens before it, and none behind it.
    """

    def __init__(self, classes: int, tokens: int, dimension: int, dropout: float) -> None:
        super().__init__()
        self.tokens = tokens
        self.sees = 1 + (KERNEL - 1) * (1 + 2 * BLOCKS)
        self.symbols = table(tokens, dimension, bound=1.0)
        self.vectors = ChannelsFirst()
        self.stem = GatedConvolution(dimension, MAPS, KERNEL)
        self.blocks = nn.Sequential(*(GatedBlock(MAPS, KERNEL) for _ in range(BLOCKS)))
        self.places = ChannelsFirst()
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(MAPS, classes)

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns logits (B, L, classes) for tokens (B, L)."""
        maps = self.blocks(self.stem(self.vectors(self.symbols(tokens))))  # (B, C, L)
        return self.head(self.dropout(self.places(maps)))  # type: ignore[no-any-return]

    def go_on(self, tokens: Tensor, before: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Returns logits (B, L, classes) of further tokens (B, L), and the tokens that later ones can see."""
        seen = tokens if before is None else torch.cat([before, tokens], 1)
        return self(seen)[:, seen.shape[1] - tokens.shape[1] :], seen[:, -(self.sees - 1) :]


@network(
    paper="1612.08083",
    year=2017,
    task="language modelling",
    input=(97, 128),
    classes=97,
    params=1_135_201,
    macs=144_195_584,
    text=TextInput(),
    deviations=(
        "128 maps instead of 807; characters or words with a full softmax instead of an adaptive one; "
        "no weight normalisation"
    ),
)
def gated_conv_lm(classes: int = 97, channels: int = 97, dimension: int = 64, dropout: float = 0.1) -> nn.Module:
    """Gated convolutional language model, GCNN-9 with a sixth of its maps; ``channels`` different tokens."""
    return GatedConvLM(classes, channels, dimension, dropout)
