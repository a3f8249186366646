"""The task of relations: its figures against the official score by hand, and the loss of sentences and of bags."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from neocog.core.recipe import Recipe
from neocog.core.relation_score import relation_score
from neocog.core.task import Batch
from neocog.tasks.metrics import make_answers
from neocog.tasks.relation_classification import make_task, official, score_of
from neocog.tasks.relation_prediction import cropped

CLASSES = ("A(e1,e2)", "A(e2,e1)", "B(e1,e2)", "Other")
RECIPE = Recipe("test", 1, 4)


def answers(truth, said):
    scores = torch.full((len(truth), len(CLASSES)), -5.0)
    scores[torch.arange(len(said)), torch.tensor(said, dtype=torch.int64)] = 5.0
    return make_answers(scores, torch.tensor(truth, dtype=torch.int64), torch.arange(len(truth)))


def test_figures_by_hand():
    # A: gold 3, said 3, right 2 (one is turned round); B: gold 1, said 1, right 0; the last B was Other
    found = official(answers([0, 0, 1, 2, 3], [0, 1, 1, 3, 2]), CLASSES)
    assert found["macro_f1"] == pytest.approx((2 / 3 + 0) / 2)
    assert found["macro_precision"] == pytest.approx((2 / 3 + 0) / 2)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=12))
def test_figures_are_those_of_the_official_rules(pairs):
    truth, said = [list(column) for column in zip(*pairs, strict=True)]
    found = official(answers(truth, said), CLASSES)
    if set(truth) == {3}:
        assert all(math.isnan(value) for value in found.values())
        return
    score = relation_score([CLASSES[place] for place in truth], [CLASSES[place] for place in said])
    assert found["macro_f1"] == pytest.approx(score.macro_f1)


def test_no_relation_has_other_names_elsewhere():
    score = score_of(answers([0, 3, 3], [0, 3, 0]), ("a", "b", "c", "NA"))
    assert list(score.by_relation) == ["a"]
    assert score.macro_precision == 0.5


def test_the_meter_names_what_chooses_the_epoch_first():
    task = make_task(CLASSES, RECIPE, [0, 1], bags=False)
    meter = task.meter()
    meter.update(torch.eye(4), Batch(torch.zeros(4, 1, 3), torch.arange(4), torch.arange(4)))
    found = meter.compute()
    assert next(iter(found)) == task.selects_by == "macro_f1"
    assert (found["macro_f1"], found["top1"]) == (1, 1)


class Told(nn.Module):
    """Returns what it was told of the relations."""

    def forward(self, bags, relations=None):
        self.relations = relations
        return torch.zeros(len(bags), len(CLASSES))


@pytest.mark.parametrize("bags", [False, True])
def test_only_the_loss_of_bags_tells_the_true_relations(bags):
    task, network = make_task(CLASSES, RECIPE, [0, 1], bags=bags), Told()
    batch = Batch(torch.zeros(2, 1, 1, 3), torch.tensor([2, 0]), torch.arange(2))
    assert float(task.loss(network, batch)) == pytest.approx(math.log(4))
    assert (network.relations is not None and network.relations.tolist() == [2, 0]) == bags
    task.outputs(network, batch)
    assert network.relations is None


def test_padding_that_all_have_is_cut():
    sentences = torch.zeros(2, 6, 3, dtype=torch.int64)
    sentences[0, :2, 1] = sentences[1, :4, 1] = 1
    assert cropped(sentences).shape == (2, 4, 3)
    bags = torch.zeros(2, 5, 6, 3, dtype=torch.int64)
    bags[0, :3, :2, 1] = bags[1, :1, :4, 1] = 1
    assert cropped(bags).shape == (2, 3, 4, 3)
