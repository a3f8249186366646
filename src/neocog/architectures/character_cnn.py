"""Character-level convolutional networks for text classification (Zhang, Zhao and LeCun, NIPS 2015). Tables 1 and 2."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

from neocog.core.registry import TextInput, network
from neocog.nn.tables import ChannelsFirst, OneHot

PAPER = "1509.01626"
# Section 2.2: letters, digits, other characters, the line feed; the minus stands twice in the paper's list.
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-,;.!?:'\"/\\|_@#$%^&*~`+-=<>()[]{}\n"
LENGTH = 1014
TEXT = TextInput("characters", length=LENGTH, backward=True, alphabet=ALPHABET)

# Table 1: kernel, pool.
ROWS = (
    (7, 3),  # 1
    (7, 3),  # 2
    (3, 0),  # 3
    (3, 0),  # 4
    (3, 0),  # 5
    (3, 3),  # 6
)
FRAMES = 34  # (1014 - 96) / 27


class CharacterCNN(nn.Module):
    """Characters one-hot, six convolutions, three dense layers: tokens (B, 1014) to logits (B, classes)."""

    def __init__(self, classes: int, tokens: int, maps: int, units: int, std: float, dropout: float) -> None:
        super().__init__()
        self.tokens = tokens
        self.code = OneHot(tokens)
        self.frames = ChannelsFirst()
        self.features = _features(tokens, maps)
        self.dense = nn.Sequential(
            OrderedDict(
                flatten=nn.Flatten(),  # (B, 34 maps)
                fc7=nn.Linear(FRAMES * maps, units),
                relu7=nn.ReLU(),
                dropout7=nn.Dropout(dropout),
                fc8=nn.Linear(units, units),
                relu8=nn.ReLU(),
                dropout8=nn.Dropout(dropout),
            )
        )
        self.head = nn.Linear(units, classes)
        for layer in self.modules():
            if isinstance(layer, (nn.Conv1d, nn.Linear)):
                nn.init.normal_(layer.weight, std=std)

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns logits (B, classes) for tokens (B, 1014)."""
        features = self.features(self.frames(self.code(tokens)))
        return self.head(self.dense(features))  # type: ignore[no-any-return]


def _features(channels: int, maps: int) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, (kernel, pool) in enumerate(ROWS, 1):
        layers[f"conv{number}"] = nn.Conv1d(channels, maps, kernel)
        layers[f"relu{number}"] = nn.ReLU()
        if pool:
            layers[f"pool{number}"] = nn.MaxPool1d(pool)
        channels = maps
    return nn.Sequential(layers)


@network(
    paper=PAPER,
    year=2015,
    task="text classification",
    input=(70, LENGTH),
    classes=4,
    params=95_940_612,
    macs=4_324_696_064,
    text=TEXT,
)
def character_cnn_large(classes: int = 4, channels: int = 70, dropout: float = 0.5) -> nn.Module:
    """Character CNN, large: 1024 maps, 2048 units; ``channels`` is the number of different characters."""
    return CharacterCNN(classes, channels, 1024, 2048, 0.02, dropout)


@network(
    paper=PAPER,
    year=2015,
    task="text classification",
    input=(70, LENGTH),
    classes=4,
    params=11_339_780,
    macs=370_372_608,
    text=TEXT,
    aliases=("character_cnn",),
)
def character_cnn_small(classes: int = 4, channels: int = 70, dropout: float = 0.5) -> nn.Module:
    """Character CNN, small: 256 maps, 1024 units; ``channels`` is the number of different characters."""
    return CharacterCNN(classes, channels, 256, 1024, 0.05, dropout)
