"""Multinomial logistic regression on features, to convergence: a dense head without a learning rate to choose."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from neocog.core.errors import TrainingError

# Inverse strengths of the penalty as scikit-learn counts them (its C), from strong to weak.
STRENGTHS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0)
DEFAULT_STRENGTH = 3e-2  # where there is no validation part to choose by
# Largest component of the mean objective's gradient: while the strengths are compared, and for the one that is chosen.
COARSE, FINE = 1e-4, 1e-5
ITERATIONS, HISTORY = 2000, 20
ONE_THREAD = 2e8  # multiplications of a product below which one thread is enough


@dataclass(frozen=True)
class LogisticFit:
    """A dense head: ``weight`` (classes, F) and ``bias`` (classes,) in float32, for features as they come.

    ``strength`` is the chosen C; ``accuracy`` and ``loss`` are the validation part's, NaN where there is none;
    ``gradient`` the largest component of the objective's gradient where the iteration ended.
    """

    weight: Tensor
    bias: Tensor
    strength: float
    accuracy: float
    loss: float
    gradient: float


@dataclass(frozen=True)
class _Problem:
    """Scaled features (M, F), labels (M,) and shares of the loss (M,) of M = views x ``samples`` rows."""

    inputs: Tensor
    labels: Tensor
    shares: Tensor
    classes: int
    samples: int

    def objective(self, rows: Tensor, penalty: float) -> tuple[Tensor, Tensor]:
        """Returns sum_i share_i * cross-entropy_i + penalty / 2 * |W|^2 and its gradient, (classes, F + 1)."""
        weight, bias = rows[:, :-1], rows[:, -1]
        log_p = (self.inputs @ weight.T).add_(bias).log_softmax(1)  # (M, classes)
        own = log_p.gather(1, self.labels.unsqueeze(1)).squeeze(1)  # (M,)
        value = penalty / 2 * weight.square().sum() - self.shares @ own
        slope = log_p.exp_()
        slope.scatter_add_(1, self.labels.unsqueeze(1), -torch.ones_like(slope[:, :1]))
        slope.mul_(self.shares.unsqueeze(1))  # (M, classes)
        return value, torch.cat([(slope.T @ self.inputs).add_(weight, alpha=penalty), slope.sum(0).unsqueeze(1)], 1)


def fit_logistic(
    features: Tensor,
    labels: Tensor,
    val_features: Tensor | None,
    val_labels: Tensor | None,
    classes: int,
    *,
    strengths: Sequence[float] = STRENGTHS,
    class_weights: Tensor | None = None,
) -> LogisticFit:
    """Fits softmax(W x + b) on the training part alone; the validation part only chooses the penalty.

    ``features`` are (N, F), or (V, N, F) where each sample comes in V views (mirrored, say): all are trained on, each
    with a V-th of the weight, and validation averages their probabilities. ``labels`` (N,) int64. The objective is
    ``sum_i cross-entropy_i + |W|^2 / (2 C)`` on features that are centred and divided by the square root of (their own
    deviation x the mean deviation): half way to standardised, because a feature that hardly varies is mostly noise.
    Scale and centre are folded into the result. C is the one of ``strengths`` (ascending) with the least validation
    loss, `DEFAULT_STRENGTH` without a validation part. ``class_weights`` (classes,) multiply the samples' losses.

    The same arguments give the same result. Raises TrainingError when features are not finite or it does not converge.
    """
    views, val_views = _views(features), None if val_features is None else _views(val_features)
    if not bool(torch.isfinite(views).all()):
        raise TrainingError("the network's features are not finite, so no head can be fitted; check its weights.")
    centre, scale = _centre_and_scale(views)
    problem = _problem(views, labels, classes, centre, scale, class_weights)
    strength, solution = DEFAULT_STRENGTH, _start(problem)
    with _few_threads(problem):
        if val_views is not None and val_labels is not None and len(val_labels):
            strength, solution = _choose(problem, sorted(strengths), centre, scale, val_views, val_labels)
        solution, slope = _minimise(problem, strength, solution, FINE)
    weight, bias = _fold(solution, centre, scale)
    loss = accuracy = math.nan
    if val_views is not None and val_labels is not None and len(val_labels):
        loss, accuracy = _validate(weight, bias, val_views, val_labels)
    return LogisticFit(weight.float(), bias.float(), strength, accuracy, loss, slope)


def _choose(
    problem: _Problem, strengths: Sequence[float], centre: Tensor, scale: Tensor, views: Tensor, labels: Tensor
) -> tuple[float, Tensor]:
    """Returns the strength with the least validation loss and its solution; each starts from the one before."""
    solution, least = _start(problem), math.inf
    best = strengths[0], solution
    for strength in strengths:
        solution, _ = _minimise(problem, strength, solution, COARSE)
        loss, _ = _validate(*_fold(solution, centre, scale), views, labels)
        if loss >= least:  # the loss is smooth along the path and has one minimum: what comes is worse, and slower
            break
        least, best = loss, (strength, solution)
    return best


def _views(features: Tensor) -> Tensor:
    return features if features.dim() == 3 else features.unsqueeze(0)


def _centre_and_scale(views: Tensor) -> tuple[Tensor, Tensor]:
    """Returns (F,) each, float64; a feature that never varies is left at the mean's scale."""
    flat = views.flatten(0, 1).double()
    deviation = flat.std(0, correction=0)
    mean = deviation.mean()
    typical = mean if mean > 0 else torch.ones_like(mean)
    deviation = torch.where(deviation > 1e-6 * typical, deviation, typical)
    return flat.mean(0), (deviation * typical).sqrt()


def _problem(
    views: Tensor, labels: Tensor, classes: int, centre: Tensor, scale: Tensor, class_weights: Tensor | None
) -> _Problem:
    inputs = views.flatten(0, 1).double().sub_(centre).div_(scale)  # (M, F)
    repeated = labels.repeat(len(views))
    weights = torch.ones(classes, dtype=torch.float64) if class_weights is None else class_weights.double().cpu()
    shares = weights[repeated] / len(repeated)
    return _Problem(inputs, repeated, shares, classes, len(labels))


@contextmanager
def _few_threads(problem: _Problem) -> Iterator[None]:
    """Gives a small problem one thread: its products are so short that more would mostly wait for each other."""
    before = torch.get_num_threads()
    small = problem.inputs.numel() * problem.classes < ONE_THREAD
    torch.set_num_threads(1 if small else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _start(problem: _Problem) -> Tensor:
    return torch.zeros(problem.classes, problem.inputs.shape[1] + 1, dtype=torch.float64)


def _minimise(problem: _Problem, strength: float, start: Tensor, tolerance: float) -> tuple[Tensor, float]:
    """Returns the minimum (classes, F + 1) by L-BFGS (Liu and Nocedal 1989) from ``start``, and the gradient there."""
    penalty = 1 / (strength * problem.samples)
    parameter = start.clone().requires_grad_()
    optimiser = torch.optim.LBFGS(
        [parameter],
        max_iter=ITERATIONS,
        max_eval=2 * ITERATIONS,
        tolerance_grad=tolerance,
        tolerance_change=0,
        history_size=HISTORY,
        line_search_fn="strong_wolfe",
    )

    def closure() -> float:
        value, parameter.grad = problem.objective(parameter.detach(), penalty)
        return float(value)

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    solution = parameter.detach()
    slope = float(problem.objective(solution, penalty)[1].abs().max())
    if not slope <= tolerance:
        raise TrainingError(f"logistic regression at C = {strength:g} did not converge (largest gradient {slope:.1g}).")
    return solution, slope


def _fold(solution: Tensor, centre: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Returns weight (classes, F) and bias (classes,), float64, for features before centring and scaling."""
    weight = solution[:, :-1] / scale
    return weight, solution[:, -1] - weight @ centre


def _validate(weight: Tensor, bias: Tensor, views: Tensor, labels: Tensor) -> tuple[float, float]:
    """Returns mean cross-entropy and accuracy of the probabilities averaged over views (V, N, F)."""
    logits = views.double() @ weight.T + bias  # (V, N, classes)
    log_p = logits.log_softmax(2).logsumexp(0) - math.log(len(views))  # (N, classes)
    hits = (log_p.argmax(1) == labels).double().mean()
    return float(functional.nll_loss(log_p, labels)), float(hits)
