"""Local connections: by hand, and against a convolution where all places have the same weights."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from neocog.core.errors import NetworkError
from neocog.core.randomness import generator
from neocog.nn.local import LocallyConnected2d


def test_every_place_has_its_own_kernel_and_bias():
    layer = LocallyConnected2d(1, 1, 2, size=3)
    with torch.no_grad():
        for place, (row, column) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
            layer.weight[row, column] = place + 1
            layer.bias[row, column] = 100 * place
    outputs = layer(torch.arange(1.0, 10.0).view(1, 1, 3, 3))
    # The windows' sums are 12, 16, 24, 28.
    assert outputs.flatten().tolist() == [1 * 12, 2 * 16 + 100, 3 * 24 + 200, 4 * 28 + 300]


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 0), (2, 1), (3, 2)])
def test_equal_weights_everywhere_are_a_convolution(stride, padding):
    layer = LocallyConnected2d(3, 4, 3, size=8, stride=stride, padding=padding)
    kernels = torch.randn(4, 3, 3, 3, generator=generator(0))
    biases = torch.randn(4, generator=generator(1))
    with torch.no_grad():
        layer.weight.copy_(kernels.expand_as(layer.weight))
        layer.bias.copy_(biases.expand_as(layer.bias))
    inputs = torch.randn(2, 3, 8, 8, generator=generator(2))
    expected = functional.conv2d(inputs, kernels, biases, stride, padding)
    assert torch.allclose(layer(inputs), expected, atol=1e-5)


def test_gradients_agree_with_finite_differences():
    layer = LocallyConnected2d(2, 2, 2, size=3).double()
    inputs = torch.randn(2, 2, 3, 3, generator=generator(3), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda x, w: torch.func.functional_call(layer, {"weight": w}, (x,)), (inputs, layer.weight)
    )


def test_counts_and_an_empty_batch():
    layer = LocallyConnected2d(3, 4, 3, size=8, stride=2)  # 3x3 places
    assert sum(parameter.numel() for parameter in layer.parameters()) == 9 * (4 * 27 + 4)
    assert layer.macs((4, 3, 3)) == 9 * 4 * 27
    assert layer(torch.zeros(0, 3, 8, 8)).shape == (0, 4, 3, 3)


def test_inputs_of_another_size_are_refused():
    with pytest.raises(NetworkError, match="have 6x6 positions, the input has 7x6"):
        LocallyConnected2d(1, 1, 3, size=8)(torch.zeros(1, 1, 9, 8))
    with pytest.raises(NetworkError, match="does not fit an axis of 2"):
        LocallyConnected2d(1, 1, 3, size=2)
