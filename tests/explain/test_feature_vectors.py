"""Features of a data set: what goes into the head, or comes out of a layer."""

import pytest
import torch
from torch import nn
from twins import Plain, settled, twins

from neocog.core.errors import NetworkError, UsageError
from neocog.explain.features import features

X = torch.rand(5, 3, 11, 9, generator=torch.Generator().manual_seed(1))


def test_what_goes_into_the_head():
    network = settled(Plain()).eval()
    rows = features(network.train(), iter(X.split(2)))
    assert rows.shape == (5, 8)
    torch.testing.assert_close(network.head(rows), network.eval()(X))
    for plain, other in twins():
        torch.testing.assert_close(features(other, [X]), features(plain, [X]))


def test_what_comes_out_of_a_layer():
    network = settled(Plain())
    torch.testing.assert_close(features(network, [X], layer="conv1"), network.conv1(X).mean((2, 3)).detach())
    torch.testing.assert_close(features(network, [X], layer="head"), network.eval()(X).detach())


def test_a_head_that_is_a_convolution_or_a_layer_of_ones_own():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    torch.testing.assert_close(features(network, [X]), network[:2](X).mean((2, 3)).detach())
    pooled = features(network, [X[:, :, :8], X])  # of different sizes
    assert pooled.shape == (10, 4)


def test_words_and_channels_last():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 3))
    batches = [torch.tensor([[1, 2, 3]]), torch.tensor([[4, 5], [6, 7]])]
    rows = features(network, batches, layer="0")
    torch.testing.assert_close(rows[2], network[0].weight[[6, 7]].mean(0).detach())
    torch.testing.assert_close(features(network, batches), rows)  # what goes into the dense layer, word by word
    assert features(network, batches, layer="1").shape == (3, 3)


def test_what_gives_no_rows_is_refused():
    network = settled(Plain())
    with pytest.raises(NetworkError, match="has no layer 'conv'"):
        features(network, [X], layer="conv")
    with pytest.raises(UsageError, match="no samples"):
        features(network, [])
    with pytest.raises(UsageError, match="leave labels out"):
        features(network, [(X, torch.zeros(5))])
    with pytest.raises(NetworkError, match="not a row for each"):
        features(nn.Sequential(nn.Flatten(0, 1), nn.Conv1d(11, 2, 1)), [torch.rand(5, 3, 11, 9)], layer="0")
    flat = nn.Sequential(nn.Conv1d(1, 1, 1), nn.Flatten(), nn.ReLU())
    with pytest.raises(UsageError, match="2 numbers for some inputs and 3 for others"):
        features(flat, [torch.rand(1, 1, 2), torch.rand(1, 1, 3)], layer="2")
