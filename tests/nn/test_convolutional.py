"""Fully convolutional forms: the classifier's own logits at its size, and at every place of a larger picture."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from torch import nn

import neocog
from neocog.architectures import create
from neocog.core.errors import NetworkError
from neocog.core.randomness import seed_everything
from neocog.nn.convolutional import fully_convolutional


def unpadded(pool: nn.Module | None = None) -> nn.Sequential:
    """Returns a classifier of 3x20x18 pictures without padding, with stride 4; 2x1x2 maps are flattened."""
    layers = OrderedDict(
        conv1=nn.Conv2d(3, 4, 3, 2), norm=nn.BatchNorm2d(4), relu1=nn.ReLU(), conv2=nn.Conv2d(4, 5, 3),
        pool=pool or nn.MaxPool2d(2), flatten=nn.Flatten(), dropout=nn.Dropout(0.5),
        dense=nn.Linear(5 * 3 * 3 if pool is None else 5, 6), norm2=nn.BatchNorm1d(6), relu2=nn.ReLU(),
        head=nn.Linear(6, 7),
    )  # fmt: skip
    network = nn.Sequential(layers)
    for module in network:
        if isinstance(module, (nn.BatchNorm2d, nn.BatchNorm1d)):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.normal_(module.bias)
    return network.eval()


def agree(one: torch.Tensor, other: torch.Tensor) -> bool:
    return torch.allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("pool", [None, nn.AdaptiveAvgPool2d(1), nn.AdaptiveMaxPool2d(1)])
def test_every_place_is_the_classifiers_answer_for_its_part(pool: nn.Module | None) -> None:
    seed_everything(1)
    network = unpadded(pool)
    side, stride = 17, 4 if pool is None else 2
    form = fully_convolutional(network, (3, side, side))
    picture = torch.randn(2, 3, side + 9, side + 5)
    with torch.inference_mode():
        assert form(picture[..., :side, :side]).shape == (2, 7, 1, 1)
        assert agree(form(picture[..., :side, :side]).flatten(1), network(picture[..., :side, :side]))
        map_ = form(picture)
        assert map_.shape == (2, 7, 9 // stride + 1, 5 // stride + 1)
        for row in range(map_.shape[2]):
            for column in range(map_.shape[3]):
                top, left = row * stride, column * stride
                part = picture[..., top : top + side, left : left + side]
                assert agree(map_[:, :, row, column], network(part)), (row, column)


def test_the_classifier_stays_as_it_was() -> None:
    network = unpadded()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    form = fully_convolutional(network, (3, 17, 17))
    with torch.no_grad():
        for parameter in form.parameters():
            parameter.zero_()
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert isinstance(network.head, nn.Linear)


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("resnet18", 96), ("mobilenet_v2", 96), ("mobilenet_v1_025", 96), ("squeezenet1_1", 96),
        ("shufflenet_v2_x0_5", 96), ("keras_cifar", 32), ("lenet5_modern", 32), ("efficientnet_lite0", 96),
    ],
)  # fmt: skip
def test_networks_give_their_logits_at_their_size_and_maps_at_larger_ones(name: str, side: int) -> None:
    seed_everything(2, name)
    network = create(name, size=side).eval()
    channels = next(module for module in network.modules() if isinstance(module, nn.Conv2d)).in_channels
    form = neocog.fully_convolutional(network, (channels, side, side))
    picture = torch.randn(1, channels, side + 32, side + 64)
    with torch.inference_mode():
        logits, single = network(picture[..., :side, :side]), form(picture[..., :side, :side])
        assert single.shape == (*logits.shape, 1, 1)
        assert torch.allclose(single.flatten(1), logits, rtol=1e-4, atol=1e-4 * logits.abs().max().item())
        map_ = form(picture)
    assert map_.shape[:2] == logits.shape
    assert map_.shape[2] >= 2
    assert map_.shape[3] >= 3
    assert set(form.state_dict()) == set(network.state_dict())


def test_lenets_places_are_four_pixels_apart() -> None:
    seed_everything(3)
    network = create("lenet5_modern").eval()
    form = fully_convolutional(network, (1, 32, 32))
    picture = torch.randn(1, 1, 40, 36)
    with torch.inference_mode():
        map_ = form(picture)
        assert map_.shape == (1, 10, 3, 2)
        assert agree(map_[:, :, 2, 1], network(picture[..., 8:40, 4:36]))


def test_training_goes_on() -> None:
    form = fully_convolutional(unpadded().train(), (3, 17, 17))
    assert form.training
    form(torch.randn(2, 3, 25, 25)).sum().backward()
    assert all(parameter.grad is not None for parameter in form.parameters())


def test_radial_basis_functions_have_no_convolution() -> None:
    with pytest.raises(NetworkError, match="no convolution stands for 'head', a RadialBasis"):
        fully_convolutional(create("lenet5"), (1, 32, 32))


class ForOneSize(nn.Module):
    """Weights of its own at each place."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3, 8, 8))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.weight


class FlattensInPassing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 8), nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.conv(x).flatten(1))


def test_weights_of_one_size_and_places_brought_together_in_passing_are_refused() -> None:
    local = nn.Sequential(ForOneSize(), nn.Flatten(), nn.Linear(192, 2))
    with pytest.raises(NetworkError, match=r"0 \(ForOneSize\) does not slide over a picture of 3x72x72"):
        fully_convolutional(local, (3, 8, 8))
    with pytest.raises(NetworkError, match="no fully convolutional form"):
        fully_convolutional(FlattensInPassing(), (3, 8, 8))


def test_a_pooling_to_a_grid_needs_the_size_at_which_it_does_nothing() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(64, 2)).eval()
    form = fully_convolutional(network, (3, 6, 6))
    assert form(torch.zeros(1, 3, 10, 8)).shape == (1, 2, 5, 3)
    with pytest.raises(NetworkError, match="'1' pools 7x7 to 4x4"):
        fully_convolutional(network, (3, 9, 9))


@pytest.mark.parametrize("shape", [(3, 8), (4, 17, 17), (3, 4, 4)])
def test_shapes_that_do_not_fit_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(NetworkError):
        fully_convolutional(unpadded(), shape)


def test_what_is_no_classifier_is_refused() -> None:
    with pytest.raises(NetworkError, match="of a classifier of pictures"):
        fully_convolutional(nn.Conv2d(3, 4, 3), (3, 8, 8))


@pytest.mark.parametrize(("name", "side"), [("alexnet", 227), ("vgg11", 224)])
def test_dense_layers_over_maps_become_convolutions(name: str, side: int) -> None:
    seed_everything(2)
    network = create(name, classes=3).eval()
    form = fully_convolutional(network, (3, side, side))
    with torch.inference_mode():
        picture = torch.randn(1, 3, side, side)
        assert agree(form(picture).flatten(1), network(picture))
        assert form(torch.randn(1, 3, side + 32, side + 64)).shape == (1, 3, 2, 3)
