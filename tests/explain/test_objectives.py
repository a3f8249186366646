"""Objectives: hand-computed values, arithmetic, samples apart, errors."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from neocog.core.errors import NetworkError, UsageError
from neocog.explain import objectives as o
from neocog.explain.objectives import excitation


class Reused(nn.Module):
    """The same layer twice, rectified in place behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.twice = nn.Conv2d(1, 1, 1, bias=False)
        nn.init.constant_(self.twice.weight, -2)

    def forward(self, x):
        return self.twice(self.twice(x).relu_()).flatten(1)


MAPS = torch.arange(24.0).reshape(1, 2, 3, 4)


def value(objective, inputs=MAPS, module=None):
    return excitation(nn.Sequential(nn.Identity()) if module is None else module, objective, inputs).tolist()


def test_each_objective_by_hand():
    assert value(o.unit("0", 1)) == [12 + 1 * 4 + 2]  # the middle of 3x4: row 1, column 2
    assert value(o.unit("0", 1, (2, 0))) == [12 + 8]
    assert value(o.channel("0", 0)) == [5.5]
    assert value(o.layer("0")) == [pytest.approx(sum(i * i for i in range(24)) / 24)]
    assert value(o.direction("0", torch.tensor([1.0, -1.0]))) == [-12]
    assert value(o.direction("0", torch.tensor([0.0, 1.0]), place=(0, 0))) == [12]
    assert value(o.channel("0", 1), torch.tensor([[3.0, 5.0]])) == [5]  # a dense layer's unit
    assert value(o.unit("0", 1), torch.tensor([[3.0, 5.0]])) == [5]
    assert value(o.logit(1), torch.tensor([[3.0, 5.0]])) == [5]


def test_a_power_of_the_cosine_prefers_the_direction():
    along = o.direction("0", torch.tensor([1.0, 0.0]), power=2)
    inputs = torch.tensor([[3.0, 0.0], [3.0, 4.0], [-3.0, 0.0]])
    assert value(along, inputs) == pytest.approx([3, 3 * 0.36, -3 * 0.01])


def test_penalties_are_of_the_picture_alone():
    penalty = o.total_variation() + 2 * o.square_norm()
    assert value(penalty) == [0]
    assert penalty.penalty(MAPS).tolist() == [2 * (3 * 3 * 1 + 2 * 4 * 4) + 2 * float((MAPS**2).sum())]
    assert o.total_variation().penalty(torch.tensor([[[1.0, 3.0, 0.0]]])).tolist() == [5]  # sound: one axis


def test_objectives_add_subtract_and_scale():
    mixed = (o.channel("0", 0) + 3 * o.channel("0", 1) - o.unit("0", 0, (0, 1))) / 2
    assert value(mixed) == [(5.5 + 3 * 17.5 - 1) / 2]
    assert value(-mixed) == [-(5.5 + 3 * 17.5 - 1) / 2]
    assert mixed.layers == ("0",)
    assert str(o.unit("c3", 5) - 0.5 * o.total_variation()) == "c3:5 + -0.5 total variation"


def test_samples_do_not_influence_each_other():
    both = torch.randn(2, 2, 3, 4, generator=torch.Generator().manual_seed(0))
    mixed = o.layer("0") + o.channel("0", 1) - o.total_variation()
    together = excitation(nn.Sequential(nn.Identity()), mixed, both) + mixed.penalty(both)
    apart = [excitation(nn.Sequential(nn.Identity()), mixed, each) + mixed.penalty(each) for each in both.split(1)]
    assert torch.equal(together, torch.cat(apart))


def test_reused_layers_are_told_apart_and_in_place_ones_do_not_falsify():
    inputs = torch.tensor([[[[-1.0]]]])
    assert value(o.channel("twice@1", 0), inputs, Reused()) == [2]
    assert value(o.channel("twice@2", 0), inputs, Reused()) == [-4]
    assert value(o.channel("twice@1", 0), -inputs, Reused()) == [-2]  # though relu_ writes 0 there
    with pytest.raises(NetworkError, match="twice@1"):
        value(o.channel("twice", 0), inputs, Reused())


def test_a_dense_layer_over_a_sequence_has_its_channels_last():
    dense = nn.Sequential(nn.Linear(3, 2, bias=False))
    nn.init.ones_(dense[0].weight)
    assert value(o.channel("0", 1), torch.ones(1, 5, 3), dense) == [3]
    with pytest.raises(UsageError, match="channels 0 to 1"):
        value(o.channel("0", 2), torch.ones(1, 5, 3), dense)


@pytest.mark.parametrize(
    ("objective", "words"),
    [
        (o.unit("0", 2), "channels 0 to 1, got 2"),
        (o.unit("0", 0, (3, 0)), "lie in 3x4"),
        (o.unit("0", 0, (1,)), "lie in 3x4"),
        (o.channel("0", -1), "channels 0 to 1"),
        (o.direction("0", torch.ones(3)), "a vector of 2 numbers"),
    ],
)
def test_what_is_not_there_is_refused(objective, words):
    with pytest.raises(UsageError, match=words):
        value(objective)


def test_an_unknown_layer_has_near_names_and_a_wrong_size_says_which_fits():
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    with pytest.raises(NetworkError, match="no layer 'conv'"):
        value(o.channel("conv", 0))
    with pytest.raises(NetworkError, match="1x4x4"):
        value(o.logit(0), torch.zeros(1, 1, 5, 5), net)
