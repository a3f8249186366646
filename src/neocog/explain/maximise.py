"""Activation maximisation: the picture that excites a unit, a channel, a layer or a class most.

`ascend` is gradient ascent as it is taught, without tricks (Simonyan et al. 2013, arXiv:1312.6034, section 2);
`maximise` makes pictures that people can read, by a parameterisation of the picture and small random moves (Olah et
al. 2017, doi:10.23915/distill.00007).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from neocog.core.errors import NetworkError, UsageError
from neocog.core.randomness import generator
from neocog.explain.objectives import Objective, as_objective, excitation
from neocog.explain.parameterise import Way, noise, parameterise
from neocog.explain.rest import at_rest
from neocog.explain.rules import backward
from neocog.explain.transforms import Transform, moved, usual

# What is told of each step: its number from 1, the objective of each sample (B,), the pictures (B, C, ...) that had it.
# The answer False stops; the pictures are returned as they are.
OnStep = Callable[[int, Tensor, Tensor], bool | None]
Numbers = float | Sequence[float] | None


def maximise(
    module: nn.Module,
    objective: Objective | str,
    shape: Sequence[int],
    *,
    count: int = 1,
    steps: int = 256,
    rate: float = 0.05,
    parameterisation: Way = "fourier",
    colours: bool | None = None,
    transforms: Sequence[Transform] | None = None,
    seed: int = 0,
    mean: Numbers = None,
    std: Numbers = None,
    start: Tensor | None = None,
    on_step: OnStep | None = None,
) -> Tensor:
    """Returns pictures (count, C, ...) in [0, 1] that excite the objective, found by Adam from noise.

    ``objective`` is one of `neocog.explain.objectives`, or a layer's name for all of that layer; ``shape`` (C, ...) is
    without the batch; each of ``count`` pictures begins with its own noise about the mean, or with ``start``
    (count, C, ...) in [0, 1]. The network gets ``(picture - mean) / std``, a number a channel each. ``transforms`` are
    `usual` ones unless given, () for none; ``colours`` as in `parameterise`.

    Raises NetworkError for a layer that is not there, inputs that do not fit, and an objective that no pixel moves;
    UsageError for the rest.
    """
    _refuse(steps, rate, count)
    wanted = as_objective(objective)
    with at_rest(module):
        like = example(module)
        normal = Normalisation(mean, std, shape, like)
        gray = normal.mean if mean is not None else None
        moves = usual(shape, 0.5 if gray is None else gray) if transforms is None else transforms
        made = parameterise(
            parameterisation, shape, count=count, seed=seed, colours=colours, start=start, level=gray, like=like
        )
        optimiser = torch.optim.Adam([made.values], lr=rate, maximize=True)
        for step in range(1, steps + 1):
            picture = made.picture()  # (B, C, ...)
            seen = moved(picture, moves, generator(seed, "transforms", step))
            score = excitation(module, wanted, normal(seen))
            penalty = wanted.penalty(normal(picture))
            made.values.grad = steepest(score, penalty, made.values)
            refuse_still(step, made.values.grad)
            if on_step is not None and on_step(step, (score + penalty).detach(), picture.detach()) is False:
                return picture.detach()
            optimiser.step()
        return made.picture().detach()


def ascend(
    module: nn.Module,
    objective: Objective | str,
    shape: Sequence[int],
    *,
    count: int = 1,
    steps: int = 256,
    rate: float = 1.0,
    penalty: float = 0.0,
    noise_level: float = 0.1,
    seed: int = 0,
    start: Tensor | None = None,
    on_step: OnStep | None = None,
) -> Tensor:
    """Returns inputs (count, C, ...) of the network after plain gradient ascent of S(I) - penalty ||I||^2 from noise.

    Nothing but ``I += rate * gradient`` is done, for inputs of any number of axes: they have the scale that the network
    takes, zero is the mean, and no bounds. ``shape`` (C, ...) is without the batch; ``noise_level`` the deviation of
    the noise that each begins with, unless ``start`` (count, C, ...) is given.

    Raises NetworkError for an objective that no input moves, and when the ascent diverges; otherwise as `maximise`.
    """
    _refuse(steps, rate, count)
    wanted = as_objective(objective)
    with at_rest(module):
        like = example(module)
        inputs = noise(shape, count, seed, like) * noise_level if start is None else _given(start, count, shape, like)
        for step in range(1, steps + 1):
            inputs.requires_grad_()
            score = excitation(module, wanted, inputs)
            if step > 1 and not bool(score.isfinite().all()):
                raise NetworkError(_diverged(step, rate))
            norm = wanted.penalty(inputs) - penalty * inputs.flatten(1).square().sum(1)
            slope = steepest(score, norm, inputs)
            refuse_still(step, slope)
            inputs = inputs.detach()
            if on_step is not None and on_step(step, (score + norm).detach(), inputs) is False:
                return inputs
            inputs = inputs + rate * slope
            if not bool(inputs.isfinite().all()):
                raise NetworkError(_diverged(step, rate))
        return inputs


def reached(module: nn.Module, objective: Objective | str, inputs: Tensor) -> Tensor:
    """Returns the objective (B,) of a network's inputs (B, C, ...), its penalties left out."""
    with at_rest(module), torch.no_grad():
        return excitation(module, as_objective(objective), inputs)


def steepest(score: Tensor, penalty: Tensor, leaf: Tensor) -> Tensor:
    """Returns the gradient of ``score + penalty`` (B,) at a leaf (B, ...).

    Where no gradient at all comes back to a sample, its unit lies behind rectifiers that are shut: then they let
    through what would open them (Olah et al. 2017, appendix, "ReLU gradients"). Samples do not mix.

    Raises NetworkError where the score is not a number.
    """
    if not bool(score.isfinite().all()):
        raise NetworkError(f"the objective is {score.detach().tolist()}, not a number to climb; see the inputs' scale.")
    away = _gradient(penalty, leaf)
    slope = _gradient(score, leaf)
    shut = slope.flatten(1).abs().amax(1) == 0  # (B,)
    if bool(shut.any()) and score.requires_grad:
        try:
            opened = backward(score, leaf, _open, method="the way to a unit that is shut")
        except NetworkError:  # it rectifies in a way that cannot be told, or not at all
            opened = slope
        slope = torch.where(shut.reshape(-1, *[1] * (leaf.dim() - 1)), opened, slope)
    return slope + away


def refuse_still(step: int, slope: Tensor) -> None:
    """Raises NetworkError where nothing moves at the first step, so that nothing ever would."""
    if step == 1 and not bool((slope != 0).any()):
        raise NetworkError(
            "the objective does not depend on the input here: no gradient comes back; name another layer or unit, or "
            "begin with another seed or picture."
        )


class Normalisation:
    """From pictures (B, C, ...) in [0, 1] to what the network takes, (picture - mean) / std, and back."""

    def __init__(self, mean: Numbers, std: Numbers, shape: Sequence[int], like: Tensor) -> None:
        self.mean = _by_channel("mean", 0.0 if mean is None else mean, shape, like)
        self.std = _by_channel("std", 1.0 if std is None else std, shape, like)
        if not bool((self.std > 0).all()):
            raise UsageError(f"std should be above 0, got {std}.")

    def __call__(self, picture: Tensor) -> Tensor:
        """Returns the network's inputs for pictures."""
        return (picture - self.mean) / self.std

    def back(self, inputs: Tensor) -> Tensor:
        """Returns pictures in [0, 1] for inputs of the network; what lies outside is cut off."""
        return (inputs * self.std + self.mean).clamp(0, 1)


def example(module: nn.Module) -> Tensor:
    """Returns an empty tensor of the type and device that the network computes in."""
    found = next((each for each in module.parameters() if each.is_floating_point()), None)
    return torch.empty(()) if found is None else torch.empty((), dtype=found.dtype, device=found.device)


def _open(outer: Tensor, inner: Tensor) -> Tensor:
    """Lets everything through a layer of rectifiers that would stop all of a sample's gradient."""
    stopped = inner.reshape(len(inner), -1).abs().amax(1) == 0
    return torch.where(stopped.reshape(-1, *[1] * (inner.dim() - 1)), outer, inner)


def _diverged(step: int, rate: float) -> str:
    return f"the ascent diverged at step {step}; take a smaller rate than {rate:g}."


def _gradient(of: Tensor, leaf: Tensor) -> Tensor:
    if not of.requires_grad:
        return torch.zeros_like(leaf)
    (slope,) = torch.autograd.grad(of.sum(), leaf, retain_graph=True, allow_unused=True)
    return torch.zeros_like(leaf) if slope is None else slope


def _by_channel(name: str, numbers: float | Sequence[float], shape: Sequence[int], like: Tensor) -> Tensor:
    values = torch.as_tensor(numbers, dtype=like.dtype, device=like.device).reshape(-1)
    if len(values) not in (1, shape[0]):
        raise UsageError(f"{name} is a number, or one for each of {shape[0]} channels; got {len(values)}.")
    return values.reshape(-1, *[1] * (len(shape) - 1))


def _given(start: Tensor, count: int, shape: Sequence[int], like: Tensor) -> Tensor:
    if tuple(start.shape) != (count, *shape):
        raise UsageError(f"the start should have the shape {(count, *shape)}, got {tuple(start.shape)}.")
    return start.detach().to(like).clone()


def _refuse(steps: int, rate: float, count: int) -> None:
    if steps < 1 or count < 1 or not rate > 0:
        raise UsageError(f"steps and count are from 1, the rate above 0; got {steps}, {count} and {rate:g}.")
