"""A network of one's own through the verbs: trained, resumed, shown, and loaded only by those who ask for its code."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import neocog
from neocog.cli import main
from neocog.core.errors import NetworkError, UsageError
from neocog.core.modelfile import read_contract
from neocog.tasks.model import load

CODE = """
from torch import nn


def build(classes, channels, size=16):
    pools = nn.Sequential(nn.Conv2d(channels, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten())
    return nn.Sequential(pools, nn.Linear(16, classes))
"""

# Its layers run one by one, and what the convolution gives is an answer too: no batch norm may become part of it.
TAPPED = """
from torch import nn


class Tapped(nn.Module):
    def __init__(self, classes, channels):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(channels, classes, 3), nn.BatchNorm2d(classes), nn.ReLU())

    def forward(self, x):
        seen = []
        for layer in self.layers:
            x = layer(x)
            seen.append(x)
        return (seen[0] + x).mean((2, 3))


def tapped(classes, channels, size=16):
    return Tapped(classes, channels)
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


def test_what_its_code_sees_between_layers_stays_as_it_is(folder: Path) -> None:
    (folder / "mine_in_verbs.py").write_text(TAPPED)
    name = "mine_in_verbs:tapped"
    run = neocog.train("rows.npz", net=name, recipe="smoke", epochs=3, out="run", quiet=True)
    assert neocog.test("run/model.safetensors", "rows.npz", part="test", net=name).metrics == dict(run.metrics)
    plain, fast = (load("run/model.safetensors", net=name, fold=fold) for fold in (False, True))
    picture = torch.linspace(-1, 1, 144).view(1, 1, 12, 12)
    assert torch.equal(plain.network(picture), fast.network(picture))


def test_the_zoo_shows_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["zoo", "mine_in_verbs:build", "--input", "1x16x16"]) == 0
    assert "4 x (3x3x1) + 4 = 40" in capsys.readouterr().out


def test_a_wrong_output_is_refused_before_training(folder: Path) -> None:
    Path("mine_in_verbs.py").write_text(CODE.replace("nn.Linear(16, classes)", "nn.Linear(16, 7)"))
    sys.modules.pop("mine_in_verbs", None)
    with pytest.raises(NetworkError, match=r"into logits \(B, 2\), got \(B, 7\)"):
        neocog.train("rows.npz", net="mine_in_verbs:build", out="run", quiet=True)
    assert not (folder / "run").exists()
