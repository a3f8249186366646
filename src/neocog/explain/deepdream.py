"""DeepDream: a picture changed so that a layer shows more of what it already sees in it (Mordvintsev et al. 2015).

After "Inceptionism: going deeper into neural networks" (Google Research blog) and its notebook: steps of one length up
the gradient of the layer's mean square, on the picture at several sizes, the detail of each carried to the next.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from neocog.core.errors import NetworkError, UsageError
from neocog.core.randomness import generator
from neocog.explain.maximise import Normalisation, Numbers, OnStep, example, refuse_still, steepest
from neocog.explain.objectives import Objective, as_objective, excitation
from neocog.explain.rest import at_rest

_MODES = {1: "linear", 2: "bilinear", 3: "trilinear"}
_MOST_OCTAVES = 4


def deep_dream(
    module: nn.Module,
    start: Tensor,
    objective: Objective | str,
    *,
    octaves: int | None = None,
    ratio: float = 1.4,
    steps: int = 10,
    rate: float = 0.006,
    jitter: int = 16,
    seed: int = 0,
    mean: Numbers = None,
    std: Numbers = None,
    on_step: OnStep | None = None,
) -> Tensor:
    """Returns the pictures ``start`` (B, C, ...) in [0, 1] after dreaming, in [0, 1] and of their shape.

    ``objective`` is a layer's name or one of `neocog.explain.objectives`. There are ``octaves`` sizes, each ``ratio``
    times the one before and the last that of the pictures; 4 unless told, fewer where the network does not take the
    small ones. At each, ``steps`` steps change a pixel by ``rate`` in the mean; they see the picture rolled by up to
    ``jitter`` pixels. The network gets ``(picture - mean) / std``. Samples do not influence each other.

    Raises NetworkError for a layer that is not there and sizes that the network does not take, UsageError for the rest.
    """
    _refuse(start, octaves, ratio, steps, rate, jitter)
    wanted = as_objective(objective)
    with at_rest(module):
        like = example(module)
        picture = start.detach().to(like)
        normal = Normalisation(mean, std, picture.shape[1:], like)
        sizes = _sizes(picture, octaves, ratio, lambda small: excitation(module, wanted, normal(small)))
        detail = torch.zeros_like(_resized(picture, sizes[0]))
        step = 0
        for size in sizes:
            base = _resized(picture, size)
            made = (base + _resized(detail, size)).clamp(0, 1)
            for _ in range(steps):
                step += 1
                made.requires_grad_()
                seen = _rolled(made, jitter, generator(seed, "deep dream", step))
                score, penalty = excitation(module, wanted, normal(seen)), wanted.penalty(normal(made))
                slope = steepest(score, penalty, made)
                refuse_still(step, slope)
                made = made.detach()
                if on_step is not None and on_step(step, (score + penalty).detach(), made) is False:
                    return _resized(made, sizes[-1])
                made = (made + rate * slope / _mean_size(slope)).clamp(0, 1)
            detail = made - base
        return made


def _sizes(
    picture: Tensor, octaves: int | None, ratio: float, run: Callable[[Tensor], Tensor]
) -> list[tuple[int, ...]]:
    """Returns the sizes from small to large; where their number is not told, those that the network takes."""
    asked = _MOST_OCTAVES if octaves is None else octaves
    full = tuple(picture.shape[2:])
    sizes = [tuple(max(1, round(side / ratio**level)) for side in full) for level in range(asked)]
    if octaves is not None:
        return sizes[::-1]
    taken = sizes[:1]
    for size in sizes[1:]:
        try:
            with torch.no_grad():
                run(_resized(picture, size))
        except (NetworkError, UsageError):
            break
        taken.append(size)
    return taken[::-1]


def _resized(picture: Tensor, size: tuple[int, ...]) -> Tensor:
    if tuple(picture.shape[2:]) == size:
        return picture
    smaller = len(size) == 2 and size[0] < picture.shape[2]
    return functional.interpolate(picture, size, mode=_MODES[len(size)], align_corners=False, antialias=smaller)


def _rolled(picture: Tensor, jitter: int, random: Generator) -> Tensor:
    axes = tuple(range(2, picture.dim()))
    by = torch.randint(-jitter, jitter + 1, (len(axes),), generator=random).tolist()
    return picture.roll(by, axes)


def _mean_size(slope: Tensor) -> Tensor:
    """Returns the mean magnitude of each sample's gradient, (B, 1, ...), 1 where there is none."""
    size = slope.flatten(1).abs().mean(1)
    return torch.where(size == 0, torch.ones_like(size), size).reshape(-1, *[1] * (slope.dim() - 1))


def _refuse(start: Tensor, octaves: int | None, ratio: float, steps: int, rate: float, jitter: int) -> None:
    if not start.is_floating_point() or not 3 <= start.dim() <= 5 or not start.numel():
        raise UsageError(f"the start should be floats (B, C, ...), got {start.dtype} {tuple(start.shape)}.")
    low, high = (float(end) for end in start.detach().aminmax())
    if not (low >= 0 and high <= 1):
        raise UsageError(f"the start lies in [0, 1], got {low:g} to {high:g}.")
    if steps < 1 or (octaves is not None and octaves < 1) or not ratio > 1 or not rate > 0 or jitter < 0:
        raise UsageError(
            f"steps and octaves are from 1, ratio above 1, rate above 0, jitter from 0; got {steps}, {octaves}, "
            f"{ratio:g}, {rate:g}, {jitter}."
        )
