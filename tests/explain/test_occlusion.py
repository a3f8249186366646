"""Occlusion by hand and by captum."""

import pytest
import torch
from captum.attr import Occlusion
from torch import nn
from twins import Plain, settled

from neocog.core.errors import UsageError
from neocog.explain.occlusion import occlusion

X = torch.rand(2, 3, 11, 9, generator=torch.Generator().manual_seed(1))


def summing(places, classes=1):
    network = nn.Sequential(nn.Flatten(), nn.Linear(places, classes, bias=False))
    nn.init.ones_(network[1].weight)
    return network


def test_by_hand():
    x = torch.tensor([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]])
    torch.testing.assert_close(occlusion(summing(6), x, window=1, stride=1, fill=0.0), x[0])
    # Windows 2x2 at columns 0 and 1: sums 12 and 16; the middle column is under both.
    expected = torch.tensor([[[12.0, 14.0, 16.0], [12.0, 14.0, 16.0]]])
    torch.testing.assert_close(occlusion(summing(6), x, window=2, stride=1, fill=0.0), expected)
    # With the mean, 3.5, the windows take 12 - 14 and 16 - 14.
    expected = torch.tensor([[[-2.0, 0.0, 2.0], [-2.0, 0.0, 2.0]]])
    torch.testing.assert_close(occlusion(summing(6), x, window=2, stride=1), expected)
    torch.testing.assert_close(
        occlusion(summing(6), x, window=2, stride=2, fill=0.0)[0, :, 2], torch.tensor([9.0, 9.0])
    )


def test_the_sides_unless_told_are_a_sixth_and_a_twelfth():
    x = torch.rand(1, 1, 24, 36)
    told = occlusion(summing(24 * 36), x, window=(4, 6), stride=(2, 3))
    torch.testing.assert_close(occlusion(summing(24 * 36), x), told)
    assert occlusion(summing(2), torch.rand(1, 2, 1)).shape == (1, 1)


@pytest.mark.parametrize(
    ("window", "stride", "fill"),
    [((3, 2), (2, 1), 0.0), ((4, 4), (3, 4), 0.5), ((11, 9), (5, 5), 0.0), ((5, 1), (4, 1), 0.0)],
)
def test_captum_has_the_same(window, stride, fill):
    network, target = settled(Plain()).eval(), torch.tensor([1, 4])
    ours = occlusion(network, X, target=target, window=window, stride=stride, fill=fill, batch_size=5)
    theirs = Occlusion(network).attribute(X, (3, *window), (3, *stride), baselines=fill, target=target)
    torch.testing.assert_close(ours, theirs[:, 0].detach())
    torch.testing.assert_close(ours, theirs[:, 2].detach())


def test_fills():
    network = settled(Plain())
    means = X.mean((2, 3))
    each = torch.cat([occlusion(network, X[i : i + 1], fill=means[i]) for i in range(2)])
    torch.testing.assert_close(occlusion(network, X), each)
    whole = occlusion(network, X, fill=means[0][:, None, None].expand(3, 11, 9))
    torch.testing.assert_close(whole, occlusion(network, X, fill=means[0]))
    with pytest.raises(UsageError, match="one for each of 3 channels"):
        occlusion(network, X, fill=torch.zeros(2))


def test_samples_stay_apart_and_keep_their_class():
    network = settled(Plain()).double()
    x = X.double()
    both = occlusion(network, x, batch_size=7)
    assert both.dtype == torch.float64
    torch.testing.assert_close(both, torch.cat([occlusion(network, x[i : i + 1]) for i in range(2)]))
    predicted = network.eval()(x).argmax(1)
    torch.testing.assert_close(both, occlusion(network, x, target=predicted.tolist()))


def test_sound_volumes_and_words():
    torch.testing.assert_close(
        occlusion(summing(5), torch.arange(5.0).reshape(1, 1, 5), window=1, stride=1, fill=0.0), torch.arange(5.0)[None]
    )
    assert occlusion(summing(60), torch.rand(2, 1, 3, 4, 5)).shape == (2, 3, 4, 5)
    words = nn.Sequential(nn.Embedding(6, 3), nn.Flatten(), nn.Linear(12, 1, bias=False))
    nn.init.ones_(words[2].weight)
    tokens = torch.tensor([[0, 5, 2, 2], [1, 1, 1, 3]])
    sums = words[0].weight.detach().sum(1)[tokens]
    torch.testing.assert_close(occlusion(words, tokens, window=1, stride=1, fill=0.0), sums)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": 10}, "1 to 9 of an axis of 9; got 10"),
        ({"window": 0}, "1 to 11 of an axis of 11; got 0"),
        ({"window": 3, "stride": 4}, "1 to the window's 3"),
        ({"window": 3, "stride": 0}, "1 to the window's 3"),
        ({"window": 2.5}, "whole number"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        occlusion(settled(Plain()), X, **settings)
    with pytest.raises(UsageError, match="have none"):
        occlusion(summing(3), torch.rand(1, 3))
