"""A network of one's own through the verbs: trained, resumed, shown, and loaded only by those who ask for its code."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import neocog
from neocog.cli import main
from neocog.core.errors import NetworkError, UsageError
from neocog.core.modelfile import read_contract

CODE = """
from torch import nn


def build(classes, channels, size=16):
    pools = nn.Sequential(nn.Conv2d(channels, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten())
    return nn.Sequential(pools, nn.Linear(16, classes))
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with pictures and a network of its own, as the current one."""
    generator = np.random.default_rng(0)
    np.savez(tmp_path / "rows.npz", x=generator.integers(0, 99, (24, 12, 12), np.uint8), y=np.arange(24) % 2)
    (tmp_path / "mine_in_verbs.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("mine_in_verbs", None)


def test_train_resume_test_and_predict(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "mine_in_verbs:build"
    run = neocog.train("rows.npz", net=name, recipe="smoke", out="run", quiet=True)
    assert f"--net {name}" in run.text()
    assert read_contract(folder / "run" / "model.safetensors").network == name
    (folder / "run" / "summary.json").unlink()
    again = neocog.train(resume="run", quiet=True)
    assert again.metrics == run.metrics
    assert neocog.test("run/model.safetensors", "rows.npz", part="test", net=name).metrics == dict(run.metrics)
    assert main.run(["test", "run/model.safetensors", "rows.npz", "--part", "test"]) == 2
    refusal = capsys.readouterr().err
    assert f"say --net {name}" in refusal
    assert refusal.count("\n") == 1
    with pytest.raises(UsageError, match=r"its network is mine_in_verbs:build, not resnet18"):
        neocog.load("run/model.safetensors", net="resnet18")


def test_the_zoo_shows_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["zoo", "mine_in_verbs:build", "--input", "1x16x16"]) == 0
    assert "4 x (3x3x1) + 4 = 40" in capsys.readouterr().out


def test_a_wrong_output_is_refused_before_training(folder: Path) -> None:
    Path("mine_in_verbs.py").write_text(CODE.replace("nn.Linear(16, classes)", "nn.Linear(16, 7)"))
    sys.modules.pop("mine_in_verbs", None)
    with pytest.raises(NetworkError, match=r"into logits \(B, 2\), got \(B, 7\)"):
        neocog.train("rows.npz", net="mine_in_verbs:build", out="run", quiet=True)
    assert not (folder / "run").exists()
