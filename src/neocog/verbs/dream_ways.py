"""The ways to dream: from noise with or without tricks, from a picture, back from a picture's features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from neocog.data.preprocess import PicturePreprocessing
from neocog.explain.deepdream import deep_dream
from neocog.explain.inversion import invert_features
from neocog.explain.maximise import Normalisation, OnStep, ascend, maximise, reached
from neocog.explain.objectives import square_norm, total_variation
from neocog.explain.parameterise import Way
from neocog.report.thumbnails import Pixels
from neocog.verbs.dream_wishes import Wish

STEPS = {"maximise": 256, "ascend": 256, "deepdream": 10, "invert": 300}
# The weight of the plain ascent's square norm.
PENALTY = 0.01
# Pictures of a smaller side have few waves to choose from, and come out better made of pixels.
SMALL = 64


class Style(NamedTuple):
    """How dreams of a size are made; ``calm`` (times the pixels) and ``dark`` are weights of a class dream's penalties.

    The one is on its total variation, the other on its square norm.
    """

    parameterisation: Way
    rate: float
    calm: float
    dark: float


OF_SMALL, OF_LARGE = Style("pixels", 0.1, 1.0, 0.002), Style("fourier", 0.05, 25.0, 0.0)


@dataclass(frozen=True)
class Dream:
    """One picture: ``pixels`` uint8 (H, W, C), what it is of, and the objective before and after.

    ``error`` is the relative error of the features, of an inversion, which has no other number.
    """

    words: str
    layer: str | None
    unit: tuple[int, ...] | None
    label: str | None
    pixels: Pixels
    before: float | None
    after: float | None
    error: float | None = None
    file: Path | None = None


@dataclass(frozen=True)
class Job:
    """What all dreams of one call share; ``picture`` (C, H, W) in [0, 1] is what they begin with, if any."""

    network: nn.Module
    preprocessing: PicturePreprocessing
    shape: tuple[int, int, int]
    steps: int
    seed: int
    picture: Tensor | None

    @property
    def normal(self) -> Normalisation:
        """From pictures in [0, 1] to the network's inputs and back."""
        like = next(self.network.parameters(), torch.empty(()))
        return Normalisation(self.preprocessing.mean, self.preprocessing.std, self.shape, like)


def gray(job: Job) -> Tensor:
    """Returns the mean picture (1, C, H, W)."""
    return job.normal.mean.expand(1, *job.shape)


def _maximised(job: Job, wish: Wish, tell: OnStep) -> Dream:
    objective = wish.objective
    style = OF_SMALL if min(job.shape[1:]) < SMALL else OF_LARGE
    if wish.layer is None:  # a class is reached by noise too, which a unit of a lower layer cannot tell from a picture
        objective = objective - style.calm / prod(job.shape[1:]) * total_variation() - style.dark * square_norm()
    first: list[Tensor] = []
    picture = maximise(
        job.network,
        objective,
        job.shape,
        steps=job.steps,
        rate=style.rate,
        parameterisation=style.parameterisation,
        # One unit in its place looks at one region of the picture: moved about, nothing would stay before it.
        transforms=() if wish.unit is not None and len(wish.unit) > 1 else None,
        seed=job.seed,
        mean=job.preprocessing.mean,
        std=job.preprocessing.std,
        on_step=_keeping(first, tell),
    )
    return _dreamt(job, wish, first[0], picture)


def _ascended(job: Job, wish: Wish, tell: OnStep) -> Dream:
    first: list[Tensor] = []
    inputs = ascend(
        job.network,
        wish.objective,
        job.shape,
        steps=job.steps,
        penalty=PENALTY,
        seed=job.seed,
        on_step=_keeping(first, tell),
    )
    return _dreamt(job, wish, first[0], inputs, inputs=True)


def _deep(job: Job, wish: Wish, tell: OnStep) -> Dream:
    assert job.picture is not None
    picture = deep_dream(
        job.network,
        job.picture[None],
        wish.objective,
        steps=job.steps,
        seed=job.seed,
        mean=job.preprocessing.mean,
        std=job.preprocessing.std,
        on_step=tell,
    )
    return _dreamt(job, wish, job.picture[None], picture)


def _inverted(job: Job, wish: Wish, tell: OnStep) -> Dream:
    assert job.picture is not None and wish.layer is not None
    inputs = job.normal(job.picture[None])
    found = invert_features(job.network, inputs, layer=wish.layer, steps=job.steps, seed=job.seed, on_step=tell)
    pixels = _pixels(job.normal.back(found.inputs))
    return Dream(wish.words, wish.layer, None, None, pixels, None, None, error=float(found.error[0]))


WAYS: dict[str, Callable[[Job, Wish, OnStep], Dream]] = {
    "maximise": _maximised,
    "ascend": _ascended,
    "deepdream": _deep,
    "invert": _inverted,
}


def _keeping(first: list[Tensor], tell: OnStep) -> OnStep:
    def told(step: int, score: Tensor, picture: Tensor) -> bool | None:
        if not first:
            first.append(picture)
        return tell(step, score, picture)

    return told


def _dreamt(job: Job, wish: Wish, first: Tensor, last: Tensor, *, inputs: bool = False) -> Dream:
    given = (first, last) if inputs else (job.normal(first), job.normal(last))
    before, after = (float(reached(job.network, wish.objective, each)[0]) for each in given)
    shown = _pixels(job.normal.back(given[1]))
    return Dream(wish.words, wish.layer, wish.unit, wish.name or None, shown, before, after)


def _pixels(picture: Tensor) -> Pixels:
    """Returns a batch of one picture (1, C, H, W) in [0, 1] as uint8 (H, W, C)."""
    scaled = (picture[0] * 255).round().to(torch.uint8).permute(1, 2, 0)
    return np.ascontiguousarray(scaled.cpu().numpy())
