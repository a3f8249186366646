"""Schedules against their formulas, worked by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_training import toy_recipe

from neocog.core.recipe import Recipe
from neocog.training.schedules import cosine, inverse_time, one_cycle, rate_factor, stepped, warm_up

PLAIN = Recipe("plain", epochs=10, batch_size=8)
NAMES = ("constant", "step", "cosine", "one-cycle", "inverse-time")


def curve(recipe: Recipe, total: int = 100, steps_per_epoch: int = 10) -> list[float]:
    return [rate_factor(recipe, step, total, steps_per_epoch) for step in range(total)]


def test_step_divides_at_its_fractions() -> None:
    factors = curve(replace(PLAIN, schedule="step", step_at=(0.5, 0.75), step_factor=0.1))
    assert factors[:50] == [1.0] * 50
    assert factors[50:75] == pytest.approx([0.1] * 25)
    assert factors[75:] == pytest.approx([0.01] * 25)
    assert stepped(0.5, (), 0.1) == 1


def test_step_can_fall_each_epoch_as_mobilenets_does() -> None:
    factors = curve(replace(PLAIN, schedule="step", step_at=tuple(n / 10 for n in range(1, 10)), step_factor=0.98))
    assert factors == pytest.approx([0.98 ** (step // 10) for step in range(100)])


def test_cosine_has_its_values_at_quarters() -> None:
    assert [cosine(done, 0.0) for done in (0, 0.5, 1)] == pytest.approx([1, 0.5, 0])
    assert cosine(0.25, 0.0) == pytest.approx((1 + math.sqrt(0.5)) / 2)
    assert cosine(1, 0.2) == pytest.approx(0.2)


def test_one_cycle_rises_and_falls() -> None:
    assert one_cycle(0, 0.3, 0.0) == pytest.approx(1 / 25)
    assert one_cycle(0.15, 0.3, 0.0) == pytest.approx((1 / 25 + 1) / 2)
    assert one_cycle(0.3, 0.3, 0.0) == pytest.approx(1)
    assert one_cycle(0.65, 0.3, 0.0) == pytest.approx(0.5)
    factors = curve(replace(PLAIN, schedule="one-cycle", warmup=2))
    assert factors.index(max(factors)) == 20


def test_keras_decay_is_keras_decay() -> None:
    assert [inverse_time(step, 0.5) for step in (0, 1, 2)] == pytest.approx([1, 2 / 3, 1 / 2])
    factors = curve(replace(PLAIN, schedule="inverse-time", time_decay=1e-6))
    assert factors[99] == pytest.approx(1 / (1 + 99e-6))


def test_warm_up_is_linear_and_then_the_schedule_begins() -> None:
    assert [warm_up(step, 3) for step in range(4)] == pytest.approx([0.25, 0.5, 0.75, 1])
    factors = curve(replace(PLAIN, schedule="cosine", warmup=1))
    assert factors[:11] == pytest.approx([n / 11 for n in range(1, 11)] + [1.0])
    assert factors[55] == pytest.approx(0.5)


@given(
    name=st.sampled_from(NAMES),
    warmup=st.floats(0, 30),
    final=st.floats(0, 1),
    total=st.integers(1, 200),
    data=st.data(),
)
def test_factors_stay_between_nothing_and_one(
    name: str, warmup: float, final: float, total: int, data: st.DataObject
) -> None:
    recipe = toy_recipe(schedule=name, warmup=warmup, final_fraction=final, time_decay=0.01)
    step = data.draw(st.integers(0, total - 1))
    assert 0 < rate_factor(recipe, step, total, 7) <= 1 + 1e-12
