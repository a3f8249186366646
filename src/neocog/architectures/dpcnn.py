"""Deep pyramid convolutional networks for text categorization (Johnson and Zhang, ACL 2017). Section 2, figure 1a."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neocog.core.registry import TextInput, network
from neocog.nn.tables import ChannelsFirst, table

MAPS = 250
BLOCKS = 7  # of two convolutions: 15 weight layers with the region embedding
KERNEL = 3


class PyramidBlock(nn.Module):
    """Two convolutions with pre-activation and an identity shortcut: (B, 250, L) to (B, 250, L)."""

    def __init__(self) -> None:
        super().__init__()
        self.relu1 = nn.ReLU()
        self.conv1 = nn.Conv1d(MAPS, MAPS, KERNEL, padding=1)
        self.relu2 = nn.ReLU()
        self.conv2 = nn.Conv1d(MAPS, MAPS, KERNEL, padding=1)

    def forward(self, x: Tensor, own: Tensor) -> Tensor:
        """Returns (B, 250, L), zero where ``own`` (B, 1, L) says that the text has ended."""
        inner = self.conv1(self.relu1(x)).masked_fill(~own, 0)
        outer: Tensor = self.conv2(self.relu2(inner))
        return (x + outer).masked_fill(~own, 0)


class Halve(nn.MaxPool1d):
    """The largest of three neighbours at every other place, over what belongs to the text alone."""

    def __init__(self) -> None:
        super().__init__(3, 2, padding=1)

    def forward(self, x: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Returns (B, C, L / 2) and which of it belongs to the text."""
        kept = own[..., ::2]  # windows around a place of the text: as many however much padding follows
        return super().forward(x.masked_fill(~own, float("-inf"))).masked_fill(~kept, 0), kept


class DPCNN(nn.Module):
    """Regions of three words, seven blocks with the length halved before each but the first, the largest of each map.

    Tokens (B, L), L at least 1, to logits (B, classes). What follows a text's last known word changes nothing.
    """

    def __init__(self, classes: int, words: int, dimension: int, dropout: float) -> None:
        super().__init__()
        self.tokens = words
        self.words = table(words, dimension)
        self.vectors = ChannelsFirst()
        self.region = nn.Conv1d(dimension, MAPS, KERNEL, padding=1)
        self.blocks = nn.ModuleList(PyramidBlock() for _ in range(BLOCKS))
        self.halves = nn.ModuleList(Halve() for _ in range(BLOCKS - 1))
        self.over_time = nn.AdaptiveMaxPool1d(1)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(MAPS, classes)
        for layer in self.modules():
            if isinstance(layer, nn.Conv1d):
                nn.init.normal_(layer.weight, std=0.01)
                assert layer.bias is not None
                nn.init.zeros_(layer.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns logits (B, classes) for tokens (B, L)."""
        places = torch.arange(1, tokens.shape[1] + 1, device=tokens.device)
        ends = ((tokens != 0) * places).amax(1, keepdim=True)
        own = (places <= ends.clamp_min(1)).unsqueeze(1)  # (B, 1, L)
        x = self.region(self.vectors(self.words(tokens))).masked_fill(~own, 0)
        x = self.blocks[0](x, own)
        for halve, block in zip(self.halves, self.blocks[1:], strict=True):
            x, own = halve(x, own)
            x = block(x, own)
        pooled = self.over_time(x.masked_fill(~own, float("-inf"))).flatten(1)  # (B, 250)
        return self.head(self.dropout(pooled))  # type: ignore[no-any-return]


@network(
    paper="10.18653/v1/P17-1052",
    year=2017,
    task="text classification",
    input=(30_000, 128),
    classes=2,
    params=11_854_552,
    macs=124_050_500,
    text=TextInput(margin=(1, 1)),
    deviations="word vectors, learned or given, under the region embedding; without its unsupervised tv-embeddings",
)
def dpcnn(classes: int = 2, channels: int = 30_000, dimension: int = 300, dropout: float = 0.5) -> nn.Module:
    """Deep pyramid CNN of 15 weight layers; ``channels`` is the number of different words."""
    return DPCNN(classes, channels, dimension, dropout)
