"""A model whose answers can be foretold: it names the strongest of three colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from neocog import architectures
from neocog.core import modelfile
from neocog.core.contract import ModelContract
from neocog.data.preprocess import PicturePreprocessing
from neocog.tasks.model import Model
from neocog.tasks.prediction import predictor_for

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


@pytest.fixture
def model() -> Model:
    return Model(Strongest(), CONTRACT, predictor_for(CONTRACT), torch.device("cpu"))


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    torch.manual_seed(0)
    modelfile.save(path, architectures.create("lenet5_modern", classes=3, channels=3).state_dict(), CONTRACT)
    return path


def paint(path: Path, colour: str, strength: int = 255) -> Path:
    """Makes a picture of one colour; the weaker, the less sure the model is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.array(COLOURS[colour]) * strength // 255
    Image.new("RGB", (40, 36), tuple(pixels.tolist())).save(path, format="PNG")
    return path


@pytest.fixture
def painted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with some pictures."""
    monkeypatch.chdir(tmp_path)
    paint(Path("photos/b.png"), "blue")
    paint(Path("photos/deep/g.JPG"), "green")
    paint(Path("photos/a.png"), "red")
    Path("photos/notes.md").write_text("no picture")
    Path("photos/.hidden.png").write_bytes(b"")
    Path("photos/broken.png").write_bytes(b"hello")
    return tmp_path
