"""The command ``neocog look``: its streams, its exit status, its one-line errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from neocog import architectures
from neocog.cli.main import run
from neocog.core import modelfile
from neocog.core.contract import ModelContract
from neocog.data.preprocess import PicturePreprocessing


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    numbers = PicturePreprocessing(
        size=(32, 32), resize=32, filter="bilinear", mean=(0.5,) * 3, std=(0.25,) * 3, channels=3
    )
    contract = ModelContract(
        network="lenet5_modern",
        arguments={"classes": 3, "channels": 3},
        task="image classification",
        classes=("red", "green", "blue"),
        preprocessing=numbers.to_contract(),
    )
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    torch.manual_seed(0)
    modelfile.save(path, architectures.create("lenet5_modern", classes=3, channels=3).state_dict(), contract)
    return str(path)


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "a.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 36, 3), np.uint8)).save(path)
    return str(path)


def test_files_on_stdout_and_the_rest_on_stderr(
    model_file: str, picture: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(["look", model_file, picture, "--out", str(out), "--method", "saliency", "--no-trust"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [str(out / "saliency.png")]
    assert str(out / "report.html") in said.err


def test_some_refused(model_file: str, picture: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.png").write_bytes(b"hello")
    given = ["look", model_file, picture, str(tmp_path / "bad.png"), "--out", str(tmp_path / "out")]
    assert run([*given, "--method", "saliency", "--no-trust"]) == 1
    assert "bad.png" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--method", "salency"], "saliency"),
        (["--layer", "c1_rele"], "c1_relu"),
        (["--class", "gren"], "green"),
        (["--method", "nearest_neighbours"], "--data"),
    ],
)
def test_one_line_and_nothing_left(
    model_file: str, picture: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    out = tmp_path / "out"
    assert run(["look", model_file, picture, "--out", str(out), *options]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_out_that_is_there(model_file: str, picture: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["look", model_file, picture, "--out", str(picture)]) == 2
    assert "give a new folder" in capsys.readouterr().err


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["look", "--list"]) == 0
    assert "grad_cam" in capsys.readouterr().out
