"""The command ``neocog look`` on texts: words on stdout, in colour in a terminal alone; one-line errors."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from neocog import architectures
from neocog.cli.main import run
from neocog.core import modelfile
from neocog.core.contract import ModelContract
from neocog.data.preprocess import PicturePreprocessing
from neocog.data.text_preprocess import TextPreprocessing


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    arguments = {"classes": 2, "channels": 3, "dimension": 4}
    words = TextPreprocessing("words", ("good", "bad", "film"), margin=(4, 5)).to_contract()
    contract = ModelContract("kim_cnn", arguments, "text classification", ("n", "p"), words)
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    torch.manual_seed(0)
    modelfile.save(path, architectures.create("kim_cnn", **arguments).state_dict(), contract)
    return str(path)


def test_words_on_stdout_and_the_rest_on_stderr(
    model_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    given = ["look", model_file, "good \x1b[2J film", "--out", str(out), "--no-trust", "--method", "occlusion"]
    assert run([*given, "--words", "good"]) == 0
    said = capsys.readouterr()
    answer, scores, *near = said.out.splitlines()
    assert answer.split("\t")[0] in "np" and "\x1b" not in said.out
    assert scores.startswith("  occlusion\t") and "good=" in scores and "film=" in scores
    assert near[0].startswith("good\tnow\t")
    assert str(out / "report.html") in said.err and (out / "look.json").is_file()


def test_colours_in_a_terminal_alone(
    model_file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ["look", model_file, "good film", "--method", "saliency", "--no-trust"]
    for name, value, coloured in (("NO_COLOR", "", True), ("NO_COLOR", "1", False), ("TERM", "dumb", False)):
        with monkeypatch.context() as terminal:
            terminal.delenv("NO_COLOR", raising=False)
            terminal.setenv("TERM", "xterm")
            terminal.setenv(name, value)
            terminal.setattr(sys.stdout, "isatty", lambda: True, raising=False)
            assert run(given) == 0
            assert ("\x1b[48;2;" in capsys.readouterr().out) == coloured


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--method", "filters"], "does not go with texts"),
        (["--layer", "filters.9"], "filters.0"),
        (["--words", "goood"], "good"),
        (["--unit", "3"], "--unit"),
    ],
)
def test_one_line_and_nothing_left(
    model_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    out = tmp_path / "out"
    assert run(["look", model_file, "good", "--out", str(out), *options]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1 and not out.exists()


def test_a_refused_text_is_a_status_of_one(model_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["look", model_file, "good", " ", "--method", "saliency", "--no-trust"]) == 1
    assert "the text is empty" in capsys.readouterr().err


def test_options_of_texts_are_refused_for_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    numbers = PicturePreprocessing((32, 32), 32, "bilinear", (0.5,), (0.25,), 1)
    arguments = {"classes": 2, "channels": 1}
    contract = ModelContract("lenet5_modern", arguments, "image classification", ("a", "b"), numbers.to_contract())
    path = tmp_path / "m.safetensors"
    modelfile.save(path, architectures.create("lenet5_modern", **arguments).state_dict(), contract)
    assert run(["look", str(path), "a.png", "--out", str(tmp_path / "o"), "--words", "good"]) == 2
    assert "--words is for models of texts" in capsys.readouterr().err
    assert run(["look", str(path), "a.png"]) == 2
    assert "--out" in capsys.readouterr().err
