"""Rectifiers in place while training: the same values and gradients, and nobody sees a tensor that was written over."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from trained_within import trained

from neocog.architectures import create
from neocog.nn.overwrite import overwriting

NETWORKS = {
    "resnet18": 32,
    "resnet50_v2": 32,
    "wrn28_10_cifar10": 8,
    "densenet40_k12_cifar10": 16,
    "mobilenet_v2_050": 32,
    "shufflenet_v2_x0_5": 32,
    "shufflenet_v1_g2": 32,
    "se_resnet18": 32,
    "googlenet_torchvision": 64,
    "squeezenet1_1": 64,
    "nin_cifar10": 32,
}


@pytest.mark.parametrize("name", NETWORKS)
def test_values_and_gradients_are_the_same_to_the_last_bit(name: str) -> None:
    torch.manual_seed(0)
    network, inputs = create(name, classes=3), torch.randn(2, 3, NETWORKS[name], NETWORKS[name])
    (plain, wanted), (outputs, found) = (trained(network, inputs), trained(network, inputs, overwriting))
    assert torch.equal(plain, outputs)
    for key, gradient in wanted.items():
        assert torch.equal(gradient, found[key]), key  # type: ignore[arg-type]


def pointers(network: nn.Module, inputs: Tensor) -> list[bool]:
    """Returns for each rectifier whether what it gave lies where its input lay."""
    found: list[bool] = []
    for module in network.modules():
        if isinstance(module, (nn.ReLU, nn.ReLU6)):
            module.register_forward_hook(lambda _m, given, made: found.append(given[0].data_ptr() == made.data_ptr()))
    network(inputs)
    return found


def test_rectifiers_of_residual_blocks_write_over_their_input_and_only_then() -> None:
    network, inputs = create("resnet18", classes=3).train(), torch.randn(2, 3, 32, 32)
    with overwriting(network):
        within = pointers(network, inputs)
    assert within.count(True) == 17
    assert not any(pointers(network, inputs))
    assert not any("forward" in vars(module) for module in network.modules())


def test_everything_is_as_it_was_after_an_error() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
    with pytest.raises(RuntimeError), overwriting(network):
        network(torch.zeros(1, 5, 9, 9))
    assert not network[1].inplace  # type: ignore[union-attr]
    assert "forward" not in vars(network)


class Tapped(nn.Module):
    """Runs the layers of an `nn.Sequential` one by one and adds up what each gives."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        seen = []
        for layer in self.layers:
            x = layer(x)
            seen.append(x)
        return seen[0] + seen[1] + seen[2]


def test_code_that_sees_what_lies_between_layers_sees_what_they_gave() -> None:
    network, inputs = Tapped(), torch.randn(2, 1, 5, 5)
    (plain, _), (outputs, _) = (trained(network, inputs), trained(network, inputs, overwriting))
    assert torch.equal(plain, outputs)


def test_a_rectifier_used_elsewhere_too_works_in_place_in_the_chain_alone() -> None:
    relu = nn.ReLU()
    chain = nn.Sequential(nn.Conv2d(1, 2, 3), relu)
    inputs = torch.randn(1, 1, 5, 5)
    before = inputs.clone()
    with overwriting(chain):
        chain(inputs)
        relu(inputs)
    assert torch.equal(inputs, before)


def test_what_a_hook_keeps_is_not_written_over() -> None:
    chain = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
    kept: list[Tensor] = []
    chain[0].register_forward_hook(lambda _module, _given, made: kept.append(made))
    with overwriting(chain):
        made = chain(torch.randn(1, 1, 5, 5))
    assert kept[0].min() < 0 <= made.min()


def test_a_layer_that_keeps_its_output_is_no_ground_to_write_over() -> None:
    chain = nn.Sequential(nn.Sigmoid(), nn.ReLU())  # sigmoid's backward pass needs what it gave
    inputs = torch.randn(3, requires_grad=True)
    with overwriting(chain):
        chain(inputs).sum().backward()
    assert inputs.grad is not None


def test_another_layer_in_a_rectifiers_place_is_left_alone() -> None:
    network = create("resnet18", classes=3)
    for module in network.modules():
        if hasattr(module, "relu2"):
            module.relu2 = nn.Identity()
    inputs = torch.randn(2, 3, 32, 32)
    (plain, _), (outputs, _) = (trained(network, inputs), trained(network, inputs, overwriting))
    assert torch.equal(plain, outputs)
