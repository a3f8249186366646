"""Pictures of one colour, and a model whose answers for them can be foretold: it names the strongest colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor, nn

from neocog.core.contract import ModelContract
from neocog.data.preprocess import PicturePreprocessing

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
PREPROCESSING = PicturePreprocessing(
    size=(32, 32), resize=32, filter="bilinear", mean=(0.5,) * 3, std=(0.25,) * 3, channels=3
)
CONTRACT = ModelContract(
    network="lenet5_modern",
    arguments={"classes": 3, "channels": 3},
    task="image classification",
    classes=tuple(COLOURS),
    preprocessing=PREPROCESSING.to_contract(),
)


class Strongest(nn.Module):
    """Logits are the mean of each channel."""

    def forward(self, x: Tensor) -> Tensor:  # (B, 3, H, W)
        return x.mean((2, 3))


def paint(path: Path, colour: str, strength: int = 255) -> Path:
    """Makes a picture of one colour; the weaker, the less sure the model is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.array(COLOURS[colour]) * strength // 255
    Image.new("RGB", (40, 36), tuple(pixels.tolist())).save(path, format="PNG")
    return path
