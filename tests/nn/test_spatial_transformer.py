"""The spatial transformer: identity, shift and flip by hand, torch's own grid as an oracle, the MNIST net."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from neocog.architectures import create
from neocog.core.errors import NetworkError
from neocog.core.layers import layer_table
from neocog.core.randomness import generator, seed_everything
from neocog.nn.spatial_transformer import AffineSampler, SpatialTransformer, sampling_grid

PICTURE = torch.arange(1.0, 13.0).view(1, 1, 3, 4)


def resampled(*numbers: float) -> torch.Tensor:
    return AffineSampler()(PICTURE, torch.tensor(numbers).view(1, 2, 3))[0, 0]


def test_the_identity_changes_nothing():
    assert torch.allclose(resampled(1, 0, 0, 0, 1, 0), PICTURE[0, 0], atol=1e-5)


def test_a_shift_reads_the_next_pixel_and_zero_outside():
    # The picture is 2 wide in its coordinates and 4 in pixels, so a pixel is 0.5.
    expected = torch.tensor([[2.0, 3, 4, 0], [6, 7, 8, 0], [10, 11, 12, 0]])
    assert torch.allclose(resampled(1, 0, 0.5, 0, 1, 0), expected, atol=1e-5)


def test_half_a_pixel_is_the_mean_of_two():
    expected = torch.tensor([[1.5, 2.5, 3.5, 2.0], [5.5, 6.5, 7.5, 4.0], [9.5, 10.5, 11.5, 6.0]])
    assert torch.allclose(resampled(1, 0, 0.25, 0, 1, 0), expected, atol=1e-5)


def test_flips():
    assert torch.allclose(resampled(-1, 0, 0, 0, 1, 0), PICTURE[0, 0].flip(1), atol=1e-5)
    assert torch.allclose(resampled(1, 0, 0, 0, -1, 0), PICTURE[0, 0].flip(0), atol=1e-5)


def test_the_grid_is_torchs():
    affine = torch.randn(5, 2, 3, generator=generator(0))
    expected = functional.affine_grid(affine, [5, 1, 7, 4], align_corners=False)
    assert torch.allclose(sampling_grid(affine, 7, 4), expected, atol=1e-6)


def test_any_network_can_take_the_block():
    localisation = nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 8), nn.ReLU(), nn.Linear(8, 6))
    behind = create("lenet_caffe")
    network = nn.Sequential(SpatialTransformer(localisation), behind)
    inputs = torch.randn(2, 1, 28, 28, generator=generator(1))
    assert torch.allclose(network(inputs), behind(inputs), atol=1e-4)
    assert network(inputs[:0]).shape == (0, 10)
    network(inputs).sum().backward()
    assert localisation[-1].weight.grad.any()


@pytest.mark.parametrize(("layer", "found"), [(nn.Linear(4, 5), "its last gives 5"), (nn.Flatten(), "it has none")])
def test_a_localisation_net_ends_in_six_numbers(layer, found):
    with pytest.raises(NetworkError, match=f"dense layer of 6 numbers, {found}"):
        SpatialTransformer(nn.Sequential(layer))


def test_the_mnist_net_learns_to_move_its_input():
    seed_everything(0)
    network = create("spatial_transformer_mnist", dropout=0.0)
    rows = {row.name: row.params for row in layer_table(network, (1, 28, 28)) if row.params}
    assert sum(params for name, params in rows.items() if name.startswith("transformer.")) == 5_520
    inputs = torch.randn(4, 1, 28, 28, generator=generator(2))
    optimiser = torch.optim.SGD(network.parameters(), 0.1)
    for _ in range(2):
        functional.cross_entropy(network(inputs), torch.arange(4)).backward()
        optimiser.step()
    assert all(weight.grad.any() for weight in network.transformer.parameters())
