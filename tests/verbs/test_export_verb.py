"""`neocog.export`: weights in other libraries' names come back bit for bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from colours import CONTRACT

import neocog
from neocog.cli import main
from neocog.core import modelfile
from neocog.core.errors import ModelFileError, NetworkError, UsageError


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "model.safetensors"
    contract = replace(CONTRACT, network="mobilenet_v2", arguments={"classes": 3, "channels": 3})
    modelfile.save(path, neocog.create("mobilenet_v2", classes=3).state_dict(), contract)
    return path


@pytest.mark.parametrize("name", ["out.safetensors", "out.pth"])
def test_what_is_written_is_read_back_bit_for_bit(trained: Path, tmp_path: Path, name: str) -> None:
    out = neocog.export(trained, weights="torchvision", out=tmp_path / name)
    assert out == tmp_path / name
    again = neocog.create("mobilenet_v2", weights=f"torchvision:{out}")
    _, state = modelfile.read(trained)
    assert set(again.state_dict()) == set(state)
    assert all(torch.equal(tensor, again.state_dict()[key]) for key, tensor in state.items())
    if out.suffix == ".pth":
        assert "classifier.1.weight" in torch.load(out, weights_only=True)


def test_the_command(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "a.safetensors"
    assert main.run(["export", str(trained), "--weights", "torchvision", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert main.run(["export", str(trained), "--out", str(out)]) == 2
    assert "--weights" in capsys.readouterr().err


def test_what_cannot_be_exported(trained: Path, model_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.safetensors"
    with pytest.raises(UsageError, match="Did you mean torchvision"):
        neocog.export(trained, weights="torchvison", out=out)
    with pytest.raises(UsageError, match=r"should end in \.safetensors"):
        neocog.export(trained, weights="timm", out=tmp_path / "a.onnx")
    with pytest.raises(UsageError, match="the model file itself"):
        neocog.export(trained, weights="torchvision", out=trained)
    with pytest.raises(NetworkError, match="timm has no lenet5_modern"):
        neocog.export(model_file, weights="timm", out=out)
    with pytest.raises(ModelFileError, match="no such model file"):
        neocog.export(tmp_path / "none", weights="timm", out=out)
    assert not out.exists()
