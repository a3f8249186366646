"""Optimisers from a recipe, with the parameters in groups: what decays, what is spared, and at which rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from neocog.core.errors import UsageError
from neocog.core.recipe import Recipe
from neocog.training.rows import Joined, RowOptimiser, go_by_rows

_SPARED = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, nn.Embedding)


def decaying(network: nn.Module) -> set[str]:
    """Returns the names of the parameters that weight decay and penalties act on: no norms, biases, word vectors."""
    return {
        f"{prefix}.{name}" if prefix else name
        for prefix, module in network.named_modules()
        if not isinstance(module, _SPARED)
        for name, parameter in module.named_parameters(recurse=False)
        if parameter.dim() > 1 and name != "bias"
    }


def parameter_groups(network: nn.Module, decay: float, rates: Mapping[str, float]) -> list[dict[str, Any]]:
    """Returns the moving parameters (those that want gradients) in groups of equal decay and equal rate.

    ``rates`` are factors on the learning rate by module prefix, the longest that matches wins; each group carries its
    own as ``rate``. The order of groups and parameters is the network's, so it is the same in a resumed run.
    """
    decays = decaying(network)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            key = (decay if name in decays else 0.0, _rate(name, rates))
            groups.setdefault(key, []).append(parameter)
    return [{"params": members, "weight_decay": own, "rate": rate} for (own, rate), members in groups.items()]


def make_optimiser(
    network: nn.Module, recipe: Recipe, rates: Mapping[str, float], *, by_rows: bool = True
) -> torch.optim.Optimizer:
    """Returns the recipe's optimiser over the moving parameters, in its fastest form.

    With ``by_rows`` tables of vectors move by the rows that a step touches, where the optimiser can do that.

    Raises UsageError when nothing moves.
    """
    groups = parameter_groups(network, recipe.decay, rates)
    if not groups:
        raise UsageError("no parameter of the network moves; name a layer that has weights.")
    tables = go_by_rows(network, recipe, allowed=by_rows)
    whole = _only(groups, lambda weight: id(weight) not in tables)
    rows = _only(groups, lambda weight: id(weight) in tables)
    if not rows:
        return _whole_optimiser(groups, recipe)
    own = RowOptimiser(rows, recipe)
    return Joined(_whole_optimiser(whole, recipe), own) if whole else own


def _only(groups: list[dict[str, Any]], wanted: Callable[[nn.Parameter], bool]) -> list[dict[str, Any]]:
    """Returns the groups with those of their parameters that are wanted, without empty ones."""
    cut = [{**group, "params": [weight for weight in group["params"] if wanted(weight)]} for group in groups]
    return [group for group in cut if group["params"]]


def _whole_optimiser(groups: list[dict[str, Any]], recipe: Recipe) -> torch.optim.Optimizer:
    rate = recipe.learning_rate
    match recipe.optimiser:
        case "sgd":
            return torch.optim.SGD(
                groups, lr=rate, momentum=recipe.momentum, nesterov=recipe.nesterov and recipe.momentum > 0, fused=True
            )
        case "rmsprop":
            return torch.optim.RMSprop(
                groups, lr=rate, alpha=recipe.alpha, eps=recipe.epsilon, momentum=recipe.momentum, foreach=True
            )
        case "adam":
            return torch.optim.Adam(groups, lr=rate, betas=recipe.betas, eps=recipe.epsilon, fused=True)
        case "adamw":
            return torch.optim.AdamW(groups, lr=rate, betas=recipe.betas, eps=recipe.epsilon, fused=True)
        case "adadelta":
            return torch.optim.Adadelta(groups, lr=rate, rho=recipe.alpha, eps=recipe.epsilon, foreach=True)


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Sets the learning rate, times each group's own factor."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["rate"]


def state_tensors(optimiser: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Returns the optimiser's state as tensors named ``parameter number.entry``."""
    return {
        f"{number}.{entry}": value
        for number, parameter in enumerate(_parameters(optimiser))
        for entry, value in optimiser.state.get(parameter, {}).items()
        if isinstance(value, torch.Tensor)
    }


def load_state_tensors(optimiser: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor]) -> None:
    """Puts back what `state_tensors` returned, each in the memory layout of its parameter.

    The fused kernels walk through parameter and state in step, so a state in another layout would be another state.
    """
    parameters = _parameters(optimiser)
    for name, saved in tensors.items():
        number, entry = name.split(".", 1)
        parameter = parameters[int(number)]
        if entry == "step":  # fused kernels keep it beside the parameter, the others on the CPU
            fused = optimiser.param_groups[0].get("fused")
            value = saved.clone().to(parameter.device if fused else "cpu")
        elif saved.shape != parameter.shape:  # a number a row
            value = saved.clone().to(parameter.device)
        else:
            value = torch.empty_like(parameter, dtype=saved.dtype, requires_grad=False).copy_(saved)
        optimiser.state[parameter][entry] = value


def _parameters(optimiser: torch.optim.Optimizer) -> list[torch.Tensor]:
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]


def _rate(name: str, rates: Mapping[str, float]) -> float:
    matching = [prefix for prefix in rates if name == prefix or name.startswith(prefix + ".")]
    return rates[max(matching, key=len)] if matching else 1.0
