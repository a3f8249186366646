"""The probe, the range test and the progress line: what is known before and while a run goes on."""

from __future__ import annotations

import io
from typing import Any

import pytest
import torch
from toy_training import ToyTask, run_toy, toy_loader, toy_network, toy_recipe

from neocog.core.errors import TrainingError
from neocog.core.task import Batch
from neocog.training.lr_finder import find_learning_rate
from neocog.training.phases import Phase
from neocog.training.probe import Estimate, probe
from neocog.training.progress import Live, Plain, Silent, clock, describe, progress_for


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_probe_leaves_everything_as_it_was() -> None:
    network = toy_network()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    state = torch.get_rng_state()
    calls: list[Batch] = []
    estimate = probe(network, ToyTask(at_loss=[calls.append]), toy_loader(200), toy_recipe(), steps=3)
    assert len(calls) == 5  # two warm ones and three
    assert estimate.steps == 13
    assert estimate.step_seconds > 0
    assert estimate.peak_bytes > 1_000_000
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_a_probe_of_few_batches_takes_what_there_is() -> None:
    assert probe(toy_network(), ToyTask(), toy_loader(10), toy_recipe()).steps == 1


def test_a_probe_can_ask_for_a_phase() -> None:
    network = toy_network()
    probe(network, ToyTask(), toy_loader(30), toy_recipe(), phase=Phase("head", 1, 0.1, ("head",)))
    assert network.conv1.weight.requires_grad


def test_epochs_are_planned_from_the_estimate() -> None:
    estimate = Estimate(step_seconds=0.5, steps=20, peak_bytes=0)
    assert estimate.epoch_seconds == 10
    assert [estimate.epochs_within(seconds) for seconds in (3, 10, 59, 60)] == [1, 1, 5, 6]


def test_the_range_test_finds_a_rate_that_trains() -> None:
    network = toy_network()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    found = find_learning_rate(network, ToyTask(), toy_loader(90), toy_recipe(), steps=60)
    assert len(found.rates) == len(found.losses)
    assert list(found.rates) == sorted(found.rates)
    assert found.rates[0] == pytest.approx(1e-6)
    assert found.suggestion <= found.largest
    assert found.largest == found.rates[found.losses.index(min(found.losses))]
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    done = run_toy(None, phases=(Phase("all", 4, found.suggestion),), recipe=toy_recipe(schedule="constant"))
    assert done.history[-1]["train_loss"] < done.history[0]["train_loss"]


def test_a_loss_that_no_rate_lowers_is_an_error() -> None:
    class Hopeless(ToyTask):
        def loss(self, network: Any, batch: Batch) -> torch.Tensor:
            self.mixup += 1
            return super().loss(network, batch) * 0 + self.mixup

    with pytest.raises(TrainingError, match="no learning rate makes the loss fall"):
        find_learning_rate(toy_network(), Hopeless(mixup=0.0), toy_loader(90), toy_recipe(), steps=20)


def test_a_pipe_gets_a_line_an_epoch() -> None:
    stream = io.StringIO()
    run_toy(None, progress=progress_for(stream), phases=(Phase("head", 1, 0.1, ("head",)), Phase("all", 2, 0.1)))
    first, *lines = stream.getvalue().splitlines()
    assert first == "head: head move; every other layer stays as it is."
    assert [line.split("  ")[0] for line in lines] == ["head: epoch 1", "all: epoch 2", "all: epoch 3"]
    assert all("train loss" in line and "val top1" in line for line in lines)
    assert "\r" not in stream.getvalue()


def test_a_terminal_gets_a_line_that_rewrites_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(0, 100_000, 10))
    monkeypatch.setattr("neocog.training.progress.time.monotonic", lambda: next(now))
    stream = Terminal()
    live = progress_for(stream)
    assert isinstance(live, Live)
    live.start(10, 30)  # 0 s; a resumed run: 10 of 30 steps are done
    live.step(15, "epoch 2/3", torch.tensor(0.25))  # 10 s for 5 steps, 15 steps to go
    assert stream.getvalue() == "\repoch 2/3  ##########..........  50%  loss 0.2500  30 s to go"
    live.say("note")
    shown = stream.getvalue().split("\r")[-1]
    assert shown == "note\n"
    live.finish()


def test_quiet_says_nothing() -> None:
    assert isinstance(progress_for(io.StringIO(), quiet=True), Silent)
    assert type(progress_for(io.StringIO())) is Plain


def test_times_and_rows_are_for_people() -> None:
    assert [clock(seconds) for seconds in (0.4, 59.4, 60, 3599, 7800)] == [
        "0 s", "59 s", "1 min 00 s", "59 min 59 s", "2 h 10 min"
    ]  # fmt: skip
    row = {"phase": "", "epoch": 3, "step": 9, "lr": 0.1, "train_loss": 0.5, "val_top1": 0.75, "seconds": 61}
    assert describe(row) == "epoch 3  train loss 0.5000  val top1 0.7500  1 min 01 s"
