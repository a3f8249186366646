"""Logistic regression: against scikit-learn, by hand, and its promises."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from neocog.core.errors import TrainingError
from neocog.training.logistic import DEFAULT_STRENGTH, fit_logistic


def problem(seed: int, samples: int = 60, width: int = 5, classes: int = 3) -> tuple[Tensor, Tensor]:
    own = torch.Generator().manual_seed(seed)
    labels = torch.arange(samples) % classes
    centres = torch.randn(classes, width, generator=own)
    spread = torch.rand(width, generator=own) * 3 + 0.2
    return (centres[labels] + torch.randn(samples, width, generator=own)) * spread + 7, labels


def half_standardised(features: Tensor) -> Tensor:
    deviation = features.double().std(0, correction=0)
    return (features.double() - features.double().mean(0)) / (deviation * deviation.mean()).sqrt()


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 5), st.integers(1, 7), st.sampled_from([0.01, 0.3, 3.0]))
def test_equals_scikit_learn_on_the_scaled_features(seed: int, classes: int, width: int, strength: float) -> None:
    from sklearn.linear_model import LogisticRegression

    features, labels = problem(seed, samples=40, width=width, classes=classes)
    fitted = fit_logistic(features, labels, features, labels, classes, strengths=(strength,))
    scaled = half_standardised(features).numpy()
    theirs = LogisticRegression(C=strength, tol=1e-9, max_iter=5000).fit(scaled, labels.numpy())
    ours = (features @ fitted.weight.T + fitted.bias).softmax(1)
    torch.testing.assert_close(
        ours.double(), torch.from_numpy(theirs.predict_proba(scaled)).double(), atol=2e-3, rtol=0
    )


def test_class_weights_equal_scikit_learns() -> None:
    from sklearn.linear_model import LogisticRegression

    features, labels = problem(3)
    weights = torch.tensor([3.0, 1.0, 0.5])
    fitted = fit_logistic(features, labels, features, labels, 3, strengths=(0.1,), class_weights=weights)
    scaled = half_standardised(features).numpy()
    balance = {index: float(weight) for index, weight in enumerate(weights)}
    theirs = LogisticRegression(C=0.1, tol=1e-9, max_iter=5000, class_weight=balance).fit(scaled, labels.numpy())
    ours = (features @ fitted.weight.T + fitted.bias).softmax(1)
    torch.testing.assert_close(
        ours.double(), torch.from_numpy(theirs.predict_proba(scaled)).double(), atol=2e-3, rtol=0
    )


def test_the_result_is_a_minimum_of_the_objective_as_stated() -> None:
    features, labels = problem(5)
    strength = 0.3
    fitted = fit_logistic(features, labels, features, labels, 3, strengths=(strength,))
    scaled = half_standardised(features)
    deviation = features.double().std(0, correction=0)
    unscaled = fitted.weight.double() * (deviation * deviation.mean()).sqrt()
    weight = unscaled.clone().requires_grad_()
    bias = (fitted.bias.double() + fitted.weight.double() @ features.double().mean(0)).requires_grad_()
    loss = functional.cross_entropy(scaled @ weight.T + bias, labels, reduction="sum")
    (loss + weight.square().sum() / (2 * strength)).backward()
    assert weight.grad is not None
    assert bias.grad is not None
    assert float(weight.grad.abs().max()) < 1e-3
    assert float(bias.grad.abs().max()) < 1e-3
    assert fitted.gradient < 1e-5


def test_two_equal_views_count_as_one() -> None:
    features, labels = problem(1)
    one = fit_logistic(features, labels, features, labels, 3, strengths=(0.1,))
    two = fit_logistic(torch.stack([features] * 2), labels, torch.stack([features] * 2), labels, 3, strengths=(0.1,))
    torch.testing.assert_close(one.weight, two.weight, atol=1e-4, rtol=1e-3)
    assert two.loss == pytest.approx(one.loss, abs=1e-5)


def test_validation_averages_the_probabilities_of_the_views() -> None:
    features, labels = problem(2)
    views = torch.stack([features, features.flip(1)])
    fitted = fit_logistic(views, labels, views, labels, 3, strengths=(0.1,))
    chances = (views @ fitted.weight.T + fitted.bias).softmax(2).mean(0)
    assert fitted.accuracy == pytest.approx(float((chances.argmax(1) == labels).double().mean()))
    assert fitted.loss == pytest.approx(float(functional.nll_loss(chances.log(), labels)), abs=1e-5)


def test_the_strength_is_the_one_with_the_least_validation_loss() -> None:
    features, labels = problem(8, samples=30, width=20)
    others, truth = problem(8, samples=300, width=20)
    strengths = (1e-3, 1e-2, 1e-1, 1.0)
    single = [fit_logistic(features, labels, others, truth, 3, strengths=(each,)).loss for each in strengths]
    fitted = fit_logistic(features, labels, others, truth, 3, strengths=strengths)
    assert fitted.strength == strengths[single.index(min(single))]


def test_labels_of_the_validation_part_never_reach_the_weights_at_one_strength() -> None:
    features, labels = problem(4)
    first = fit_logistic(features, labels, features, labels, 3, strengths=(0.1,))
    second = fit_logistic(features, labels, features, (labels + 1) % 3, 3, strengths=(0.1,))
    assert torch.equal(first.weight, second.weight)
    assert second.accuracy < first.accuracy


def test_without_a_validation_part_the_default_strength_is_taken() -> None:
    features, labels = problem(4)
    fitted = fit_logistic(features, labels, None, None, 3)
    assert fitted.strength == DEFAULT_STRENGTH
    assert math.isnan(fitted.accuracy)


def test_the_same_arguments_give_the_same_bits_whatever_the_threads() -> None:
    features, labels = problem(9)
    before = torch.get_num_threads()
    try:
        fits = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            fits.append(fit_logistic(features, labels, features, labels, 3))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert torch.equal(fits[0].weight, fits[1].weight)
    assert torch.equal(fits[0].bias, fits[1].bias)


def test_a_constant_feature_and_an_absent_class_do_no_harm() -> None:
    features, labels = problem(6)
    features[:, 2] = 4.0
    fitted = fit_logistic(features, labels, features, labels, 4)
    assert bool(torch.isfinite(fitted.weight).all())
    assert float(fitted.weight[:, 2].abs().max()) < 1e-6
    assert not bool(((features @ fitted.weight.T + fitted.bias).argmax(1) == 3).any())


def test_features_that_are_all_equal_give_the_classes_frequencies() -> None:
    labels = torch.tensor([0, 0, 0, 1])
    fitted = fit_logistic(torch.ones(4, 3), labels, None, None, 2)
    torch.testing.assert_close(
        (torch.ones(1, 3) @ fitted.weight.T + fitted.bias).softmax(1), torch.tensor([[0.75, 0.25]]), atol=1e-3, rtol=0
    )


def test_features_that_are_not_finite_are_refused() -> None:
    features, labels = problem(7)
    features[3, 1] = math.inf
    with pytest.raises(TrainingError, match="not finite"):
        fit_logistic(features, labels, None, None, 3)
