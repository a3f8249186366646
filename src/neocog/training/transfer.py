"""Fine-tuning as phases: the head first, then the last stages at a low rate, then everything where that is asked for.

The head's own phase takes no steps: a logistic regression on the frozen network's features (`training.logistic`) is
where gradient descent on the head would end, and costs one pass over the data.
"""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from neocog.core.errors import NetworkError
from neocog.core.recipe import Augmentation, Recipe
from neocog.training.phases import Phase

HEAD = "head"
# The last stages are the fewest that hold this share of the weights below the head: stage7 and on of EfficientNet-Lite0
# (which has 7 and 8), layer4 of a ResNet. They are the most particular to the first task, and the cheapest to move.
LAST_SHARE = 0.6
# Where everything moves, each stage below the last ones moves by this factor less than the one above it.
FALL = 0.7
EVERYTHING_RATE = 0.5


def stages(network: nn.Module) -> tuple[str, ...]:
    """Returns the names of the top-level modules that have parameters, in order, ``head`` last.

    Raises NetworkError when the network has no head with parameters.
    """
    names = [name for name, child in network.named_children() if any(True for _ in child.parameters())]
    if HEAD not in names:
        raise NetworkError(
            f"transfer learning needs a layer called 'head' with weights; this network has {', '.join(names) or 'none'}"
        )
    return (*(name for name in names if name != HEAD), HEAD)


def last_stages(network: nn.Module) -> tuple[str, ...]:
    """Returns the names of the last stages, the head among them: what fine-tuning moves unless told more.

    They begin at the last stage from which on `LAST_SHARE` of the weights below the head lie. Modules without
    parameters are among them from there on, so that a dropout before the head works.
    """
    below = stages(network)[:-1]
    sizes = {name: sum(weight.numel() for weight in child.parameters()) for name, child in network.named_children()}
    total = sum(sizes[name] for name in below)
    first, held = HEAD, 0
    for name in reversed(below):
        if held >= LAST_SHARE * total:
            break
        first, held = name, held + sizes[name]
    children = [name for name, _ in network.named_children()]
    return tuple(children[children.index(first) :])


def finetune_plan(network: nn.Module, recipe: Recipe, *, everything: bool = False) -> tuple[Phase, ...]:
    """Returns the phases that follow the head's logistic regression, at the recipe's rate and for its epochs.

    Batch norms move in neither phase, neither weights nor statistics: a head fitted to features under the old
    statistics is lost under those of small batches (on 1200 photographs 75 instead of 86 % right). With ``everything``
    half of the epochs, at least one, go to a second phase in which all other layers move, at half the rate and the
    less the further down (Howard and Ruder 2018, section 3.2).
    """
    last = last_stages(network)
    moving = without_norms(network, last)
    if not everything:
        return (Phase("last stages", recipe.epochs, recipe.learning_rate, moving),)
    later = max(1, recipe.epochs // 2)
    sooner = max(1, recipe.epochs - later)
    below = [name for name in stages(network) if name not in last]
    rates = {name: FALL ** (depth + 1) for depth, name in enumerate(reversed(below))}
    return (
        Phase("last stages", sooner, recipe.learning_rate, moving),
        Phase(
            "all layers", later, recipe.learning_rate * EVERYTHING_RATE, without_norms(network, stages(network)), rates
        ),
    )


def without_norms(network: nn.Module, names: Iterable[str]) -> tuple[str, ...]:
    """Returns what lies below the modules ``names`` except batch norms, as few and as whole modules as will do."""
    found: list[str] = []
    for name in names:
        module = network.get_submodule(name)
        if not any(isinstance(each, _BatchNorm) for each in module.modules()):
            found.append(name)
        elif not isinstance(module, _BatchNorm):
            found += [f"{name}.{own}" for own, _ in module.named_parameters(recurse=False)]
            found += without_norms(network, (f"{name}.{child}" for child, _ in module.named_children()))
    return tuple(found)


def finetune_recipe(samples: int, classes: int) -> Recipe:
    """Returns our recipe for fine-tuning on ``samples`` pictures of ``classes`` classes.

    The epochs are such that about 10 000 samples pass, more where there are many classes; 3 at least, 12 at most.
    """
    seen = max(10_000, 200 * classes)
    return Recipe(
        name="fast: fine-tuning",
        epochs=max(3, min(12, round(seen / max(samples, 1)))),
        batch_size=32,
        optimiser="adamw",
        learning_rate=3e-4,
        decay=0.02,
        schedule="cosine",
        warmup=0.5,
        label_smoothing=0.1,
        ema=0.98,
        augmentation=Augmentation(crop_scale=(0.5, 1.0), horizontal_flip=True),
        source="Neocog",
    )


def describe_moves(network: nn.Module, moving: tuple[str, ...]) -> str:
    """Returns the line for the log that says which stages move and which stay."""
    tops = {name.split(".")[0] for name in moving}
    moves = [name for name in stages(network) if name in tops]
    stays = [name for name in stages(network) if name not in tops]
    return f"moves: {', '.join(moves) or 'nothing'}; stays: {', '.join(stays) or 'nothing'}"
