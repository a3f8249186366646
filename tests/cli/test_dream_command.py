"""The command dream: what goes to stdout, one line for what goes wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from neocog import architectures
from neocog.cli import main
from neocog.core import modelfile
from neocog.core.contract import ModelContract
from neocog.data.preprocess import PicturePreprocessing


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    preprocessing = PicturePreprocessing((32, 32), 32, "bilinear", (0.2,), (0.3,), channels=1)
    arguments = {"classes": 2, "channels": 1}
    contract = ModelContract("lenet5", arguments, "image classification", ("a", "b"), preprocessing.to_contract())
    torch.manual_seed(0)
    modelfile.save(path, architectures.create("lenet5", **arguments).state_dict(), contract)
    return path


def test_each_dream_is_a_line(digits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "out"
    assert main.run(["dream", str(digits), "c1:0", "--class", "b", "--out", str(out), "--steps", "2"]) == 0
    captured = capsys.readouterr()
    rows = [line.split("\t") for line in captured.out.splitlines()]
    assert [row[:2] for row in rows] == [[str(out / "c1_0.png"), "c1:0"], [str(out / "class-b.png"), "class b"]]
    assert "sheet.png" in captured.err


def test_json(digits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    arguments = ["dream", str(digits), "c3:1", "--out", str(tmp_path / "a.png"), "--steps", "1", "--json", "--plain"]
    assert main.run(arguments) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads((tmp_path / "a.json").read_text())
    assert told["method"] == "ascend"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["c9:1"], "no layer 'c9'"),
        (["c3:1", "--size", "16"], "32x32"),
        ([], "nothing to dream of"),
        (["--class", "c"], "no class 'c'"),
        (["c3", "--start", "none.png"], "none.png"),
    ],
)
def test_what_goes_wrong_is_one_line(digits: Path, tmp_path: Path, capsys, arguments, words):
    assert main.run(["dream", str(digits), *arguments, "--out", str(tmp_path / "new")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert words in captured.err
    assert list(tmp_path.iterdir()) == []


def test_out_is_needed(digits: Path, capsys: pytest.CaptureFixture[str]):
    assert main.run(["dream", str(digits), "c1"]) == 2
    assert "--out" in capsys.readouterr().err
