"""Tables of vectors that move by rows, and bounds on the last layer's weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from neocog.core.recipe import Recipe
from neocog.training.constraints import make_constraint
from neocog.training.optimisers import load_state_tensors, make_optimiser, state_tensors


class Words(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(20, 6, padding_idx=0)
        self.head = nn.Linear(6, 3)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.head(self.words(tokens).sum(1))


def walk(recipe: Recipe, *, by_rows: bool, steps: int = 25, stop: int | None = None) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    network = Words()
    optimiser = make_optimiser(network, recipe, {}, by_rows=by_rows)
    for step in range(steps):
        if step == stop:
            saved = state_tensors(optimiser)
            optimiser = make_optimiser(network, recipe, {}, by_rows=by_rows)
            load_state_tensors(optimiser, saved)
        draws = torch.Generator().manual_seed(step)
        tokens = torch.randint(0, 20, (4, 2), generator=draws)
        optimiser.zero_grad()
        (network(tokens) * torch.randn(4, 3, generator=draws)).sum().backward()
        optimiser.step()
    return dict(network.state_dict())


ADADELTA = Recipe("rows", 1, 4, optimiser="adadelta", learning_rate=1.0, alpha=0.95, epsilon=1e-6)


def test_adadelta_by_rows_is_adadelta():
    whole, rows = walk(ADADELTA, by_rows=False), walk(ADADELTA, by_rows=True)
    assert all(torch.allclose(whole[name], rows[name], rtol=1e-5, atol=1e-7) for name in whole)


@pytest.mark.parametrize("optimiser", ["adadelta", "adam", "adamw"])
def test_a_resumed_optimiser_goes_on_to_the_same_bits(optimiser):
    recipe = Recipe("rows", 1, 4, optimiser=optimiser, learning_rate=0.01, alpha=0.95, epsilon=1e-6)
    through, resumed = walk(recipe, by_rows=True), walk(recipe, by_rows=True, stop=11)
    assert all(torch.equal(through[name], resumed[name]) for name in through)


def test_lazy_adam_leaves_untouched_rows_and_takes_adams_first_step():
    recipe = Recipe("rows", 1, 4, optimiser="adamw", learning_rate=0.01, decay=0.1)
    torch.manual_seed(0)
    start = Words().words.weight.detach().clone()
    one = {by: walk(recipe, by_rows=by, steps=1)["words.weight"] for by in (False, True)}
    assert torch.allclose(one[False], one[True], atol=1e-6)
    touched = (one[True] != start).any(1)
    assert 0 < int(touched.sum()) < 20


@pytest.mark.parametrize("changes", [{"optimiser": "sgd"}, {"optimiser": "adam", "clip": 1.0}])
def test_others_get_whole_gradients(changes):
    network = Words()
    make_optimiser(network, Recipe("whole", 1, 4, **changes), {})
    assert not network.words.sparse


def test_rows_of_the_head_are_shortened_and_others_left():
    network = Words()
    with torch.no_grad():
        network.head.weight.copy_(torch.tensor([[3.0, 4, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 6, 8]]))
    constrain = make_constraint(network, 3.0)
    assert constrain is not None
    constrain()
    assert network.head.weight.norm(dim=1).tolist() == pytest.approx([3, 1, 3], rel=1e-4)
    assert make_constraint(network, 0.0) is None
