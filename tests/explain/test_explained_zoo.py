"""Explanations of the zoo's networks: they are finite, samples do not meet, and they are what theory and captum say."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from captum.attr import GuidedBackprop
from torch import Tensor, nn
from twins import pictures

from neocog import explain
from neocog.architectures import create
from neocog.core.errors import NetworkError

Method = Callable[[nn.Module, Tensor], Tensor]


class Zoo:
    """A zoo network's input without the batch, and a layer of it with rectifiers before it, if any."""

    def __init__(self, *shape: int, layer: str = "") -> None:
        self.shape, self.layer = shape, layer


ZOO = {
    "lenet5": Zoo(1, 32, 32, layer="s4"),
    "resnet18": Zoo(3, 40, 33, layer="layer2.0"),
    "googlenet": Zoo(3, 64, 64, layer="inception3a"),
    "squeezenet1_1": Zoo(3, 48, 40, layer="fire2"),
    "mobilenet_v2": Zoo(3, 40, 33, layer="stage3"),
    "efficientnet_lite0": Zoo(3, 40, 33, layer="stage3"),
    "densenet40_k12_cifar10": Zoo(3, 32, 32, layer="transition1"),
    "spatial_transformer_mnist": Zoo(1, 28, 28, layer="conv2"),
}
WITHOUT_RECTIFIERS, WITHOUT_A_RULE = {"lenet5"}, {"spatial_transformer_mnist"}


def zoo_network(name: str) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    return create(name, classes=10).eval(), pictures(2, *ZOO[name].shape)


def zoo_method(name: str, method: str) -> Method:
    layer = ZOO[name].layer
    return {
        "deconvnet": lambda module, x: explain.deconvnet(module, x, layer=layer),
        "gradient": lambda module, x: explain.gradient(module, x, target=1),
        "grad_cam": lambda module, x: explain.grad_cam(module, x, target=1),
        "guided": lambda module, x: explain.guided_backpropagation(module, x, target=1),
        "integrated": lambda module, x: explain.integrated_gradients(module, x, target=1, steps=2),
        "relevance": lambda module, x: explain.relevance(module, x, target=1),
    }[method]


@pytest.mark.parametrize("method", ["deconvnet", "gradient", "grad_cam", "guided", "integrated", "relevance"])
@pytest.mark.parametrize("name", ZOO)
def test_networks_of_the_zoo(name: str, method: str) -> None:
    network, inputs = zoo_network(name)
    explained = zoo_method(name, method)
    if (name in WITHOUT_RECTIFIERS and method in ("deconvnet", "guided")) or (
        name in WITHOUT_A_RULE and method == "relevance"
    ):
        with pytest.raises(NetworkError, match="choose"):
            explained(network, inputs)
        return
    found = explained(network, inputs)
    assert found.isfinite().all()
    assert found.shape[-2:] == inputs.shape[-2:]
    assert method == "grad_cam" or found.any()
    scale = float(found.abs().max())
    alone = explained(network, inputs[1:])
    assert torch.allclose(found[1:], alone, atol=1e-4 * scale)


@pytest.mark.parametrize("name", sorted(ZOO.keys() - WITHOUT_A_RULE - WITHOUT_RECTIFIERS))
def test_with_rectifiers_the_zoos_relevance_is_gradient_times_input(name: str) -> None:
    """ReLU6 cuts above too, where relevance passes and gradients do not; no activation is as large here."""
    network, inputs = zoo_network(name)
    found = explain.relevance(network.double(), inputs.double(), target=1, rule="epsilon", epsilon=0.0)
    expected = explain.gradient_times_input(network, inputs.double(), target=1)
    # Local response normalisation hands on what its derivative would send to its neighbours.
    tolerance = 0.05 if name == "googlenet" else 1e-6
    assert float((found - expected).norm() / expected.norm()) < tolerance


@pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU")
@pytest.mark.parametrize("name", ["resnet18", "googlenet", "squeezenet1_1"])
def test_the_zoos_guided_backpropagation_is_captums(name: str) -> None:
    network, inputs = zoo_network(name)
    expected = GuidedBackprop(network).attribute(inputs.clone().requires_grad_(), target=1)
    found = explain.guided_backpropagation(network, inputs, target=1)
    assert torch.allclose(found, expected, atol=1e-5 * float(expected.abs().max()))
