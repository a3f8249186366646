"""Recipes by name, and the numbers that the papers give."""

from __future__ import annotations

import pytest

from neocog import architectures, recipes
from neocog.core.errors import UsageError
from neocog.recipes import paper
from neocog.recipes.falls import every
from neocog.training.schedules import rate_factor


def test_unknown_names_are_refused_with_what_there_is() -> None:
    with pytest.raises(UsageError, match=r"'papers'. Did you mean paper\? There are paper, fast, smoke"):
        recipes.find("papers", "resnet18")
    with pytest.raises(UsageError, match=r"lenet5_modern has no paper recipe here.*keras_cifar"):
        recipes.find("paper", "lenet5_modern")


def test_a_network_without_a_paper_recipe_is_told_those_of_its_task() -> None:
    architectures.records()
    with pytest.raises(UsageError) as refused:
        recipes.find("paper", "lstm_text")
    assert "kim_cnn" in str(refused.value)
    assert "resnet18" not in str(refused.value)
    with pytest.raises(UsageError, match="no network of its task has one"):
        recipes.find("paper", "gated_conv_lm")
    with pytest.raises(UsageError, match=r"mine:build has no paper recipe.*keras_cifar.*kim_cnn"):
        recipes.find("paper", "mine:build")


def test_paper_recipes_belong_to_networks() -> None:
    assert set(paper.published()) <= {record.name for record in architectures.records()}
    for name in paper.published():
        recipe = recipes.find("paper", name)
        assert recipe.name == f"paper: {name}"
        assert recipe.source


def test_keras_recipe_is_the_examples() -> None:
    recipe = recipes.find("paper", "keras_cifar")
    assert (recipe.optimiser, recipe.learning_rate, recipe.time_decay) == ("rmsprop", 1e-4, 1e-6)
    assert (recipe.batch_size, recipe.epochs, recipe.momentum, recipe.schedule) == (32, 100, 0.0, "inverse-time")


def test_rates_fall_when_so_many_epochs_have_passed() -> None:
    assert every(2, 6) == pytest.approx((2 / 6, 4 / 6))  # not at the end of the run
    assert every(2.4, 6) == pytest.approx((2.4 / 6, 4.8 / 6))
    assert every(3, 3) == ()


@pytest.mark.parametrize(
    ("name", "epoch", "expected"),
    [
        ("character_cnn_large", 2, 0.01),
        ("character_cnn_large", 3, 0.005),  # "halved every 3 epoches for 10 times"
        ("character_cnn_small", 32, 0.01 / 2**10),
        ("vdcnn9", 14, 0.01 / 2**4),
        ("dpcnn", 23, 0.05),
        ("dpcnn", 24, 0.005),  # the last fifth of 30
        ("pcnn_attention", 14, 0.01),
    ],
)
def test_rates_of_text_networks_by_epoch(name: str, epoch: int, expected: float) -> None:
    recipe = recipes.find("paper", name)
    steps = 7
    factor = rate_factor(recipe, epoch * steps, recipe.epochs * steps, steps)
    assert recipe.learning_rate * factor == pytest.approx(expected)


def test_batches_of_text_networks() -> None:
    found = {name: recipes.find("paper", name) for name in ("character_cnn_small", "vdcnn9", "dpcnn", "cnn_attention")}
    assert {name: each.batch_size for name, each in found.items()} == {
        "character_cnn_small": 128,
        "vdcnn9": 128,
        "dpcnn": 100,
        "cnn_attention": 160,
    }
    assert {each.optimiser for each in found.values()} == {"sgd"}
    assert [each.momentum for each in found.values()] == [0.9, 0.9, 0.9, 0.0]


def test_digits_are_never_mirrored_and_photographs_are() -> None:
    digits = recipes.find("fast", "lenet5", samples=1400, short_side=8, grey=True)
    assert not digits.augmentation.horizontal_flip
    assert recipes.find("fast", "resnet18", samples=1400, short_side=300).augmentation.horizontal_flip
    assert recipes.find("fast", "keras_cifar", samples=50_000, short_side=32).augmentation.horizontal_flip


def test_few_samples_get_more_epochs() -> None:
    epochs = [recipes.find("fast", "x", samples=n, short_side=28, grey=True).epochs for n in (100, 10_000, 60_000)]
    assert epochs == sorted(epochs, reverse=True)
    assert len(set(epochs)) > 1


def test_smoke_is_one_epoch() -> None:
    assert recipes.find("smoke", "anything").epochs == 1
