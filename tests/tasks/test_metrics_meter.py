"""The meter: what was gathered, in whatever batches and processes, gives the same figures."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss, top_k_accuracy_score
from torch import Tensor

from neocog.core.task import Batch
from neocog.tasks.metrics import ClassificationMeter

NAMES = ["loss", "top1", "top5", "f1", "balanced_accuracy", "ece"]


def fill(meter: ClassificationMeter, scores: Tensor, targets: Tensor, indices: Tensor, size: int) -> None:
    for start in range(0, len(targets), size):
        rows = slice(start, start + size)
        meter.update(scores[rows], Batch(torch.empty(len(targets[rows]), 1), targets[rows], indices[rows]))


def samples(seed: int, count: int, classes: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(count, classes, generator=generator)
    return scores, torch.randint(classes, (count,), generator=generator), torch.arange(count)


def test_by_hand() -> None:
    meter = ClassificationMeter(3)
    shares = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.2, 0.5, 0.3]])
    fill(meter, shares.log(), torch.tensor([0, 1, 1]), torch.arange(3), 2)
    figures = meter.compute()
    assert list(figures) == NAMES
    assert figures["loss"] == pytest.approx(-(math.log(0.7) + math.log(0.3) + math.log(0.5)) / 3)
    assert figures["top1"] == pytest.approx(2 / 3)
    assert figures["top5"] == 1.0  # of three classes the true one is always among the first five
    assert figures["balanced_accuracy"] == pytest.approx((1 + 1 / 2) / 2)
    assert figures["f1"] == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert figures["ece"] == pytest.approx((0.3 + 0.6 + 0.5) / 3)


@pytest.mark.parametrize("classes", [3, 12])
def test_loss_and_top_five_as_scikit_learn_has_them(classes: int) -> None:
    scores, targets, indices = samples(0, 200, classes)
    meter = ClassificationMeter(classes)
    fill(meter, scores, targets, indices, 64)
    figures = meter.compute()
    every = np.arange(classes)
    chances = scores.double().softmax(1).numpy()
    assert figures["loss"] == pytest.approx(log_loss(targets, chances, labels=every))
    if classes > 5:
        assert figures["top5"] == pytest.approx(top_k_accuracy_score(targets, chances, k=5, labels=every))


@settings(deadline=None)
@given(st.integers(0, 1000), st.integers(1, 40), st.integers(1, 17), st.integers(1, 4))
def test_batches_processes_and_order_change_nothing(seed: int, count: int, size: int, world: int) -> None:
    scores, targets, indices = samples(seed, count, 7)
    alone = ClassificationMeter(7)
    fill(alone, scores, targets, indices, size)
    shuffled = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    meters = [ClassificationMeter(7) for _ in range(world)]
    for rank, meter in enumerate(meters):
        rows = shuffled[rank::world]
        fill(meter, scores[rows], targets[rows], indices[rows], size)
    states = [meter.state() for meter in meters]
    for meter in meters:
        meter.merge(states)
        assert meter.compute() == alone.compute()


def test_a_sample_that_two_processes_saw_counts_once() -> None:
    scores, targets, indices = samples(1, 10, 4)
    alone, first, second = (ClassificationMeter(4) for _ in range(3))
    fill(alone, scores, targets, indices, 10)
    fill(first, scores[:6], targets[:6], indices[:6], 3)
    fill(second, scores[5:], targets[5:], indices[5:], 3)
    first.merge([first.state(), second.state()])
    assert first.compute() == alone.compute()
    assert len(first.answers()) == 10


def test_nothing_gathered_has_no_figures() -> None:
    figures = ClassificationMeter(3).compute()
    assert list(figures) == NAMES
    assert all(math.isnan(value) for value in figures.values())


def test_what_is_not_a_number_is_never_right() -> None:
    meter = ClassificationMeter(2)
    fill(meter, torch.full((3, 2), math.nan), torch.tensor([0, 1, 0]), torch.arange(3), 3)
    figures = meter.compute()
    assert math.isnan(figures["loss"])
    assert figures["top1"] == figures["top5"] == 0.0


def test_answers_follow_the_samples_positions() -> None:
    scores, targets, _ = samples(2, 5, 3)
    meter = ClassificationMeter(3)
    fill(meter, scores, targets, torch.tensor([4, 0, 3, 1, 2]), 2)
    answers = meter.answers()
    assert answers.indices.tolist() == [0, 1, 2, 3, 4]
    assert answers.truth.tolist() == targets[[1, 3, 4, 2, 0]].tolist()
    np.testing.assert_allclose(answers.probabilities.sum(1), 1)


def test_gathering_keeps_no_graph() -> None:
    meter = ClassificationMeter(2)
    fill(meter, torch.zeros(2, 2, requires_grad=True), torch.tensor([0, 1]), torch.arange(2), 2)
    assert not meter.state()[0].requires_grad
