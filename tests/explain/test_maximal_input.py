"""The maximal input: along the weights, of one length, and no other input of that length is better."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from neocog.architectures.autoencoder import autoencoder_100_50
from neocog.core.errors import NetworkError, UsageError
from neocog.core.reference.maximal_input import maximal_input as by_the_notes
from neocog.explain.maximal_input import maximal_input


def test_the_autoencoders_hidden_units_as_pictures():
    net = autoencoder_100_50()
    pictures = maximal_input(net)
    assert pictures.shape == (50, 100)
    weights = net.hidden.weight.detach()
    assert torch.allclose(pictures.flatten(1).norm(dim=1), torch.ones(50))
    assert torch.allclose((pictures * weights).sum(1), weights.norm(dim=1))
    assert torch.allclose(pictures[7], torch.from_numpy(by_the_notes(weights[7].numpy())))


def test_no_other_input_of_that_length_excites_more():
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.Sigmoid()).double()
    best = maximal_input(net, shape=(3, 2, 2), bound=2.0)
    assert best.shape == (5, 3, 2, 2)
    assert best.dtype == torch.float64
    others = torch.randn(1000, 3, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    others = 2 * others / others.flatten(1).norm(dim=1).reshape(-1, 1, 1, 1)
    assert bool((net(best).diagonal() >= net(others).max(0).values).all())


def test_a_unit_without_weights_prefers_nothing_and_can_be_left_out():
    net = nn.Linear(3, 3)
    net.weight.data = torch.tensor([[1.0, 0, 0], [0, 0, 0], [0, 3, 4]])
    with pytest.raises(NetworkError, match="unit 1 "):
        maximal_input(net)
    assert maximal_input(net, units=[2, 0]).tolist() == [[0, pytest.approx(0.6), pytest.approx(0.8)], [1, 0, 0]]


def test_nothing_stays_behind():
    net = nn.Sequential(nn.Linear(4, 2), nn.Dropout()).train()
    state = torch.get_rng_state()
    maximal_input(net)
    assert torch.equal(torch.get_rng_state(), state)
    assert net.training
    assert not net[0]._forward_pre_hooks
    assert net[0].weight.requires_grad


@pytest.mark.parametrize(
    ("net", "options", "error", "words"),
    [
        (nn.Sequential(nn.Conv2d(1, 2, 3)), {}, NetworkError, "Conv2d"),
        (nn.Sequential(nn.ReLU()), {}, NetworkError, "no layer with weights"),
        (nn.Sequential(nn.Tanh(), nn.Linear(4, 2)), {}, NetworkError, "does not see"),
        (nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2)), {"layer": "1"}, NetworkError, "does not see"),
        (nn.Sequential(nn.Linear(4, 4)), {"layer": "O"}, NetworkError, "no layer"),
        (nn.Linear(4, 2), {"shape": (3,)}, UsageError, "4 inputs, not 3"),
        (nn.Linear(4, 2), {"units": [2]}, UsageError, "units 0 to 1"),
        (nn.Linear(4, 2), {"bound": 0.0}, UsageError, "above 0"),
    ],
)
def test_refusals(net, options, error, words):
    with pytest.raises(error, match=words):
        maximal_input(net, **options)
