"""Fixtures of the verbs' tests."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from colours import CONTRACT, Strongest, paint

from neocog import architectures
from neocog.core import modelfile
from neocog.tasks.model import Model
from neocog.tasks.prediction import predictor_for


@pytest.fixture
def model() -> Model:
    return Model(Strongest(), CONTRACT, predictor_for(CONTRACT), torch.device("cpu"))


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    torch.manual_seed(0)
    modelfile.save(path, architectures.create("lenet5_modern", classes=3, channels=3).state_dict(), CONTRACT)
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
