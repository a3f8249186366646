"""Strongest activations over batches, with what their units see."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional
from twins import Plain, settled, twins

from neocog.core.errors import NetworkError, UsageError
from neocog.explain.strongest import patches, strongest_activations


def edge():
    """One map: the sum of 2x3 pixels, padded by one at each side, every second one."""
    network = nn.Sequential(nn.Conv2d(1, 1, (2, 3), stride=2, padding=1, bias=False), nn.ReLU())
    nn.init.ones_(network[0].weight)
    return network


def test_by_hand():
    pictures = torch.zeros(4, 1, 6, 7)
    pictures[0, 0, 3, 3], pictures[1, 0, 0, 0], pictures[2, 0, 5, 6], pictures[3, 0, 3, 3] = 2, 5, 3, 2
    found = strongest_activations(edge(), [pictures[:3], pictures[3:]], layer="1", count=3)
    assert [(each.sample, each.value, each.place) for each in found] == [(1, 5, (0, 0)), (2, 3, (3, 3)), (0, 2, (2, 1))]
    first, second, third = found
    assert (first.start, first.size, first.box) == ((-1, -1), (2, 3), (range(0, 1), range(0, 2)))
    assert (second.start, second.size, second.box) == ((5, 5), (2, 3), (range(5, 6), range(5, 7)))
    assert (third.start, third.box) == ((3, 1), (range(3, 5), range(1, 4)))
    cut = patches(pictures, found)
    assert [tuple(each.shape) for each in cut] == [(1, 1, 2), (1, 1, 2), (1, 2, 3)]
    whole = patches(pictures, found, fill=-1.0)
    assert torch.equal(whole[0], torch.tensor([[[-1.0, -1, -1], [-1, 5, 0]]]))
    assert torch.equal(whole[1], torch.tensor([[[0.0, 3, -1], [-1, -1, -1]]]))
    assert torch.equal(whole[2], torch.tensor([[[0.0, 0, 2], [0, 0, 0]]]))


@settings(max_examples=15)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.integers(1, 6), st.integers(0, 99))
def test_one_pass_over_batches_finds_what_sorting_everything_finds(sizes, count, seed):
    draws = torch.Generator().manual_seed(seed)
    samples = torch.randint(0, 3, (sum(sizes), 2, 5, 5), generator=draws).float()  # many are equal
    network = nn.Sequential(nn.MaxPool2d(2, 2))
    found = strongest_activations(network, iter(samples.split(sizes)), layer="0", count=count)
    maps = functional.max_pool2d(samples, 2, 2).flatten(2)
    expected = []
    for channel in range(2):
        best = [(-float(maps[n, channel].max()), n, int(maps[n, channel].argmax())) for n in range(len(samples))]
        expected += [(channel, n, -value, (place // 2, place % 2)) for value, n, place in sorted(best)[:count]]
    assert [(each.channel, each.sample, each.value, each.place) for each in found] == expected


def test_a_unit_sees_no_more_than_its_patch():
    network = settled(Plain()).eval()
    pictures = torch.rand(3, 3, 12, 13, generator=torch.Generator().manual_seed(0))
    for layer in ("relu1", "relu2", "conv3"):
        for each in strongest_activations(network, [pictures], layer=layer, count=2, units=[0, 3]):
            rows, columns = each.box
            noise = torch.rand(3, 12, 13, generator=torch.Generator().manual_seed(1))
            noise[:, rows.start : rows.stop, columns.start : columns.stop] = patches(pictures, [each])[0]
            outside = strongest_activations(network, [noise[None]], layer=layer, units=each.channel)
            assert outside[0].value >= each.value - 1e-5


def test_units_are_those_told():
    network, pictures = settled(Plain()), torch.rand(2, 3, 9, 9)
    assert {each.channel for each in strongest_activations(network, [pictures], layer="conv1")} == set(range(6))
    found = strongest_activations(network, [pictures], layer="conv1", units=[4, 1])
    assert [each.channel for each in found] == [4, 4, 1, 1]
    forwards = strongest_activations(network, [pictures], layer="conv1")
    backwards = strongest_activations(network, [pictures], layer="conv1", units=range(5, -1, -1))
    assert sorted(backwards, key=lambda each: each.channel) == forwards
    with pytest.raises(UsageError, match=r"units 0 to 5; got \[6\]"):
        strongest_activations(network, [pictures], layer="conv1", units=6)
    with pytest.raises(UsageError, match="no samples"):
        strongest_activations(network, [pictures[:0]], layer="conv1")
    with pytest.raises(UsageError, match="leave labels out"):
        strongest_activations(network, [(pictures, 1)], layer="conv1")
    with pytest.raises(UsageError, match="count must be at least 1"):
        strongest_activations(network, [pictures], layer="conv1", count=0)
    with pytest.raises(NetworkError, match="for sample 1"):
        strongest_activations(network, [pictures[:1], pictures[1:] * torch.nan], layer="conv1")


def test_inputs_of_different_sizes_and_a_dense_layer():
    network = settled(Plain())
    batches = [torch.rand(1, 3, 9, 9), torch.rand(2, 3, 12, 8), torch.rand(1, 3, 9, 9) + 1]
    found = strongest_activations(network, batches, layer="head", units=0)
    assert sorted(each.sample for each in found) == [0, 1, 2, 3]
    sides = {0: (9, 9), 1: (12, 8), 2: (12, 8), 3: (9, 9)}
    for each in found:
        assert each.place == ()
        assert tuple(len(axis) for axis in each.box) <= sides[each.sample]
    assert all(each.box for each in strongest_activations(network, batches, layer="conv3", units=0))


def test_a_layer_that_runs_several_times_sees_what_its_call_sees():
    for plain, other in twins():
        pictures = torch.rand(3, 3, 12, 13, generator=torch.Generator().manual_seed(0))
        expected = strongest_activations(plain, [pictures], layer="conv3", units=[0])
        assert [each.box for each in strongest_activations(other, [pictures], layer="conv3", units=[0])] == [
            each.box for each in expected
        ]
    for call, name in ((1, "relu1"), (2, "relu2"), (3, "relu3")):
        ours = strongest_activations(other, [pictures], layer=f"relu1@{call}", units=[2])
        theirs = strongest_activations(plain, [pictures], layer=name, units=[2])
        assert [(each.sample, each.place, each.box) for each in ours] == [
            (each.sample, each.place, each.box) for each in theirs
        ]
    with pytest.raises(NetworkError, match="runs 3 times"):
        strongest_activations(other, [pictures], layer="relu1")


class Depends(nn.Module):
    """Cannot be traced: what runs depends on the numbers."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, 2)

    def forward(self, x):
        return self.conv(x) if x.sum() > -1e9 else x


def test_where_theory_is_silent_gradients_tell():
    found = strongest_activations(Depends(), [torch.rand(1, 1, 9, 9)], layer="conv", count=1)
    for each in found:
        assert each.start == tuple(2 * at for at in each.place)
        assert (each.size, [len(axis) for axis in each.box]) == ((3, 3), [3, 3])


class Text(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.conv, self.head = (
            nn.Embedding(9, 1),
            nn.Conv1d(1, 1, 3, padding=1, bias=False),
            nn.Linear(1, 2),
        )
        with torch.no_grad():
            self.table.weight.copy_(torch.arange(9.0)[:, None])
            self.conv.weight.fill_(1.0)

    def forward(self, words):
        return self.head(self.conv(self.table(words).transpose(1, 2)).amax(2))


def test_the_words_that_a_filter_fires_at():
    first, second = torch.tensor([[1, 2, 3, 1, 0], [8, 8, 0, 0, 0]]), torch.tensor([[0, 0, 7, 6, 5, 4]])
    found = strongest_activations(Text(), [first, second], layer="conv")
    assert [(each.sample, each.value, each.place, each.box) for each in found] == [
        (2, 18, (3,), (range(2, 5),)),
        (1, 16, (0,), (range(0, 2),)),
        (0, 6, (1,), (range(0, 3),)),
    ]
    words = {0: first[0], 1: first[1], 2: second[0]}
    assert [each.tolist() for each in patches(words, found)] == [[7, 6, 5], [8, 8], [1, 2, 3]]


def test_sound():
    network = nn.Sequential(nn.Conv1d(2, 3, 5, 2, 1), nn.ReLU())
    (found,) = strongest_activations(network, [torch.randn(1, 2, 21)], layer="1", units=0, count=1)
    (place,) = found.place
    assert (found.start, found.size) == ((2 * place - 1,), (5,))
    assert patches(torch.randn(1, 2, 21), [found], fill=0.0)[0].shape == (2, 5)
