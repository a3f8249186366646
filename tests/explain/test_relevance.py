"""Layer-wise relevance: what each rule shares out, by hand, and that nothing is lost or made."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from captum.attr import LRP
from torch import Tensor, nn
from twins import Plain, pictures, settled

from neocog.explain import gradient_times_input, relevance
from neocog.explain.relevance import RULES


def dense(*rows: list[float], bias: list[float] | None = None) -> nn.Linear:
    layer = nn.Linear(len(rows[0]), len(rows), bias=bias is not None)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(rows))
        if bias is not None:
            layer.bias.copy_(torch.tensor(bias))
    return layer


X = torch.tensor([[2.0, 1.0, 3.0]])
ONE = dense([1.0, -4.0, 2.0])  # 2 - 4 + 6 = 4


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"rule": "epsilon", "epsilon": 0.0}, [2.0, -4.0, 6.0]),
        ({"rule": "epsilon", "epsilon": 1.0}, [1.6, -3.2, 4.8]),  # 4 / (4 + 1) of each
        ({"rule": "z+"}, [1.0, 0.0, 3.0]),  # 2 : 0 : 6
        ({"rule": "gamma", "gamma": 0.5}, [1.5, -2.0, 4.5]),  # 3 : -4 : 9 of 8
        # x w - low w+ - high w- is 2 : -4 + 16 : 6 of 20
        ({"rule": "z+", "bounds": (0.0, 4.0)}, [0.4, 2.4, 1.2]),
    ],
)
def test_known_shares(settings: dict[str, object], expected: list[float]) -> None:
    found = relevance(ONE, X, **settings)  # type: ignore[arg-type]
    assert torch.allclose(found, torch.tensor([expected]), atol=1e-5)


def test_an_output_below_0_shares_by_what_speaks_for_it() -> None:
    layer = dense([1.0, -4.0, 0.0])  # 2 - 4 = -2
    # The second input counts 1.5 times: 2 : -6 of -4, each of the score -2.
    found = relevance(layer, X, rule="gamma", gamma=0.5)
    assert torch.allclose(found, torch.tensor([[1.0, -3.0, 0.0]]), atol=1e-5)


def test_two_layers_by_hand() -> None:
    network = nn.Sequential(dense([1.0, 1.0], [2.0, -1.0], [-1.0, 0.0]), nn.ReLU(), dense([1.0, 2.0, 5.0]))
    inputs = torch.tensor([[1.0, 1.0]])  # 2, 1, 0 -> 2 + 2 = 4, half of it from each
    assert torch.allclose(relevance(network, inputs, rule="epsilon"), torch.tensor([[1.0 + 4.0, 1.0 - 2.0]]), atol=1e-4)
    assert torch.allclose(relevance(network, inputs, rule="z+"), torch.tensor([[1.0 + 2.0, 1.0]]), atol=1e-4)


def test_a_bias_takes_its_share() -> None:
    layer = dense([1.0, 1.0], bias=[2.0])
    inputs = torch.tensor([[1.0, 1.0]])
    assert torch.allclose(relevance(layer, inputs, rule="epsilon"), torch.tensor([[1.0, 1.0]]), atol=1e-5)
    assert torch.allclose(relevance(layer, inputs, rule="z+"), torch.tensor([[2.0, 2.0]]), atol=1e-5)


class Small(nn.Module):
    """Without biases: convolutions, a norm that only scales, a skip, branches, poolings and some activation."""

    def __init__(self, activation: Callable[[Tensor], Tensor] = torch.relu) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 4, 3, bias=False), nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.up = nn.ConvTranspose2d(8, 6, 2, bias=False)
        self.head = nn.Linear(6, 3, bias=False)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        x = self.activation(self.conv1(x))
        y = self.activation(self.norm(self.conv2(x)) + x)
        x = F.max_pool2d(torch.cat([y, 2 * x], 1), 3, 2, ceil_mode=True)
        x = F.avg_pool2d(F.pad(self.activation(self.up(x)), (1, 0)), 2)
        return self.head(x.flatten(2).mean(2))


def scaling(network: nn.Module) -> nn.Module:
    settled(network).eval()
    for each in network.modules():
        if isinstance(each, nn.BatchNorm2d):
            each.running_mean.zero_()
            each.bias.data.zero_()
    return network


ACTIVATIONS = (torch.relu, F.leaky_relu, torch.tanh, F.silu, F.gelu, F.hardswish, F.relu6, F.elu)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_relevance_is_conserved(activation: Callable[[Tensor], Tensor]) -> None:
    network, inputs = scaling(Small(activation)).double(), pictures(2, 3, 9, 8, dtype=torch.float64)
    score = network(inputs)[:, 1]
    for rule in RULES:
        found = relevance(network, inputs, target=1, rule=rule, epsilon=1e-12)
        assert torch.allclose(found.flatten(1).sum(1), score, atol=1e-6), rule
    found = relevance(network, inputs, target=1, bounds=(inputs.amin(), inputs.amax()), epsilon=1e-12)
    assert torch.allclose(found.flatten(1).sum(1), score, atol=1e-6)


def test_black_pixels_have_a_part_within_bounds() -> None:
    inputs = torch.rand(1, 3, 9, 8, generator=torch.Generator().manual_seed(0))
    inputs[..., :4] = 0
    network = scaling(Small())
    assert not relevance(network, inputs)[..., :4].any()
    assert relevance(network, inputs, bounds=(0, 1))[..., :4].any()


def test_with_rectifiers_epsilon_is_gradient_times_input() -> None:
    """Shrikumar et al. 2016, section 2.3, says so; it holds with biases and norms too."""
    network, inputs = settled(Plain()).double().eval(), pictures(2, 3, 9, 11, dtype=torch.float64)
    found = relevance(network, inputs, target=3, rule="epsilon", epsilon=0.0)
    assert torch.allclose(found, gradient_times_input(network, inputs, target=3))


class Chain(nn.Module):
    """What captum has rules for."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.tanh = nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Tanh()
        self.pool, self.head, self.relu, self.last = nn.MaxPool2d(2), nn.Linear(36, 8), nn.ReLU(), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.tanh(self.norm(self.conv(x))))
        return self.last(self.relu(self.head(x.flatten(1))))


@pytest.mark.filterwarnings("ignore:Setting forward, backward hooks")
def test_equal_to_captum() -> None:
    network, inputs = settled(Chain()).double().eval(), pictures(2, 2, 8, 8, dtype=torch.float64)
    expected = LRP(network).attribute(inputs.clone().requires_grad_(), target=1).detach()
    assert torch.allclose(relevance(network, inputs, target=1, rule="epsilon", epsilon=1e-9), expected, atol=1e-6)


class Merged(nn.Module):
    """A convolution and its batch norm, in some way."""

    def __init__(self, call: Callable[[nn.Module, Tensor], Tensor], bias: bool = True) -> None:
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv2d(2, 4, 3, bias=bias), nn.BatchNorm2d(4), nn.Linear(4, 3)
        self.call = call

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.call(self, x)).mean((2, 3)))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rule", ["z+", "gamma"])
def test_batch_norm_behind_a_layer_is_part_of_it(rule: str, bias: bool) -> None:
    network = settled(Merged(lambda own, x: own.norm(own.conv(x)), bias)).eval()
    folded = settled(Merged(lambda own, x: own.conv(x))).eval()
    folded.conv = torch.nn.utils.fusion.fuse_conv_bn_eval(network.conv, network.norm)
    folded.head = network.head
    inputs = pictures(2, 2, 6, 6)
    assert torch.allclose(relevance(network, inputs, rule=rule), relevance(folded, inputs, rule=rule), atol=1e-5)


def test_a_change_between_layer_and_batch_norm_is_seen() -> None:
    def overwritten(own: nn.Module, x: Tensor) -> Tensor:
        return own.norm(own.conv(x).mul_(2.0))

    def plain(own: nn.Module, x: Tensor) -> Tensor:
        return own.norm(own.conv(x) * 2.0)

    inputs = pictures(1, 2, 6, 6)
    first, second = settled(Merged(overwritten)).eval(), settled(Merged(plain)).eval()
    assert torch.allclose(relevance(first, inputs), relevance(second, inputs))


def test_layers_inputs_may_be_written_over() -> None:
    class Over(nn.Module):
        def __init__(self, copy: bool) -> None:
            super().__init__()
            self.conv1, self.conv2, self.copy = nn.Conv2d(2, 4, 3), nn.Conv2d(4, 3, 1), copy

        def forward(self, x: Tensor) -> Tensor:
            x = self.conv1(x)
            y = self.conv2(x)
            z = self.conv2(F.silu(x, inplace=not self.copy))
            return (y + z).mean((2, 3))

    inputs = pictures(1, 2, 6, 6)
    networks = [settled(Over(copy)) for copy in (False, True)]
    for rule in RULES:
        first, second = (relevance(network, inputs, rule=rule) for network in networks)
        assert torch.allclose(first, second, atol=1e-6)


def test_norms_of_layers_and_groups_conserve() -> None:
    class Normed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.group, self.layer = nn.Conv1d(2, 4, 3), nn.GroupNorm(2, 4), nn.LayerNorm(6)
            self.head = nn.Linear(24, 3, bias=False)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.layer(F.gelu(self.group(self.conv(x)))).flatten(1))

    network = settled(Normed()).double()
    for name, each in network.named_parameters():
        if name.endswith("bias"):
            each.data.zero_()
    inputs = pictures(2, 2, 8, dtype=torch.float64)
    found = relevance(network, inputs, target=0, rule="epsilon", epsilon=1e-12)
    assert torch.allclose(found.flatten(1).sum(1), network(inputs)[:, 0], atol=1e-6)
