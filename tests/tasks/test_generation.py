"""Writing text: what the next token is drawn by, with networks whose logits are set by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from neocog.core.errors import UsageError
from neocog.core.reference.recurrent import sampled_chances
from neocog.tasks.generation import Sampling, written
from neocog.tasks.language_modelling import LanguageMeter, figures
from neocog.tasks.language_scores import token_costs

logits = st.lists(st.floats(-30, 30), min_size=2, max_size=8)


class Fixed(nn.Module):
    """Gives the same logits at every place, whatever came before; the first is that of the unknown token."""

    def __init__(self, values: list[float]) -> None:
        super().__init__()
        self.values = torch.tensor(values)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.values.expand(*tokens.shape, -1)

    def go_on(self, tokens: torch.Tensor, before: None = None) -> tuple[torch.Tensor, None]:
        return self(tokens), before


class Alphabet(nn.Module):
    """Says that token n + 1 follows token n."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def go_on(self, tokens: torch.Tensor, before: None = None) -> tuple[torch.Tensor, None]:
        return 5.0 * nn.functional.one_hot(tokens % self.count, self.count).float(), before


def draw(network: nn.Module, count: int, *, seed: int = 0, **options: object) -> list[int]:
    return list(written(network, torch.tensor([2]), length=count, sampling=Sampling(**options), seed=seed))


@given(logits, st.floats(0.05, 20))
def test_chances_are_the_softmax_of_the_logits_over_the_temperature(values, temperature):
    chances = Sampling(temperature).chances(torch.tensor(values, dtype=torch.float64))
    np.testing.assert_allclose(chances.numpy(), sampled_chances(np.array(values), temperature), rtol=1e-9, atol=1e-12)


@given(logits, st.floats(0.1, 5), st.floats(1.05, 4), st.integers(1, 8))
def test_the_entropy_grows_with_the_temperature(values, temperature, times, top):
    colder, warmer = (Sampling(each, top).chances(torch.tensor(values)) for each in (temperature, temperature * times))
    entropies = [float(torch.special.entr(each).sum()) for each in (colder, warmer)]
    assert entropies[0] <= entropies[1] + 1e-9


@given(logits, st.integers(1, 8))
def test_towards_zero_it_is_the_likeliest_and_the_top_alone_are_drawn(values, top):
    found = torch.tensor(values)
    greedy = Sampling(0).chances(found)
    assert greedy.tolist() == nn.functional.one_hot(found.argmax(), len(values)).tolist()
    second = found.sort(descending=True).values[1]
    if float(found.max() - second) > 0.01:
        torch.testing.assert_close(Sampling(1e-4).chances(found), greedy, rtol=0, atol=1e-9)
    kept = Sampling(1.0, top).chances(found) > 0
    assert int(kept.sum()) <= top
    assert float(found[kept].min()) >= float(found.sort(descending=True).values[:top].min())


def test_what_is_drawn_has_the_shares_of_its_chances():
    network = Fixed([9.0, math.log(1), math.log(2), math.log(5)])  # the unknown token, likeliest, is never written
    shares = np.bincount(draw(network, 8000), minlength=5)[1:] / 8000
    assert shares[0] == 0
    assert shares[1:].tolist() == pytest.approx([1 / 8, 2 / 8, 5 / 8], abs=0.02)
    colder = np.bincount(draw(network, 8000, temperature=0.5), minlength=5)[2:] / 8000
    assert colder.tolist() == pytest.approx([1 / 30, 4 / 30, 25 / 30], abs=0.02)
    assert set(draw(network, 500, top=2)) == {3, 4}
    assert set(draw(network, 50, temperature=0)) == {4}


def test_a_seed_gives_one_text_and_the_likeliest_needs_none():
    network = Fixed([0.0] * 20)
    assert draw(network, 50) == draw(network, 50)
    assert draw(network, 50)[:20] == draw(network, 20)  # a longer text begins like the shorter
    assert draw(network, 50) != draw(network, 50, seed=1)
    assert draw(Alphabet(6), 7, temperature=0, seed=1) == [3, 4, 5, 6, 2, 3, 4]  # behind 6 the unknown is left out


@pytest.mark.parametrize("wrong", [{"temperature": -0.1}, {"temperature": math.inf}, {"temperature": math.nan}])
def test_a_temperature_is_a_number_from_0_on(wrong):
    with pytest.raises(UsageError, match="--temperature must be a number from 0 on"):
        Sampling(**wrong)
    with pytest.raises(UsageError, match="--top must be at least 1; got 0"):
        Sampling(top=0)


@given(st.integers(1, 70), st.integers(2, 20))
def test_a_model_that_knows_nothing_pays_the_logarithm_of_the_tokens(count, window):
    tokens = torch.randint(1, 9, (count,), generator=torch.Generator().manual_seed(count))
    costs = token_costs(Fixed([0.0] * 8), tokens, window)
    assert costs.tolist() == pytest.approx([math.log(8)] * count, abs=1e-6)
    made = figures(float(costs.mean()), "character")
    assert made["bits_per_character"] == pytest.approx(3, abs=1e-6)
    assert (made["perplexity"], made["probability"]) == pytest.approx((8, 1 / 8), abs=1e-5)


def test_costs_do_not_depend_on_windows_where_the_network_sees_less():
    from neocog.architectures import create

    torch.manual_seed(0)
    network = create("gated_conv_lm", classes=9, channels=9, dimension=6).eval()
    tokens = torch.randint(1, 10, (500,))
    whole = nn.functional.cross_entropy(
        network(torch.cat([torch.zeros(1, dtype=torch.int64), tokens])[:-1].unsqueeze(0))[0],
        tokens - 1,
        reduction="none",
    )
    for window in (27, 64, 600):
        torch.testing.assert_close(token_costs(network, tokens, window), whole.detach().double(), rtol=1e-4, atol=1e-4)
    assert float((token_costs(network, tokens, 5) - whole.detach()).abs().max()) > 1e-3  # which sees too little


def test_the_meter_adds_up_what_several_processes_saw():
    meter = LanguageMeter("word")
    assert math.isnan(meter.compute()["loss"])
    meter.merge([torch.tensor([6.0, 2.0]), torch.tensor([3.0, 1.0])])
    assert meter.compute()["loss"] == 3
    assert meter.compute()["perplexity"] == pytest.approx(math.e**3)
