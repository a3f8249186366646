"""Parameterisations: ranges, inverses, spectra, seeds."""

from __future__ import annotations

import pytest
import torch

from neocog.core.errors import UsageError
from neocog.explain.parameterise import parameterise


@pytest.mark.parametrize("way", ["fourier", "pixels"])
@pytest.mark.parametrize("shape", [(3, 9, 7), (1, 8, 8), (5, 6, 6), (2, 13), (1, 5, 4, 3)])
def test_pictures_of_any_channels_and_axes_lie_in_0_to_1_around_the_level(way, shape):
    made = parameterise(way, shape, count=2, level=torch.tensor(0.25))
    made.picture().sum().backward()
    assert made.values.grad is not None
    assert made.values.is_leaf
    picture = made.picture().detach()
    assert picture.shape == (2, *shape)
    assert float(picture.min()) >= 0
    assert float(picture.max()) <= 1
    assert abs(float(picture.mean()) - 0.25) < 0.05


@pytest.mark.parametrize("way", ["fourier", "pixels"])
@pytest.mark.parametrize("shape", [(3, 9, 7), (1, 8, 8), (2, 13)])
def test_a_start_is_the_picture(way, shape):
    start = torch.rand(2, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 0.9 + 0.05
    made = parameterise(
        way, shape, count=2, start=start, level=torch.tensor(0.3), like=torch.empty((), dtype=torch.float64)
    )
    assert torch.allclose(made.picture(), start)


def test_a_samples_noise_depends_on_the_seed_and_its_number_alone():
    one, three = (parameterise("fourier", (3, 8, 8), count=count, seed=4).picture() for count in (1, 3))
    assert torch.equal(one[0], three[0])
    assert not torch.equal(three[1], three[0])
    assert not torch.equal(parameterise("fourier", (3, 8, 8), seed=5).picture(), one)


def test_the_global_generator_is_not_drawn_from():
    before = torch.get_rng_state()
    parameterise("fourier", (3, 8, 8))
    assert torch.equal(torch.get_rng_state(), before)


def test_low_frequencies_weigh_more():
    made = parameterise("fourier", (1, 1, 16))
    slopes = []
    for wave in (1, 4):
        pattern = torch.cos(2 * torch.pi * wave * torch.arange(16) / 16)
        (slope,) = torch.autograd.grad((made.picture() * pattern).sum(), made.values)
        slopes.append(float(slope.abs().amax()))
    assert slopes[0] / slopes[1] == pytest.approx(4, rel=0.05)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"way": "wavelet", "shape": (3, 8, 8)}, "fourier or pixels"),
        ({"way": "pixels", "shape": (1, 8, 8), "colours": True}, "3 channels"),
        ({"way": "fourier", "shape": (4,)}, "choose pixels"),
        ({"way": "pixels", "shape": (1, 2, 2), "start": torch.full((1, 1, 2, 2), 2.0)}, r"\[0, 1\]"),
        ({"way": "pixels", "shape": (1, 2, 2), "start": torch.zeros(1, 1, 3, 2)}, "the shape"),
    ],
)
def test_what_cannot_be_is_refused(arguments, words):
    with pytest.raises(UsageError, match=words):
        parameterise(**arguments)
