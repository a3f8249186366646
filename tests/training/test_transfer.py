"""The plan of fine-tuning: which stages move, when, and how fast."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from torch import nn

from neocog.core.errors import NetworkError
from neocog.core.recipe import Recipe
from neocog.training.freeze import train_only
from neocog.training.transfer import (
    EVERYTHING_RATE,
    FALL,
    describe_moves,
    finetune_plan,
    finetune_recipe,
    last_stages,
    stages,
    without_norms,
)


def network(*widths: int) -> nn.Sequential:
    """A stem of 3 inputs, a stage for each width, a dropout and a head of 5 classes."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(relu=nn.ReLU())
    before = 3
    for number, width in enumerate(widths, 1):
        layers[f"stage{number}"] = nn.Linear(before, width, bias=False)
        before = width
    return nn.Sequential(OrderedDict(**layers, dropout=nn.Dropout(0.2), head=nn.Linear(before, 5)))


def recipe(epochs: int) -> Recipe:
    return Recipe("test", epochs, 32, learning_rate=0.01)


def test_stages_are_what_has_weights_in_order_head_last() -> None:
    assert stages(network(4, 5)) == ("stage1", "stage2", "head")
    mixed = nn.Sequential(OrderedDict(head=nn.Linear(2, 2), body=nn.Linear(2, 2)))
    assert stages(mixed) == ("body", "head")


@pytest.mark.parametrize("broken", [nn.Sequential(nn.Linear(2, 2)), nn.Sequential(OrderedDict(head=nn.Identity()))])
def test_a_network_without_a_head_is_refused(broken: nn.Module) -> None:
    with pytest.raises(NetworkError, match="'head'"):
        stages(broken)


def test_the_last_stages_are_the_fewest_with_most_of_the_weights() -> None:
    # 3 x 4 = 12, 4 x 10 = 40, 10 x 10 = 100 and 10 x 2 = 20 weights, of 172: the last two have 120, which is 70 %.
    assert last_stages(network(4, 10, 10, 2)) == ("stage3", "stage4", "dropout", "head")
    assert last_stages(network(10, 10)) == ("stage2", "dropout", "head")
    assert last_stages(network(10)) == ("stage1", "dropout", "head")


def test_a_network_that_is_only_a_head_moves_its_head() -> None:
    assert last_stages(network()) == ("head",)


def test_fine_tuning_moves_the_last_stages_at_the_recipes_rate() -> None:
    (phase,) = finetune_plan(network(4, 10, 10, 2), recipe(6))
    assert (phase.epochs, phase.learning_rate) == (6, 0.01)
    assert train_only(network(4, 10, 10, 2), phase.trains) == ("stage3", "stage4", "head")


@pytest.mark.parametrize(("epochs", "split"), [(6, [3, 3]), (7, [4, 3]), (2, [1, 1]), (1, [1, 1])])
def test_everything_follows_in_the_second_half_slower_and_slower_further_down(epochs: int, split: list[int]) -> None:
    first, second = finetune_plan(network(4, 10, 10, 2), recipe(epochs), everything=True)
    assert [first.epochs, second.epochs] == split
    assert train_only(network(4, 10, 10, 2), second.trains) == ("stage1", "stage2", "stage3", "stage4", "head")
    assert second.learning_rate == pytest.approx(0.01 * EVERYTHING_RATE)
    assert second.rates == pytest.approx({"stage2": FALL, "stage1": FALL**2})


@pytest.mark.parametrize("samples", [1, 50, 1192, 10_000, 1_000_000])
def test_the_recipe_has_more_epochs_for_fewer_samples(samples: int) -> None:
    chosen, larger = finetune_recipe(samples, 10), finetune_recipe(2 * samples, 10)
    assert 3 <= larger.epochs <= chosen.epochs <= 12
    assert chosen.augmentation.horizontal_flip


def test_everything_but_batch_norms_is_named_by_as_few_modules_as_will_do() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(2))
            self.dense, self.norm = nn.Linear(2, 2), nn.BatchNorm1d(2)

    mixed = nn.Sequential(
        OrderedDict(
            plain=nn.Sequential(nn.Linear(2, 2), nn.Dropout()),
            block=nn.Sequential(OrderedDict(first=nn.Linear(2, 2), norm=nn.BatchNorm1d(2), own=Scaled())),
            norm=nn.BatchNorm1d(2),
            head=nn.Linear(2, 2),
        )
    )
    assert without_norms(mixed, ("plain", "block", "norm", "head")) == (
        "plain",
        "block.first",
        "block.own.scale",
        "block.own.dense",
        "head",
    )


@pytest.mark.parametrize("everything", [False, True])
def test_batch_norms_stay_to_the_last_bit_in_real_steps_and_other_layers_move(everything: bool) -> None:
    from neocog import architectures

    torch.manual_seed(0)
    trained = architectures.create("efficientnet_lite0", classes=3, weights="imagenet")
    for phase in finetune_plan(trained, recipe(2), everything=everything):
        before = {name: value.clone() for name, value in trained.state_dict().items()}
        trained.train()
        train_only(trained, phase.trains)
        moving = [weight for weight in trained.parameters() if weight.requires_grad]
        optimiser = torch.optim.SGD(moving, lr=0.01)
        nn.functional.cross_entropy(trained(torch.randn(4, 3, 32, 32)), torch.tensor([0, 1, 2, 0])).backward()
        optimiser.step()
        moved = {name for name, value in trained.state_dict().items() if not torch.equal(value, before[name])}
        whole = phase.name == "all layers"
        expected = {
            name
            for name in before
            if not name.split(".")[-2].endswith("_bn")
            and (whole or name.split(".")[0] in ("stage7", "stage8", "last", "head"))
        }
        assert moved == expected


def test_the_line_for_the_log_names_what_moves_and_what_stays() -> None:
    line = describe_moves(network(4, 5), ("stage2", "dropout", "head"))
    assert line == "moves: stage2, head; stays: stage1"
    assert describe_moves(network(4), ()) == "moves: nothing; stays: stage1, head"


def test_the_phases_of_the_pretrained_network_are_its_two_last_stages() -> None:
    from neocog import architectures

    moving = last_stages(architectures.create("efficientnet_lite0", classes=3))
    assert [name for name in moving if name.startswith("stage")] == ["stage7", "stage8"]
    assert "dropout" in moving
    assert last_stages(architectures.create("resnet18", classes=3))[0] == "layer4"
