"""The figures of classification against hand-computed cases, scikit-learn and torchmetrics."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics
from torchmetrics.functional.classification import multiclass_calibration_error, multiclass_f1_score

from neocog.tasks import statistics


def random_answers(seed: int, samples: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    logits = random.normal(size=(samples, classes)) * 2
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return probabilities, random.integers(0, classes, samples)


class TestWilson:
    def test_textbook_values(self) -> None:
        # Newcombe 1998, table I, method 3 (score): 81/263, 15/148, 0/20, 1/29.
        for hits, trials, low, high in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ]:
            assert statistics.wilson_interval(hits, trials) == pytest.approx((low, high), abs=5e-5)

    def test_no_trials_say_nothing(self) -> None:
        assert statistics.wilson_interval(0, 0) == (0, 1)

    @settings(deadline=None)
    @given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
    def test_it_holds_the_share_and_mirrors(self, counted: tuple[int, int]) -> None:
        hits, trials = counted
        low, high = statistics.wilson_interval(hits, trials)
        assert 0 <= low <= hits / trials <= high <= 1
        assert low < high
        mirrored = statistics.wilson_interval(trials - hits, trials)
        assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((low, high), abs=1e-12)

    @pytest.mark.parametrize(("hits", "trials"), [(3, 2), (-1, 2)])
    def test_impossible_counts_are_refused(self, hits: int, trials: int) -> None:
        with pytest.raises(ValueError, match="successes"):
            statistics.wilson_interval(hits, trials)


class TestClasses:
    def test_by_hand(self) -> None:
        truth, predicted = np.array([0, 0, 0, 1, 1, 3]), np.array([0, 0, 1, 1, 0, 1])
        confusion = statistics.confusion_matrix(truth, predicted, 5)
        assert confusion.tolist()[:2] == [[2, 1, 0, 0, 0], [1, 1, 0, 0, 0]]
        scores = statistics.class_scores(confusion)
        assert scores.support.tolist() == [3, 2, 0, 1, 0]
        assert scores.predicted.tolist() == [3, 3, 0, 0, 0]
        nan = np.nan
        np.testing.assert_allclose(scores.precision, [2 / 3, 1 / 3, nan, nan, nan])
        np.testing.assert_allclose(scores.recall, [2 / 3, 1 / 2, nan, 0, nan])
        np.testing.assert_allclose(scores.f1, [2 / 3, 2 / 5, nan, 0, nan])
        assert scores.macro_f1 == pytest.approx((2 / 3 + 2 / 5 + 0) / 3)
        assert scores.balanced_accuracy == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)

    @settings(deadline=None)
    @given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(2, 9))
    def test_as_scikit_learn_has_it(self, seed: int, samples: int, classes: int) -> None:
        probabilities, truth = random_answers(seed, samples, classes)
        predicted = probabilities.argmax(1)
        confusion = statistics.confusion_matrix(truth, predicted, classes)
        every = np.arange(classes)
        np.testing.assert_array_equal(confusion, sklearn_metrics.confusion_matrix(truth, predicted, labels=every))
        scores = statistics.class_scores(confusion)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = sklearn_metrics.precision_recall_fscore_support(
                truth, predicted, labels=every, zero_division=np.nan
            )
            f1 = sklearn_metrics.f1_score(truth, predicted, average="macro", zero_division=np.nan)
            balanced = sklearn_metrics.balanced_accuracy_score(truth, predicted)
        np.testing.assert_allclose(scores.precision, theirs[0])
        np.testing.assert_allclose(scores.recall, theirs[1])
        np.testing.assert_allclose(scores.f1, theirs[2])
        assert scores.macro_f1 == pytest.approx(f1)
        assert scores.balanced_accuracy == pytest.approx(balanced)

    def test_as_torchmetrics_has_it(self) -> None:
        probabilities, truth = random_answers(3, 200, 7)
        theirs = multiclass_f1_score(torch.from_numpy(probabilities), torch.from_numpy(truth), 7)
        scores = statistics.class_scores(statistics.confusion_matrix(truth, probabilities.argmax(1), 7))
        assert scores.macro_f1 == pytest.approx(float(theirs), abs=1e-6)

    def test_nothing_at_all_has_no_mean(self) -> None:
        scores = statistics.class_scores(np.zeros((3, 3), np.int64))
        assert np.isnan(scores.macro_f1)
        assert np.isnan(scores.balanced_accuracy)


class TestReliability:
    def test_by_hand(self) -> None:
        # Bins of a fifth: 0.2 belongs to the first, 0.9 and 1 to the last.
        confidence = np.array([0.2, 0.15, 0.5, 0.9, 1.0])
        correct = np.array([False, True, True, True, False])
        curve = statistics.reliability(confidence, correct, bins=5)
        assert curve.count.tolist() == [2, 0, 1, 0, 2]
        np.testing.assert_allclose(curve.confidence, [0.175, np.nan, 0.5, np.nan, 0.95])
        np.testing.assert_allclose(curve.accuracy, [0.5, np.nan, 1.0, np.nan, 0.5])
        assert curve.error == pytest.approx((2 * 0.325 + 0.5 + 2 * 0.45) / 5)

    @pytest.mark.parametrize("seed", range(5))
    def test_as_torchmetrics_has_it(self, seed: int) -> None:
        probabilities, truth = random_answers(seed, 300, 6)
        correct = probabilities.argmax(1) == truth
        theirs = multiclass_calibration_error(torch.from_numpy(probabilities), torch.from_numpy(truth), 6, n_bins=15)
        assert statistics.reliability(probabilities.max(1), correct).error == pytest.approx(float(theirs), abs=1e-6)

    def test_all_edges_find_a_bin(self) -> None:
        curve = statistics.reliability(np.linspace(0, 1, 16), np.ones(16), bins=15)
        assert curve.count.sum() == 16
        assert curve.count.tolist() == [2] + [1] * 14

    def test_nothing_at_all(self) -> None:
        curve = statistics.reliability(np.empty(0), np.empty(0))
        assert np.isnan(curve.error)
        assert curve.count.sum() == 0


class TestRanks:
    def test_ties_go_to_the_lower_class(self) -> None:
        scores = np.array([[1.0, 1.0, 2.0]] * 3)
        assert statistics.ranks(scores, np.array([0, 1, 2])).tolist() == [1, 2, 0]

    def test_nan_is_among_no_first_few(self) -> None:
        assert statistics.ranks(np.array([[np.nan, 1.0]]), np.array([0]))[0] > 1000

    @settings(deadline=None)
    @given(st.integers(0, 2**32 - 1), st.integers(2, 8))
    def test_rank_zero_is_argmax(self, seed: int, classes: int) -> None:
        scores = np.random.default_rng(seed).integers(0, 3, (20, classes)).astype(float)
        truth = np.random.default_rng(seed + 1).integers(0, classes, 20)
        np.testing.assert_array_equal(statistics.ranks(scores, truth) == 0, scores.argmax(1) == truth)


def test_worst_mistakes_come_first_and_stay_in_order() -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.1, 0.9], [0.8, 0.2]])
    truth = np.array([1, 1, 1, 0, 1])  # rows 0, 2, 3, 4 are wrong, with 0.9, 0.6, 0.9, 0.8
    assert statistics.worst_mistakes(probabilities, truth, 10).tolist() == [0, 3, 4, 2]
    assert statistics.worst_mistakes(probabilities, truth, 2).tolist() == [0, 3]
    assert statistics.worst_mistakes(probabilities, probabilities.argmax(1), 5).tolist() == []
