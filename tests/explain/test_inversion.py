"""Feature inversion: exact where the features tell all, apart by sample, nothing left behind."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from neocog.core.errors import NetworkError, UsageError
from neocog.explain.inversion import invert_features


def inputs(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


def test_features_that_tell_all_give_the_input_back():
    net = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False), nn.LeakyReLU(0.5, inplace=True))
    given = inputs(2, 1, 5, 4, dtype=torch.float64)
    found = invert_features(net.double(), given, layer="1", steps=250, rate=0.05, variation=0.0, norm=0.0)
    assert found.inputs.dtype == torch.float64
    assert torch.allclose(found.inputs, given, atol=0.02)
    assert bool((found.error < 0.01).all())


@pytest.mark.parametrize("shape", [(1, 2, 12), (1, 2, 7, 9), (1, 2, 5, 5, 5)])
def test_the_error_falls_and_is_the_one_of_the_result(shape):
    torch.manual_seed(0)
    convolution = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[len(shape) - 3]
    net = nn.Sequential(convolution(2, 6, 3), nn.ReLU(inplace=True))
    given = inputs(*shape)
    short, long = (invert_features(net, given, layer="1", steps=steps) for steps in (1, 150))
    assert float(long.error) < 0.3 < float(short.error)
    code, found = (net(each.clone()).detach() for each in (given, long.inputs))
    assert float((found - code).norm() / code.norm()) == pytest.approx(float(long.error), rel=1e-4)


def test_total_variation_makes_it_smoother():
    net = nn.Sequential(nn.Conv2d(1, 1, 4, stride=4))
    given = inputs(1, 1, 16, 16)
    rough, smooth = (
        invert_features(net, given, layer="0", steps=100, variation=weight).inputs.diff(dim=3).abs().mean()
        for weight in (0.0, 1.0)
    )
    assert smooth < rough


def test_samples_do_not_influence_each_other_and_the_input_stays():
    net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Tanh())
    given = inputs(2, 1, 8, 8)
    kept = given.clone()
    both = invert_features(net, given, layer="1", steps=10)
    assert torch.allclose(both.inputs[:1], invert_features(net, given[:1], layer="1", steps=10).inputs, atol=1e-5)
    assert torch.equal(given, kept)
    assert torch.equal(both.inputs, invert_features(net, given, layer="1", steps=10).inputs)


def test_nothing_stays_behind_after_an_interrupt():
    net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Dropout()).train()

    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        invert_features(net, inputs(1, 1, 8, 8), layer="0", on_step=interrupt)
    assert net.training
    assert all(each.requires_grad and each.grad is None for each in net.parameters())
    assert not any(each._forward_hooks for each in net.modules())


def test_refusals():
    net = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU())
    net[0].weight.data.fill_(-1)
    net[0].bias.data.fill_(0)
    with pytest.raises(NetworkError, match="all zero"):
        invert_features(net, torch.ones(1, 1, 4, 4), layer="1")
    with pytest.raises(NetworkError, match="no layer"):
        invert_features(net, torch.ones(1, 1, 4, 4), layer="relu")
    with pytest.raises(UsageError, match="floats"):
        invert_features(net, torch.ones(1, 1, 4, 4, dtype=torch.uint8), layer="1")
    with pytest.raises(UsageError, match="from 1"):
        invert_features(net, torch.ones(1, 1, 4, 4), layer="1", steps=0)
