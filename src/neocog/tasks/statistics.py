"""Figures that say how good a classifier is, computed from plain arrays in float64."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Interval(NamedTuple):
    """The ends of a confidence interval, fractions in [0, 1]."""

    low: float
    high: float


@dataclass(frozen=True)
class ClassScores:
    """One figure a class, each (K,): what has no meaning is NaN and stays out of the means.

    ``precision`` is NaN for a class never predicted, ``recall`` for one without samples, ``f1`` for one absent from
    both truth and prediction. ``support`` and ``predicted`` count the samples of each class and those called it.
    """

    precision: Floats
    recall: Floats
    f1: Floats
    support: Integers
    predicted: Integers

    @property
    def macro_f1(self) -> float:
        """The mean F1 of the classes that occur in truth or prediction."""
        return _mean(self.f1)

    @property
    def balanced_accuracy(self) -> float:
        """The mean recall of the classes that have samples."""
        return _mean(self.recall)


@dataclass(frozen=True)
class Reliability:
    """The reliability curve of Guo et al. 2017 (section 2), one entry for each of M equal bins of confidence.

    ``edges`` is (M + 1,) from 0 to 1; ``count`` (M,) the samples with confidence in (edge, next edge];
    ``confidence`` and ``accuracy`` (M,) their means, NaN in an empty bin. ``error`` is the expected calibration
    error, the mean gap between the two weighted by count (equation 3).
    """

    edges: Floats
    count: Integers
    confidence: Floats
    accuracy: Floats
    error: float


def wilson_interval(successes: int, trials: int, confidence: float = 0.95) -> Interval:
    """Returns the score interval of a proportion (Wilson 1927); (0, 1) when there were no trials.

    Unlike the normal approximation it stays inside [0, 1] and has width at 0 and at 100 %.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"expected 0 <= successes <= trials, got {successes} of {trials}")
    if trials == 0:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share, square = successes / trials, z * z / trials
    centre = (share + square / 2) / (1 + square)
    half = z / (1 + square) * (share * (1 - share) / trials + square / (4 * trials)) ** 0.5
    # At the ends the formula is exactly 0 and 1; rounding must not move them.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return Interval(low, high)


def confusion_matrix(truth: Integers, predicted: Integers, classes: int) -> Integers:
    """Returns (K, K) counts: row i, column j are the samples of class i that were called j."""
    cells = np.asarray(truth, np.int64) * classes + np.asarray(predicted, np.int64)
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes).astype(np.int64)


def class_scores(confusion: Integers) -> ClassScores:
    """Returns precision, recall, F1 and counts a class from a (K, K) confusion matrix."""
    hits = np.diag(confusion)
    support, predicted = confusion.sum(1), confusion.sum(0)
    return ClassScores(
        precision=_ratio(hits, predicted),
        recall=_ratio(hits, support),
        f1=_ratio(2 * hits, support + predicted),
        support=support,
        predicted=predicted,
    )


def reliability(confidence: Floats, correct: NDArray[Any], bins: int = 15) -> Reliability:
    """Returns the reliability curve and the expected calibration error.

    ``confidence`` (N,) is the probability of each predicted class, in [0, 1]; ``correct`` (N,) whether it was right.
    """
    edges = np.linspace(0.0, 1.0, bins + 1)
    # side="left": a confidence equal to an edge belongs to the bin below it, as in the paper; 0 to the first.
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins).astype(np.int64)
    confident = np.bincount(place, weights=confidence, minlength=bins)
    right = np.bincount(place, weights=np.asarray(correct, np.float64), minlength=bins)
    error = float(np.abs(confident - right).sum() / len(confidence)) if len(confidence) else float("nan")
    return Reliability(edges, count, _ratio(confident, count), _ratio(right, count), error)


def ranks(scores: NDArray[Any], truth: Integers) -> Integers:
    """Returns (N,) how many classes come before the true one, 0 when it is the first.

    ``scores`` is (N, K), larger is better; of equal scores the lower class comes first, as ``argmax`` has it. A row
    whose true class scores NaN ranks behind everything.
    """
    chosen = np.take_along_axis(scores, truth[:, None], axis=1)  # (N, 1)
    lower = np.arange(scores.shape[1])[None, :] < truth[:, None]  # (N, K)
    before: Integers = ((scores > chosen) | ((scores == chosen) & lower)).sum(1)
    before[np.isnan(chosen[:, 0])] = np.iinfo(np.int64).max
    return before


def worst_mistakes(probabilities: Floats, truth: Integers, count: int) -> Integers:
    """Returns the rows of the most confident wrong answers, worst first, at most ``count``; ties in row order."""
    predicted = probabilities.argmax(1)
    wrong = np.flatnonzero(predicted != truth)
    order = np.argsort(-probabilities[wrong, predicted[wrong]], kind="stable")
    return wrong[order][:count].astype(np.int64)


def _ratio(above: NDArray[Any], below: NDArray[Any]) -> Floats:
    """Returns ``above / below``, NaN where ``below`` is 0, without a warning."""
    ratio: Floats = np.full(len(below), np.nan)
    np.divide(above, below, out=ratio, where=below != 0)
    return ratio


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
