"""A run that is killed and resumed is the same run, to the last bit."""

from __future__ import annotations

import csv
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from toy_training import ToyTask, run_toy, toy_network, toy_recipe

from neocog.core import runfolder
from neocog.core.errors import ModelFileError
from neocog.core.runfolder import RunFolder
from neocog.training.interrupts import Interrupted
from neocog.training.loop import Fit
from neocog.training.phases import Phase

PROGRAM = Path(__file__).with_name("toy_training.py")
STEPS = 30


class Crashed(Exception):
    """Stands for a kill inside the process."""


def new_folder(path: Path) -> RunFolder:
    return runfolder.create(path, network="toy", data="toy", config={})


def same_bits(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def without_time(rows: Any) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def crashing_at(step: int) -> ToyTask:
    """Returns a task whose training loss crashes when it is asked for the ``step``-th time."""
    left = [step]

    def crash(_: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Crashed

    return ToyTask(at_loss=[crash])


@pytest.fixture(scope="module")
def whole() -> Fit:
    return run_toy(None)


@pytest.mark.parametrize("steps", [1, 2, 5, 11])
def test_crashing_every_few_steps_changes_no_bit(tmp_path: Path, whole: Fit, steps: int) -> None:
    folder, done, crashes = new_folder(tmp_path / "run"), None, 0
    while done is None:
        try:
            done = run_toy(folder, task=crashing_at(steps))
        except Crashed:
            crashes += 1
    assert crashes >= STEPS // steps - 1
    assert done.steps == whole.steps == STEPS
    assert same_bits(done.state, whole.state)
    assert without_time(done.history) == without_time(whole.history)


@pytest.mark.parametrize(
    "changes",
    [
        {"optimiser": "adamw", "learning_rate": 0.01},
        {"optimiser": "adam", "learning_rate": 0.01, "clip": 0.1},
        {"optimiser": "rmsprop", "learning_rate": 0.003, "accumulate": 3},
        {"precision": "bf16", "l1": 1e-4, "l2": 1e-4},
        {"patience": 1, "schedule": "one-cycle", "ema": 0.99},
    ],
    ids=lambda changes: next(iter(changes.values())) if isinstance(changes, dict) else None,
)
def test_every_optimiser_and_precision_resumes_exactly(tmp_path: Path, changes: dict[str, Any]) -> None:
    recipe = toy_recipe(**changes)
    whole = run_toy(None, recipe=recipe)
    folder = new_folder(tmp_path / "run")
    for step in (9, 8):  # inside the first phase, and inside the second
        with pytest.raises(Crashed):
            run_toy(folder, task=crashing_at(step * recipe.accumulate), recipe=recipe)
    assert same_bits(run_toy(folder, recipe=recipe).state, whole.state)


def test_a_run_between_checkpoints_repeats_what_was_lost(tmp_path: Path, whole: Fit) -> None:
    folder = new_folder(tmp_path / "run")
    with pytest.raises(Crashed):
        run_toy(folder, task=crashing_at(20), checkpoint_seconds=1e6)
    assert same_bits(run_toy(folder, checkpoint_seconds=1e6).state, whole.state)


def test_the_metrics_file_has_each_epoch_once(tmp_path: Path, whole: Fit) -> None:
    folder = new_folder(tmp_path / "run")
    for _ in range(3):
        with pytest.raises(Crashed):
            run_toy(folder, task=crashing_at(8))
    run_toy(folder)
    rows = list(csv.DictReader((folder.path / "metrics.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert [row["phase"] for row in rows] == ["head", "head", "all", "all", "all"]
    assert float(rows[-1]["train_loss"]) == whole.history[-1]["train_loss"]


def test_a_finished_run_is_answered_from_its_checkpoint(tmp_path: Path, whole: Fit) -> None:
    folder = new_folder(tmp_path / "run")
    run_toy(folder)
    again = run_toy(folder, task=crashing_at(0))
    assert same_bits(again.state, whole.state)
    assert without_time([again.best]) == without_time([whole.best])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_between_two_steps_and_the_run_goes_on(tmp_path: Path, whole: Fit, number: int) -> None:
    folder, calls = new_folder(tmp_path / "run"), [0]

    def interrupt(_: Any) -> None:
        calls[0] += 1
        if calls[0] == 9:
            signal.raise_signal(number)

    before = signal.getsignal(number)
    with pytest.raises(Interrupted, match=r"after step \d+; continue with `neocog train --resume"):
        run_toy(folder, task=ToyTask(at_loss=[interrupt]), checkpoint_seconds=1e6)
    assert signal.getsignal(number) is before
    assert calls[0] <= 10
    assert same_bits(run_toy(folder).state, whole.state)


def test_a_killed_process_resumes_to_the_same_weights(tmp_path: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    whole = run_toy(None)
    torch.set_num_threads(threads)
    instants, kills = random.Random(), 0
    out = tmp_path / "run"
    command = [sys.executable, str(PROGRAM), str(out)]
    while True:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        assert process.stdout is not None
        if kills < 3 and process.stdout.readline():  # it has begun to train
            time.sleep(instants.uniform(0, 0.25))
            process.send_signal(signal.SIGKILL)
        _, errors = process.communicate()
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, errors.decode()
        kills += 1
        command = [sys.executable, str(PROGRAM), str(out), "--resume"]
    assert same_bits(load_file(out / "final.safetensors"), whole.state)
    assert len((out / "metrics.csv").read_text().splitlines()) == 6


def test_another_runs_checkpoint_is_refused(tmp_path: Path) -> None:
    folder = new_folder(tmp_path / "run")
    run_toy(folder, phases=(Phase("all", 1, 0.01),))
    for options in ({"seed": 1}, {"recipe": toy_recipe(clip=1.0)}, {"network": toy_network(norm=False)}):
        with pytest.raises(ModelFileError, match="another run"):
            run_toy(folder, **{"phases": (Phase("all", 1, 0.01),), **options})


def test_a_damaged_checkpoint_is_refused_in_one_line(tmp_path: Path) -> None:
    folder = new_folder(tmp_path / "run")
    run_toy(folder, phases=(Phase("all", 1, 0.01),))
    good = folder.checkpoint.read_bytes()
    flipped = bytearray(good)
    flipped[-5] ^= 1
    for damaged in (good[:-100], good[:50], b"", bytes(flipped), b"PK\x03\x04 not ours"):
        folder.checkpoint.write_bytes(damaged)
        with pytest.raises(ModelFileError) as caught:
            run_toy(folder, phases=(Phase("all", 1, 0.01),))
        assert "\n" not in str(caught.value)
        assert str(folder.checkpoint) in str(caught.value)


def test_what_differs_from_before_is_said(tmp_path: Path) -> None:
    folder = new_folder(tmp_path / "run")
    with pytest.raises(Crashed):
        run_toy(folder, task=crashing_at(4))
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        run_toy(folder)
    finally:
        torch.set_num_threads(threads)
    assert "Resumed with threads" in (folder.path / "log.jsonl").read_text()
