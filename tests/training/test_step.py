"""One step: pieces add up, memory that runs out splits the batch, what cannot go on says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from toy_training import ToyMeter, ToyTask, run_toy, toy_loader, toy_network, toy_recipe

from neocog.core import runfolder
from neocog.core.errors import TrainingError, UsageError
from neocog.core.task import Batch
from neocog.training import checkpoint
from neocog.training.evaluate import evaluate
from neocog.training.freeze import train_only
from neocog.training.phases import Phase
from neocog.training.precision import choose_arithmetic, cpu_has_bf16
from neocog.training.progress import Silent
from neocog.training.step import Place, Stepper

CPU = torch.device("cpu")
PHASE = Phase("all", 1, 0.1)
START = Place(0, 0, 0, 0)


class Notes(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def stepper(network: nn.Module, task: Any = None, **changes: Any) -> Stepper:
    recipe = toy_recipe(momentum=0.0, **changes)
    arithmetic = choose_arithmetic(network, recipe.precision, CPU)
    arithmetic.lay_out(network)
    train_only(network, None)
    return Stepper(network, task or ToyTask(mixup=0.0), recipe, PHASE, arithmetic)


def first_batch(size: int = 12) -> Batch:
    return next(toy_loader(size, workers=0).batches(size))


def no_memory_above(limit: int, error: Exception | None = None) -> Any:
    def check(batch: Batch) -> None:
        if len(batch) > limit:
            raise error or torch.OutOfMemoryError("out of memory")

    return check


@pytest.mark.parametrize("pieces", [2, 3, 5, 12])
def test_pieces_add_up_to_the_whole_batch(pieces: int) -> None:
    networks = [toy_network(norm=False, dropout=0.0) for _ in range(2)]
    losses = [
        stepper(network, accumulate=count, l1=0.01).step(first_batch(), START, 0.1).loss
        for network, count in zip(networks, (1, pieces), strict=True)
    ]
    torch.testing.assert_close(losses[1], losses[0])
    for one, other in zip(networks[0].parameters(), networks[1].parameters(), strict=True):
        torch.testing.assert_close(other, one)


@pytest.mark.parametrize(
    "error",
    [
        None,
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory"),
    ],
    ids=["gpu", "cpu"],
)
def test_out_of_memory_halves_until_it_fits(error: Exception | None) -> None:
    task = ToyTask(mixup=0.0, at_loss=[no_memory_above(3, error)])
    network, other = toy_network(), toy_network()
    split = stepper(network, task)
    outcome = split.step(first_batch(), START, 0.1)
    assert split.pieces == 4
    expected = stepper(other, accumulate=4).step(first_batch(), START, 0.1)
    assert torch.equal(outcome.loss, expected.loss)
    for name, tensor in other.state_dict().items():  # the failed attempts left no trace, in batch norm neither
        assert torch.equal(network.state_dict()[name], tensor)


def test_out_of_memory_is_said_and_kept_for_the_rest_of_the_run(tmp_path: Path) -> None:
    notes = Notes()
    task = ToyTask(at_loss=[no_memory_above(8)])
    folder = runfolder.create(tmp_path / "run", network="toy", data="toy", config={})
    done = run_toy(folder, task=task, progress=notes)
    assert done.pieces == 2
    assert [line for line in notes.lines if "Out of memory" in line] == [
        "Out of memory at step 0: batches now go in 2 pieces."
    ]


def test_no_memory_for_one_sample_is_an_error() -> None:
    task = ToyTask(mixup=0.0, at_loss=[no_memory_above(0)])
    with pytest.raises(TrainingError, match="single sample at a time"):
        stepper(toy_network(norm=False), task).step(first_batch(), START, 0.1)


def test_other_errors_are_not_taken_for_it() -> None:
    task = ToyTask(mixup=0.0, at_loss=[no_memory_above(0, RuntimeError("shapes do not match"))])
    with pytest.raises(RuntimeError, match="shapes do not match"):
        stepper(toy_network(), task).step(first_batch(), START, 0.1)


def test_evaluation_halves_a_batch_that_does_not_fit() -> None:
    class Tight(ToyTask):
        def outputs(self, network: nn.Module, batch: Batch) -> Tensor:
            no_memory_above(5)(batch)
            return super().outputs(network, batch)

    network = toy_network()
    loader = toy_loader(41, shuffle=False)
    options: dict[str, Any] = {"batch_size": 16, "arithmetic": choose_arithmetic(network, "fp32", CPU)}
    tight, plain = (evaluate(network, task, loader, **options) for task in (Tight(), ToyTask()))
    assert tight == pytest.approx(plain)
    assert tight["n"] == 41
    assert not network.training


def test_gradients_are_clipped() -> None:
    network = toy_network(norm=False, dropout=0.0)
    before = [weight.detach().clone() for weight in network.parameters()]
    stepper(network, clip=0.01, decay=0.0).step(first_batch(), START, 1.0)
    moves = [weight.detach() - old for weight, old in zip(network.parameters(), before, strict=True)]
    assert float(torch.cat([move.flatten() for move in moves]).norm()) == pytest.approx(0.01, rel=1e-4)


def pooled_norm() -> nn.Module:
    """A network whose batch norm sees one value a channel and sample."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.BatchNorm1d(3), nn.Linear(3, 3))


def test_a_lone_last_sample_is_left_out_of_batch_norm() -> None:
    network = pooled_norm()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    outcome = stepper(network).step(first_batch(1), START, 0.1)
    assert int(outcome.samples) == 0
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_batches_of_one_with_batch_norm_are_refused() -> None:
    with pytest.raises(TrainingError, match="use a larger --batch"):
        stepper(pooled_norm(), batch_size=1).step(first_batch(1), START, 0.1)
    with pytest.raises(TrainingError, match="smaller --accumulate"):
        stepper(pooled_norm(), accumulate=12).step(first_batch(), START, 0.1)


def test_a_loss_that_is_not_finite_stops_with_the_last_good_checkpoint(tmp_path: Path) -> None:
    folder = runfolder.create(tmp_path / "run", network="toy", data="toy", config={})
    network, calls = toy_network(), [0]

    def poison(_: Batch) -> None:
        calls[0] += 1
        if calls[0] == 8:
            with torch.no_grad():
                network.head.bias.fill_(float("nan"))

    with pytest.raises(TrainingError, match=r"not finite by step 8 .*--lr.*last good checkpoint is kept in") as caught:
        run_toy(folder, network=network, task=ToyTask(at_loss=[poison]))
    assert "\n" not in str(caught.value)
    kept = checkpoint.load(folder.checkpoint)
    assert kept.facts["standing"]["run_step"] == 7
    assert all(tensor.isfinite().all() for tensor in kept.tensors.values())


def test_patience_ends_a_phase() -> None:
    notes = Notes()
    options: dict[str, Any] = {"recipe": toy_recipe(patience=2), "network": toy_network(norm=False), "progress": notes}
    done = run_toy(None, phases=(Phase("still", 9, 1e-12), Phase("more", 1, 0.01)), **options)
    assert [row["phase"] for row in done.history] == ["still"] * 3 + ["more"]
    assert any("No better top1 in 2 epochs" in line for line in notes.lines)


def test_the_best_weights_are_those_of_the_best_row() -> None:
    network = toy_network()
    done = run_toy(None, network=network, phases=(Phase("all", 4, 0.05),))
    assert done.best["val_top1"] == max(row["val_top1"] for row in done.history)
    metrics = evaluate(
        network,
        ToyTask(),
        toy_loader(41, shuffle=False),
        batch_size=16,
        arithmetic=choose_arithmetic(network, "fp32", CPU),
    )
    assert metrics["top1"] == done.best["val_top1"]
    assert metrics["loss"] == pytest.approx(done.best["val_loss"], rel=1e-6)


def test_frozen_layers_stay_bit_for_bit_in_their_phase() -> None:
    network = toy_network()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    done = run_toy(None, network=network, phases=(Phase("head", 2, 0.05, ("head",)),), recipe=toy_recipe(ema=0.9))
    for name, tensor in done.state.items():
        assert torch.equal(tensor, before[name]) != name.startswith("head")


def test_seeds_matter_and_repeat() -> None:
    runs = [run_toy(None, seed=seed, phases=(PHASE,)).state for seed in (0, 0, 1)]
    same = [all(torch.equal(runs[0][name], other[name]) for name in other) for other in runs[1:]]
    assert same == [True, False]


def test_arithmetic_is_chosen_from_device_and_network() -> None:
    assert choose_arithmetic(toy_network(), "fp32", CPU).precision == "fp32"
    wide = nn.Conv2d(32, 32, 3)
    assert choose_arithmetic(wide, "auto", CPU).precision == ("bf16" if cpu_has_bf16() else "fp32")
    assert choose_arithmetic(nn.Linear(4, 4), "auto", CPU).precision == "fp32"
    assert not choose_arithmetic(nn.Linear(4, 4), "auto", CPU).channels_last
    assert choose_arithmetic(wide, "bf16", CPU).precision == "bf16"
    with pytest.raises(UsageError, match="needs a GPU"):
        choose_arithmetic(wide, "fp16", CPU)


def test_a_figure_without_meaning_gives_way_to_every_other(monkeypatch: pytest.MonkeyPatch) -> None:
    nan = float("nan")
    figures = iter((nan, 0.3, nan, 0.2))
    whole = ToyMeter.compute
    monkeypatch.setattr(ToyMeter, "compute", lambda meter: {**whole(meter), "top1": next(figures)})
    assert run_toy(None, phases=(Phase("all", 4, 0.05),)).best["epoch"] == 2
    monkeypatch.setattr(ToyMeter, "compute", lambda meter: {**whole(meter), "top1": nan})
    assert run_toy(None, phases=(Phase("all", 3, 0.05),)).best["epoch"] == 3
