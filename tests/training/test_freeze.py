"""Frozen means frozen: weights and statistics outside the moving layers stay bit for bit."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from torch import nn

from neocog.core.errors import UsageError
from neocog.training.freeze import is_under, train_only


def small_network() -> nn.Sequential:
    blocks = nn.Sequential(_block(), _block(), _block())
    stem = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
    head = nn.Linear(4, 5)
    return nn.Sequential(
        OrderedDict(stem=stem, blocks=blocks, pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), head=head)
    )


def _block() -> nn.Sequential:
    return nn.Sequential(OrderedDict(conv=nn.Conv2d(4, 4, 3, padding=1), norm=nn.BatchNorm2d(4), drop=nn.Dropout(0.5)))


def take_steps(network: nn.Module, prefixes: tuple[str, ...] | None, steps: int = 3) -> None:
    network.train()
    train_only(network, prefixes)
    moving = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimiser = torch.optim.SGD(moving, lr=0.1, momentum=0.9, weight_decay=0.1)
    for step in range(steps):
        network.train()
        train_only(network, prefixes)
        inputs = torch.randn(8, 3, 6, 6, generator=torch.Generator().manual_seed(step))
        loss = nn.functional.cross_entropy(network(inputs), torch.arange(8) % 5)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


@pytest.mark.parametrize(
    ("prefixes", "expected"),
    [(("head",), ("head",)), (("blocks.2", "head"), ("blocks", "head")), (None, ("stem", "blocks", "head")), ((), ())],
)
def test_names_of_the_top_level_modules_that_move(prefixes: tuple[str, ...] | None, expected: tuple[str, ...]) -> None:
    assert train_only(small_network().train(), prefixes) == expected


@pytest.mark.parametrize("prefixes", [("head",), ("blocks.2", "head"), ("blocks.1.norm",), ("blocks",)])
def test_real_steps_move_everything_inside_and_nothing_outside(prefixes: tuple[str, ...]) -> None:
    torch.manual_seed(0)
    network = small_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    take_steps(network, prefixes)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]) != is_under(name, prefixes), name


def test_none_moves_every_weight_and_statistic() -> None:
    torch.manual_seed(0)
    network = small_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    take_steps(network, None)
    assert not [name for name, value in network.state_dict().items() if torch.equal(value, before[name])]


def test_frozen_dropouts_and_norms_are_in_evaluation_mode_and_moving_ones_are_not() -> None:
    network = small_network().train()
    train_only(network, ("blocks.1",))
    modes = {name: module.training for name, module in network.named_modules()}
    assert modes["blocks.1.norm"]
    assert modes["blocks.1.drop"]
    assert modes["blocks"]
    assert modes[""]
    assert not modes["blocks.0.drop"]
    assert not modes["stem.1"]
    assert not modes["head"]


def test_calling_twice_or_thawing_gives_the_state_of_the_last_call() -> None:
    network = small_network().train()
    train_only(network, ("head",))
    train_only(network, ("head",))
    assert [name for name, p in network.named_parameters() if p.requires_grad] == ["head.weight", "head.bias"]
    train_only(network, None)
    assert all(p.requires_grad for p in network.parameters())
    assert all(module.training for module in network.modules())


def test_a_prefix_stops_at_a_dot() -> None:
    network = nn.Sequential(*(nn.Linear(2, 2) for _ in range(11)))
    assert train_only(network, ("1",)) == ("1",)
    assert not is_under("blocks.10", ("blocks.1",))


def test_a_weight_shared_with_a_moving_layer_moves() -> None:
    network = nn.Sequential(OrderedDict(first=nn.Linear(3, 3), second=nn.Linear(3, 3)))
    network.second.weight = network.first.weight  # type: ignore[union-attr]
    assert train_only(network, ("second",)) == ("first", "second")
    assert network.first.weight.requires_grad
    assert not network.first.bias.requires_grad


def test_an_unknown_prefix_is_refused_with_near_names_and_changes_nothing() -> None:
    network = small_network().train()
    with pytest.raises(UsageError, match=r"'blocs'.*blocks.*stem, blocks, pool, flat, head"):
        train_only(network, ("head", "blocs"))
    assert all(p.requires_grad for p in network.parameters())
    assert all(module.training for module in network.modules())
