"""Optimisers for tables of vectors, of which a step touches a few rows: the cost is that of these rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from neocog.core.recipe import Recipe

# Optimisers that can go by rows. Others move a row also in the steps in which it has no gradient.
BY_ROWS = ("adadelta", "adam", "adamw")


def go_by_rows(network: nn.Module, recipe: Recipe, *, allowed: bool = True) -> set[int]:
    """Has the network's moving tables give their gradients by rows, and returns the ids of their weights.

    None does where the recipe's optimiser needs whole gradients, or clips their norm.
    """
    wanted = allowed and recipe.optimiser in BY_ROWS and not recipe.clip
    found: set[int] = set()
    for module in network.modules():
        if isinstance(module, nn.Embedding) and module.weight.requires_grad:
            module.sparse = wanted
            found |= {id(module.weight)} if wanted else set()
    return found


class RowOptimiser(torch.optim.Optimizer):
    """AdaDelta or Adam over tables (V, E) whose gradients come by rows.

    AdaDelta (Zeiler 2012, algorithm 1) is the same as over whole tables but for rounding: the running means of a row
    fade by their own power of rho when the row is touched again, and a row without a gradient does not move. Adam is
    the lazy kind: a row's moments wait while it is not touched, and so does its weight decay.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], recipe: Recipe) -> None:
        super().__init__(groups, {"lr": recipe.learning_rate})
        self._recipe = recipe
        self._move: Callable[..., None] = self._adadelta if recipe.optimiser == "adadelta" else self._adam

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Moves the rows that have a gradient."""
        del closure
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                rows, values = _by_rows(weight.grad)
                self._move(weight, rows, values, self._state_of(weight), group)

    def _state_of(self, weight: Tensor) -> dict[str, Tensor]:
        state = self.state[weight]
        if not state:
            names = ("square_avg", "acc_delta") if self._recipe.optimiser == "adadelta" else ("exp_avg", "exp_avg_sq")
            state["step"] = torch.zeros(())
            state["last"] = torch.zeros(len(weight), dtype=torch.int64, device=weight.device)
            state.update({name: torch.zeros_like(weight) for name in names})
        state["step"] += 1
        return state  # type: ignore[no-any-return]

    def _adadelta(
        self, weight: Tensor, rows: Tensor, gradient: Tensor, state: dict[str, Tensor], group: dict[str, Any]
    ) -> None:
        rho, epsilon, step = self._recipe.alpha, self._recipe.epsilon, int(state["step"])
        faded = torch.pow(rho, (step - state["last"][rows]).to(gradient.dtype)).unsqueeze(1)
        squares = state["square_avg"].index_select(0, rows).mul_(faded)
        squares.addcmul_(gradient, gradient, value=1 - rho)
        deltas = state["acc_delta"].index_select(0, rows).mul_(faded.div_(rho))  # the steps before this one
        move = (deltas + epsilon).sqrt_().mul_(gradient).div_((squares + epsilon).sqrt_())
        state["square_avg"].index_copy_(0, rows, squares)
        state["acc_delta"].index_copy_(0, rows, deltas.mul_(rho).addcmul_(move, move, value=1 - rho))
        state["last"][rows] = step
        weight.index_add_(0, rows, move, alpha=-group["lr"])

    def _adam(
        self, weight: Tensor, rows: Tensor, gradient: Tensor, state: dict[str, Tensor], group: dict[str, Any]
    ) -> None:
        (first, second), epsilon, step = self._recipe.betas, self._recipe.epsilon, int(state["step"])
        mean = state["exp_avg"].index_select(0, rows).lerp_(gradient, 1 - first)
        square = state["exp_avg_sq"].index_select(0, rows).mul_(second)
        square.addcmul_(gradient, gradient, value=1 - second)
        state["exp_avg"].index_copy_(0, rows, mean)
        state["exp_avg_sq"].index_copy_(0, rows, square)
        state["last"][rows] = step
        denominator = (square / (1 - second**step)).sqrt_().add_(epsilon)
        weight.index_add_(0, rows, mean / denominator, alpha=-group["lr"] / (1 - first**step))


def _by_rows(gradient: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the rows (R,) of a gradient by rows, each once and in order, and their values (R, E).

    Adding gradients up forgets that they are so already, which is quicker to see than to sort again.
    """
    rows, values = gradient._indices()[0], gradient._values()
    if not bool((rows[1:] > rows[:-1]).all()):
        gradient = gradient.coalesce()
        rows, values = gradient.indices()[0], gradient.values()
    return rows, values


class Joined(torch.optim.Optimizer):
    """Two optimisers as one: whole parameters and rows of tables, over one state."""

    def __init__(self, whole: torch.optim.Optimizer, rows: RowOptimiser) -> None:
        super().__init__([{"params": [torch.zeros(())]}], {})
        rows.state = whole.state
        self.state = whole.state
        self.param_groups = [*whole.param_groups, *rows.param_groups]
        self._both = (whole, rows)

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Takes a step of each."""
        del closure
        for each in self._both:
            each.step()
