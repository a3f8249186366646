"""Receptive fields by theory, by gradients and by what counts."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from twins import Plain, settled, twins

from neocog.core.errors import NetworkError, UsageError
from neocog.core.measured import measured_field
from neocog.core.receptive import receptive_fields
from neocog.explain.receptive import receptive_field, sight


def tent():
    """Two convolutions of ones, three long: a unit is 1 2 3 2 1 times what it sees."""
    network = nn.Sequential(nn.Conv1d(1, 1, 3, padding=1, bias=False), nn.Conv1d(1, 1, 3, padding=1, bias=False))
    for layer in network:
        nn.init.ones_(layer.weight)
    return network


def test_the_mask_is_what_a_unit_can_see():
    seen = receptive_field(tent(), torch.zeros(2, 1, 7), layer="1", unit=(0, 3))
    assert torch.equal(seen, torch.tensor([0.0, 1, 1, 1, 1, 1, 0]).expand(2, 7))
    blind = nn.Sequential(nn.Conv2d(1, 2, 3, stride=2, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2))
    nn.init.constant_(blind[0].bias, -9.0)  # whatever it answers
    mask = receptive_field(blind, torch.zeros(1, 1, 15, 15), layer="2", unit=(1, 0, 2))
    assert mask.shape == (1, 15, 15)
    assert torch.equal(mask[0].nonzero().amin(0), torch.tensor([0, 7]))
    assert torch.equal(mask[0].nonzero().amax(0), torch.tensor([5, 13]))


def test_by_hand():
    field = sight(tent(), torch.zeros(2, 1, 7), layer="1", unit=(3,))
    assert (field.theory.start, field.theory.size, field.jump) == ((1,), (5,), (1,))
    assert field.box == field.measured == field.theory.box == (range(1, 6),)
    assert torch.equal(field.effective, torch.tensor([0.0, 1, 2, 3, 2, 1, 0]).expand(2, 7))
    assert sight(tent(), torch.zeros(1, 1, 7), layer="1").place == (3,)
    corner = sight(tent(), torch.zeros(1, 1, 7), layer="1", unit=(0,))
    assert (corner.theory.start, corner.box, corner.measured) == ((-2,), (range(0, 3),), (range(0, 3),))
    assert torch.equal(corner.effective, torch.tensor([[2.0, 2, 1, 0, 0, 0, 0]]))


def test_theory_and_gradients_agree_and_the_effective_field_lies_within():
    network, x = settled(Plain()), torch.rand(2, 3, 21, 18, generator=torch.Generator().manual_seed(0))
    for layer in ("conv1", "relu2", "pool", "conv3"):
        for unit in (None, (0, 0), (2, 1)):
            field = sight(network, x, layer=layer, unit=unit)
            assert field.box == field.measured
            rows, columns = field.box
            inside = torch.zeros(21, 18, dtype=torch.bool)
            inside[rows.start : rows.stop, columns.start : columns.stop] = True
            assert not field.effective[:, ~inside].any()
            assert field.effective[:, inside].any()


def test_units():
    network, x = settled(Plain()).double(), torch.rand(1, 3, 11, 9).double().requires_grad_()
    network.eval()
    (expected,) = torch.autograd.grad(network.conv2(network.conv1(x).relu())[0, 2, 4, 3], x)
    one = sight(network, x, layer="conv2", unit=(2, 4, 3)).effective
    torch.testing.assert_close(one, expected.abs().sum(1))
    assert sight(network, x, layer="conv2", unit=2).place == (5, 4)
    dense = sight(network, x, layer="head", unit=1)
    assert dense.place == ()
    assert dense.measured == (range(0, 11), range(0, 9))
    for unit in (6, (11, 0), (0, 0, 9), (1, 2, 3, 4), (-1, 0)):
        with pytest.raises(UsageError, match="6x11x9, from 0"):
            sight(network, x, layer="conv2", unit=unit)
    with pytest.raises(NetworkError, match="has no layer"):
        sight(network, x, layer="conv4")


def test_however_it_is_written():
    x = torch.rand(1, 3, 11, 9, generator=torch.Generator().manual_seed(0))
    for plain, other in twins():
        ours, theirs = (sight(each, x, layer="conv3") for each in (other, plain))
        assert (ours.box, ours.measured) == (theirs.box, theirs.measured)
        torch.testing.assert_close(ours.effective, theirs.effective)
    for call, name in ((1, "relu1"), (2, "relu2"), (3, "relu3")):
        ours = sight(other, x, layer=f"relu1@{call}", unit=(1, 1))
        theirs = sight(plain, x, layer=name, unit=(1, 1))
        assert (ours.theory, ours.measured) == (theirs.theory, theirs.measured)


def test_each_call_of_a_layer_has_its_own_field():
    network = nn.Sequential(layer := nn.Conv1d(1, 1, 3), nn.ReLU(), layer, nn.ReLU(), layer)
    fields = receptive_fields(network, torch.zeros(0, 1, 9))
    assert [fields[name][0].size for name in ("0@1", "0@2", "0@3", "0")] == [3, 5, 7, 7]
    assert "1" in fields
    assert "1@1" not in fields
    x = torch.zeros(1, 1, 9)
    boxes = [measured_field(network, x, name, (1,)) for name in ("0@1", "0@2", "0@3", "0")]
    assert boxes == [(range(1, 4),), (range(1, 6),), (range(1, 8),), (range(1, 8),)]
    with pytest.raises(NetworkError, match="calls '0' 3 times"):
        measured_field(network, x, "0@4", (1,))
    assert sight(nn.Sequential(nn.Conv1d(1, 1, 3)), x, layer="0@1").theory.size == (3,)


class Usual(nn.Module):
    """As it stands in tutorials: pooling, activation and flattening are functions."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.head = nn.Conv2d(1, 3, 5), nn.Conv2d(3, 4, 3), nn.Linear(4 * 3 * 2, 2)

    def forward(self, x):
        x = functional.max_pool2d(functional.relu_(self.conv1(x)), 2)
        x = functional.avg_pool2d(self.conv2(x).clamp(min=0), kernel_size=(2, 3), stride=2)
        return self.head(x.view(-1, 24))


def test_functions_have_fields_too():
    x = torch.rand(1, 1, 20, 20)
    field = sight(Usual(), x, layer="conv2", unit=(1, 2))
    assert (field.theory.start, field.theory.size, field.jump) == ((2, 4), (10, 10), (2, 2))
    assert field.box == field.measured == (range(2, 12), range(4, 14))
    assert sight(Usual(), x, layer="head").theory.size == (20, 18)  # two windows


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.conv, self.head = nn.Embedding(9, 4), nn.Conv1d(4, 3, 3, padding=1), nn.Linear(3, 2)
        self.second = nn.Conv1d(3, 3, 2)

    def forward(self, words):
        return self.head(self.second(self.conv(self.table(words).transpose(1, 2)).relu()).amax(2))


def test_words_are_measured():
    field = sight(Words(), torch.randint(9, (2, 8)), layer="second", unit=(2,))
    assert field.theory is None
    assert field.box == (range(1, 5),)
    assert field.effective.shape == (2, 8)
    assert not field.effective[:, [0, 5, 6, 7]].any()
    assert sight(Words(), torch.randint(9, (2, 8)), layer="head").measured == (range(8),)
