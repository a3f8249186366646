"""The kernels of a layer, and its maps."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from twins import Plain, settled, twins

from neocog.architectures.lenet import lenet5
from neocog.core.errors import NetworkError
from neocog.explain.feature_maps import feature_maps
from neocog.explain.filters import filters

X = torch.rand(2, 3, 11, 9, generator=torch.Generator().manual_seed(1))


def test_the_first_layers_unless_told():
    network = settled(Plain())
    found = filters(network)
    assert torch.equal(found, network.conv1.weight)
    assert torch.equal(filters(network, layer="conv3"), network.conv3.weight)
    found.zero_()
    assert network.conv1.weight.any()
    assert not found.requires_grad


def test_groups_sound_and_transposed():
    assert torch.equal(filters(grouped := nn.Sequential(nn.Conv2d(6, 4, 3, groups=2))), grouped[0].weight)
    assert filters(nn.Sequential(nn.Conv1d(2, 5, 7))).shape == (5, 2, 7)
    layer = nn.ConvTranspose2d(4, 6, 3, groups=2, bias=False)
    found = filters(nn.Sequential(layer))
    assert found.shape == (6, 2, 3, 3)
    for unit in range(6):
        group, below = unit // 3, slice(unit // 3 * 2, unit // 3 * 2 + 2)
        assert torch.equal(found[unit], layer.weight[below, unit - 3 * group])
        one = torch.zeros(1, 4, 1, 1)
        one[0, below.start + 1] = 1  # what one unit below lays down
        torch.testing.assert_close(layer(one)[0, unit], found[unit, 1])


def test_a_table_of_connections_is_filled_up_with_zeros():
    network = lenet5()
    kernels, x = filters(network, layer="c3"), torch.rand(1, 6, 9, 9)
    assert kernels.shape == (16, 6, 5, 5)
    torch.testing.assert_close(functional.conv2d(x, kernels, network.c3.bias), network.c3(x))
    assert not kernels[0, 3:].any()


def test_a_layer_without_kernels_is_refused():
    with pytest.raises(NetworkError, match="'relu1' is a ReLU; name one of conv1, conv2, conv3"):
        filters(settled(Plain()), layer="relu1")
    with pytest.raises(NetworkError, match="has no layer 'conv9'"):
        filters(settled(Plain()), layer="conv9")
    with pytest.raises(NetworkError, match="no convolution"):
        filters(nn.Sequential(nn.Linear(2, 2)))


def test_maps_are_what_leaves_the_layer():
    network = settled(Plain()).eval()
    hidden = functional.conv2d(X, network.conv1.weight, network.conv1.bias, padding=1)
    torch.testing.assert_close(feature_maps(network, X, layer="conv1"), hidden.detach())
    torch.testing.assert_close(feature_maps(network, X, layer="head"), network(X).detach())
    for plain, other in twins():
        for layer in ("conv1", "norm2", "pool", "conv3"):
            if hasattr(other, layer) and (layer != "pool" or "Functional" not in type(other).__name__):
                torch.testing.assert_close(feature_maps(other, X, layer=layer), feature_maps(plain, X, layer=layer))
    torch.testing.assert_close(feature_maps(other, X, layer="relu1@2"), feature_maps(plain, X, layer="relu2"))
    with pytest.raises(NetworkError, match="does not run its layer 'pool'"):
        feature_maps(next(twins())[1], X, layer="pool")


def test_maps_of_words_and_of_networks_that_work_on_their_input():
    words = nn.Sequential(nn.Embedding(5, 3), nn.Flatten(), nn.Linear(6, 2))
    tokens = torch.tensor([[1, 4]])
    assert torch.equal(feature_maps(words, tokens, layer="0"), words[0].weight.detach()[tokens])
    given = X - 0.5
    kept = given.clone()
    torch.testing.assert_close(feature_maps(nn.Sequential(nn.ReLU(True)), given, layer="0"), kept.relu())
    assert torch.equal(given, kept)
