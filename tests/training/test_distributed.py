"""Two real processes train as one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from toy_training import ToyTask, run_toy, toy_network, toy_recipe

from neocog.training.distributed import SINGLE, World, expected, joined
from neocog.training.loop import Fit
from neocog.training.sync_norm import SyncBatchNorm, synchronise

PROGRAM = Path(__file__).with_name("toy_training.py")


def command(*arguments: str) -> list[str]:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    return [*launcher, str(PROGRAM), *arguments]


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def launch(*arguments: str) -> None:
    done = subprocess.run(command(*arguments), capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def alone(**options: Any) -> Fit:
    recipe = toy_recipe(epochs=2, ema=0.9)
    return run_toy(None, task=ToyTask(mixup=0.0), recipe=recipe, phases=None, **options)


@pytest.mark.parametrize("sync", [False, True], ids=["no batch norm", "synchronised batch norm"])
def test_two_processes_end_where_one_does(tmp_path: Path, sync: bool) -> None:
    # 90 samples in 6 batches of 15: the shares are 8 and 7, so a mean of means would be wrong.
    whole = alone(network=toy_network(norm=sync, dropout=0.0))
    launch(str(tmp_path / "run"), "--plain", *(["--sync"] if sync else []))
    weights = load_file(tmp_path / "run" / "final.safetensors")
    assert weights.keys() == whole.state.keys()
    for name, tensor in whole.state.items():
        torch.testing.assert_close(weights[name], tensor, rtol=2e-4, atol=2e-5)
    rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    epochs = [row for row in rows if row["event"] == "epoch"]
    assert len(epochs) == 2  # one process writes
    assert all(row["val_n"] == 41 and row["val_seen_once"] == 1 for row in epochs)
    assert epochs[-1]["train_loss"] == pytest.approx(whole.history[-1]["train_loss"], rel=1e-4)


def test_two_killed_processes_resume_exactly(tmp_path: Path) -> None:
    launch(str(tmp_path / "whole"))
    out = tmp_path / "killed"
    process = subprocess.Popen(
        command(str(out)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment(), text=True
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(2 + 15)]  # two process numbers, then the main one's steps
    for line in lines:
        if line.startswith("process"):
            os.kill(int(line.split()[1]), signal.SIGKILL)
    process.communicate()
    assert process.returncode != 0
    assert not (out / "final.safetensors").exists()
    launch(str(out), "--resume")
    one, other = load_file(tmp_path / "whole" / "final.safetensors"), load_file(out / "final.safetensors")
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert len((out / "metrics.csv").read_text().splitlines()) == 6


def test_a_single_process_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert expected() is SINGLE
    with joined(torch.device("cpu")) as world:
        assert world is SINGLE
        assert not torch.distributed.is_initialized()
    assert SINGLE.gather({"a": 1}) == [{"a": 1}]
    assert SINGLE.share("b") == "b"
    network = toy_network()
    assert synchronise(network) is network
    assert not any(isinstance(module, SyncBatchNorm) for module in network.modules())


def test_torchruns_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    assert expected() == World(3, 4, 1)
    assert not expected().main


@pytest.mark.parametrize("momentum", [0.1, None])
def test_synchronised_batch_norm_of_one_process_is_batch_norm(monkeypatch: pytest.MonkeyPatch, momentum: float) -> None:
    monkeypatch.setattr("neocog.training.sync_norm._all_reduce", lambda tensor: tensor.clone())
    plain, own = nn.BatchNorm2d(3, momentum=momentum), SyncBatchNorm(3, momentum=momentum)
    generator = torch.Generator().manual_seed(1)
    for _ in range(2):
        x = (torch.randn(5, 3, 4, 2, generator=generator) * 3 + 7).requires_grad_()
        other = x.detach().clone().requires_grad_()
        expected_output, output = plain(x), own(other)
        torch.testing.assert_close(output, expected_output)
        weights = torch.randn(output.shape, generator=generator)
        (expected_output * weights).sum().backward()
        (output * weights).sum().backward()
        torch.testing.assert_close(other.grad, x.grad)
    torch.testing.assert_close(own.weight.grad, plain.weight.grad)
    torch.testing.assert_close(own.running_var, plain.running_var)
    torch.testing.assert_close(own.running_mean, plain.running_mean)
    torch.testing.assert_close(own.eval()(x), plain.eval()(x))
