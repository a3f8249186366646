"""The recipes of the papers, by the network's name."""

from __future__ import annotations

from collections.abc import Callable

from neocog.core import registry
from neocog.core.errors import UsageError
from neocog.core.recipe import Recipe
from neocog.recipes import paper_pictures as pictures
from neocog.recipes import paper_text as text

RECIPES = (
    pictures.lenet5,
    pictures.keras_cifar,
    pictures.resnet18,
    pictures.mobilenet_v2,
    pictures.efficientnet_lite0,
    text.kim_cnn,
    text.character_cnn_large,
    text.character_cnn_small,
    text.vdcnn9,
    text.dpcnn,
    text.collobert_window,
    text.collobert_sentence,
    text.zeng_cnn,
    text.pcnn,
    text.pcnn_attention,
    text.cnn_attention,
)


def published() -> dict[str, Callable[[], Recipe]]:
    """Returns the recipes by the network's name."""
    return {recipe.__name__: recipe for recipe in RECIPES}


def find(network: str) -> Recipe:
    """Returns the recipe of a network's paper; raises UsageError where there is none, with its task's that have one."""
    recipes = published()
    if network not in recipes:
        raise UsageError(f"{network} has no paper recipe here, use --recipe fast; {_with_one(network)}.")
    return recipes[network]()


def _with_one(network: str) -> str:
    """Says which networks of the same task have a recipe; of all tasks where the network is no registered one."""
    tasks = {record.name: record.task for record in registry.records()}
    names = [name for name in published() if network not in tasks or tasks.get(name) == tasks[network]]
    return f"these have one: {', '.join(names)}" if names else "no network of its task has one"
