"""Groups, penalties and averages of the weights."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from torch import nn
from toy_training import toy_network, toy_recipe

from neocog.core.errors import UsageError
from neocog.training.ema import Ema
from neocog.training.freeze import train_only
from neocog.training.optimisers import (
    decaying,
    load_state_tensors,
    make_optimiser,
    parameter_groups,
    set_rate,
    state_tensors,
)
from neocog.training.penalties import make_penalty

NAMES = ("sgd", "rmsprop", "adam", "adamw")


def test_decay_spares_norms_and_biases() -> None:
    network = nn.Sequential(
        OrderedDict(conv=nn.Conv2d(2, 3, 3), norm=nn.BatchNorm2d(3), wide=nn.LayerNorm((3, 4)), head=nn.Linear(4, 2))
    )
    assert decaying(network) == {"conv.weight", "head.weight"}
    groups = {group["weight_decay"]: len(group["params"]) for group in parameter_groups(network, 0.1, {})}
    assert groups == {0.1: 2, 0.0: 6}


@pytest.mark.parametrize("name", NAMES)
def test_only_weights_decay_where_there_is_no_gradient(name: str) -> None:
    network = toy_network()
    before = {key: value.detach().clone() for key, value in network.named_parameters()}
    optimiser = make_optimiser(network, toy_recipe(optimiser=name, decay=0.1), {})
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step()
    moved = {key for key, value in network.named_parameters() if not torch.equal(value, before[key])}
    assert moved == {"conv1.weight", "conv2.weight", "head.weight"}


def test_rates_follow_the_longest_prefix() -> None:
    network = nn.Sequential(OrderedDict(blocks=nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)), head=nn.Linear(2, 2)))
    optimiser = make_optimiser(network, toy_recipe(), {"blocks": 0.1, "blocks.1": 0.5})
    set_rate(optimiser, 2.0)
    rates = {id(weight): group["lr"] for group in optimiser.param_groups for weight in group["params"]}
    found = {name: rates[id(weight)] for name, weight in network.named_parameters() if name.endswith("weight")}
    assert found == {"blocks.0.weight": pytest.approx(0.2), "blocks.1.weight": 1.0, "head.weight": 2.0}


def test_frozen_parameters_are_in_no_group() -> None:
    network = toy_network()
    train_only(network, ("head",))
    groups = parameter_groups(network, 0.1, {})
    assert {id(weight) for group in groups for weight in group["params"]} == {
        id(weight) for weight in network.head.parameters()
    }


def test_nothing_to_move_is_refused() -> None:
    network = toy_network().requires_grad_(False)
    with pytest.raises(UsageError, match="no parameter of the network moves"):
        make_optimiser(network, toy_recipe(), {})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=["plain", "channels last"])
def test_state_comes_back_in_the_layout_of_its_parameter(name: str, layout: torch.memory_format) -> None:
    def trained(steps: int, stop: int = 0) -> nn.Module:
        network = toy_network().to(memory_format=layout)
        optimiser = make_optimiser(network, toy_recipe(optimiser=name), {})
        for step in range(steps):
            if step == stop:
                held = state_tensors(optimiser).items()
                saved = {key: value.clone(memory_format=torch.contiguous_format) for key, value in held}
                optimiser = make_optimiser(network, toy_recipe(optimiser=name), {})
                load_state_tensors(optimiser, saved)
            set_rate(optimiser, 0.01)
            for number, parameter in enumerate(network.parameters()):
                own = torch.Generator().manual_seed(100 * step + number)
                parameter.grad = torch.empty_like(parameter).copy_(torch.randn(parameter.shape, generator=own))
            optimiser.step()
        return network

    whole, stopped = trained(4, stop=-1), trained(4, stop=2)
    for one, other in zip(whole.parameters(), stopped.parameters(), strict=True):
        assert torch.equal(one, other)


def test_penalties_are_the_sums_of_the_courses() -> None:
    network = nn.Sequential(OrderedDict(head=nn.Linear(2, 1), norm=nn.BatchNorm1d(1)))
    with torch.no_grad():
        network.head.weight.copy_(torch.tensor([[-2.0, 3.0]]))
    penalty = make_penalty(network, l1=0.1, l2=0.01)
    assert penalty is not None
    value = penalty()
    assert value.item() == pytest.approx(0.1 * 5 + 0.01 * 13)
    value.backward()
    torch.testing.assert_close(network.head.weight.grad, torch.tensor([[-0.1 - 0.04, 0.1 + 0.06]]))
    assert network.head.bias.grad is None
    assert make_penalty(network, 0.0, 0.0) is None


def test_the_average_moves_as_its_formula_says() -> None:
    network = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1))
    weight = network[0].weight
    with torch.no_grad():
        weight.fill_(1.0)
    ema = Ema(network, 0.5)
    expected = 1.0
    for step, value in enumerate((2.0, 4.0, 0.0)):
        with torch.no_grad():
            weight.fill_(value)
            network[1].running_mean.fill_(value)
        ema.update(step)
        decay = min(0.5, (1 + step) / (10 + step))  # 0.1, 2/11, 3/12
        expected = decay * expected + (1 - decay) * value
    assert float(ema.tensors()["0.weight"]) == pytest.approx(expected)
    assert "1.running_mean" in ema.tensors()
    assert "1.num_batches_tracked" not in ema.tensors()


def test_the_average_takes_the_networks_place_and_gives_it_back() -> None:
    network = toy_network()
    ema = Ema(network, 0.9)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1 / 3)
    live = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(RuntimeError, match="inside"), ema.applied():
        for name, tensor in ema.tensors().items():
            assert torch.equal(network.state_dict()[name], tensor)
        raise RuntimeError("inside")
    assert all(torch.equal(live[name], tensor) for name, tensor in network.state_dict().items())
