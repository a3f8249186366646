"""Very deep convolutional networks for text classification (Conneau et al., EACL 2017). Section 3 and table 2."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

from neocog.core.registry import TextInput, network
from neocog.nn.tables import ChannelsFirst, table

# Section 4.2: 66 characters and the space; padding and unknown characters are number 0.
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-,;.!?:'\"/|_#$%^&*~`+=<>()[]{} "
LENGTH = 1024
DIMENSION = 16
STEM = 64
LARGEST = 8  # of each map

# Table 2, depth 9: maps, convolutions; the length is halved between the rows.
ROWS = (
    (64, 2),
    (128, 2),
    (256, 2),
    (512, 2),
)


class KMaxPool(nn.Module):
    """The k largest values of each map in their order of time: (B, C, L) to (B, C, k)."""

    def __init__(self, k: int) -> None:
        super().__init__()
        self.k = k

    def forward(self, x: Tensor) -> Tensor:
        """Returns (B, C, k)."""
        places = x.topk(self.k, 2).indices.sort(2).values
        return x.gather(2, places)


class VDCNN(nn.Module):
    """Characters as vectors of 16 numbers, convolutions of 3, the 8 largest answers of each map, three dense layers."""

    def __init__(self, classes: int, tokens: int) -> None:
        super().__init__()
        self.tokens = tokens
        self.characters = table(tokens, DIMENSION)
        self.frames = ChannelsFirst()
        self.stem = nn.Conv1d(DIMENSION, STEM, 3, padding=1)
        self.features = _features()
        self.k_max = KMaxPool(LARGEST)
        wide = ROWS[-1][0] * LARGEST
        self.dense = nn.Sequential(
            OrderedDict(
                flatten=nn.Flatten(),  # (B, 4096)
                fc1=nn.Linear(wide, 2048),
                relu1=nn.ReLU(),
                fc2=nn.Linear(2048, 2048),
                relu2=nn.ReLU(),
            )
        )
        self.head = nn.Linear(2048, classes)
        for layer in self.modules():
            if isinstance(layer, (nn.Conv1d, nn.Linear)):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns logits (B, classes) for tokens (B, L), L at least 64."""
        x = self.stem(self.frames(self.characters(tokens)))
        return self.head(self.dense(self.k_max(self.features(x))))  # type: ignore[no-any-return]


def _features() -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    inputs = STEM
    for row, (maps, convolutions) in enumerate(ROWS, 1):
        if row > 1:
            layers[f"pool{row - 1}"] = nn.MaxPool1d(3, 2, padding=1)
        for number in range(1, convolutions + 1):
            layers[f"conv{row}_{number}"] = nn.Conv1d(inputs, maps, 3, padding=1, bias=False)
            layers[f"norm{row}_{number}"] = nn.BatchNorm1d(maps)
            layers[f"relu{row}_{number}"] = nn.ReLU()
            inputs = maps
    return nn.Sequential(layers)


@network(
    paper="1606.01781",
    year=2017,
    task="text classification",
    input=(67, LENGTH),
    classes=4,
    params=14_176_132,
    macs=305_143_808,
    text=TextInput("characters", length=LENGTH, alphabet=ALPHABET),
    deviations="a character outside the alphabet is padding: the paper has a vector of its own for it",
    aliases=("vdcnn",),
)
def vdcnn9(classes: int = 4, channels: int = 67) -> nn.Module:
    """Very deep character CNN, depth 9, without shortcuts; ``channels`` is the number of different characters."""
    return VDCNN(classes, channels)
