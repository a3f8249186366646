"""What gradient ascent changes in the place of pixels: Fourier coefficients, colours without correlation.

Ascent takes steps along the steepest direction, and which one that is depends on what is called a step: in coordinates
where natural pictures vary alike in all directions, low frequencies and grays move first, and the result looks like a
picture in place of noise (Olah et al. 2017, doi:10.23915/distill.00007, "Preconditioning and parameterization").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

from neocog.core.errors import UsageError
from neocog.core.randomness import generator

Way = Literal["fourier", "pixels"]

# How the colours of ImageNet's pixels vary together: a square root of their covariance (the article's own numbers,
# Lucid's `color.py`), and its largest column, by which it is scaled.
COLOUR_ROOT = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
# The contrast of the noise that a Fourier picture begins with, before the sigmoid.
_NOISE = 0.01
# How far a coefficient's step moves a wave (Lucid's divisor): steps of 0.05 then suit Adam.
_GAIN = 0.25
_DARKEST = 1e-3


class Parameterisation(Protocol):
    """Numbers that make pictures: ``values`` is the leaf to change, (B, ...)."""

    values: Tensor

    def picture(self) -> Tensor:
        """Returns the pictures (B, C, ...) in [0, 1] that the values make now, part of the autograd graph."""
        ...


@dataclass
class Pixels:
    """Each pixel is the sigmoid of a value (B, C, ...)."""

    values: Tensor
    base: Tensor
    colours: bool = False

    def picture(self) -> Tensor:
        """Returns the pictures (B, C, ...) in [0, 1]."""
        return torch.sigmoid(self.base + (_coloured(self.values) if self.colours else self.values))


@dataclass
class Fourier:
    """The picture is the sigmoid of a sum of waves, each weighted by 1 / frequency as in natural pictures.

    ``values`` (B, C, ..., F, 2) are the real and imaginary parts of the coefficients of pictures with ``sizes``.
    """

    values: Tensor
    base: Tensor
    sizes: tuple[int, ...]
    colours: bool = False

    def picture(self) -> Tensor:
        """Returns the pictures (B, C, *sizes) in [0, 1]."""
        axes = tuple(range(2, 2 + len(self.sizes)))
        spectrum = torch.view_as_complex(self.values) * _spectrum(self.sizes, self.values)
        waves = torch.fft.irfftn(spectrum, s=self.sizes, dim=axes, norm="ortho")  # (B, C, ...)
        return torch.sigmoid(self.base + (_coloured(waves) if self.colours else waves))


def parameterise(
    way: Way,
    shape: Sequence[int],
    *,
    count: int = 1,
    seed: int = 0,
    colours: bool | None = None,
    start: Tensor | None = None,
    level: Tensor | None = None,
    like: Tensor | None = None,
) -> Parameterisation:
    """Returns ``count`` pictures (C, ...) to be changed, from gray noise or from pictures ``start`` (B, C, ...).

    ``way`` is ``"fourier"`` or ``"pixels"``. ``colours`` that vary without correlation are for three channels, which
    have them unless told. ``start`` lies in [0, 1]; ``level`` is the gray around which the noise lies, a number or
    (C, 1, ...), 0.5 unless told. A sample's noise depends on ``seed`` and its number alone.
    ``like`` has the type and device wanted.

    Raises UsageError for an unknown way, for decorrelated colours without three channels, and for a start of another
    shape or range.
    """
    if way not in ("fourier", "pixels"):
        raise UsageError(f"a parameterisation is fourier or pixels; got {way!r}.")
    colours = shape[0] == 3 if colours is None else colours
    if colours and shape[0] != 3:
        raise UsageError(f"decorrelated colours are for 3 channels, these pictures have {shape[0]}.")
    like = torch.empty(()) if like is None else like
    sizes = tuple(shape[1:])
    if way == "fourier" and not sizes:
        raise UsageError("a Fourier parameterisation needs an axis besides the channels; choose pixels.")
    base = _logit(torch.full_like(like, 0.5) if level is None else level.to(like))
    if start is None:
        waves = noise(shape, count, seed, like) * _NOISE
    else:
        waves = _before(start, count, shape, like) - base
        waves = _uncoloured(waves) if colours else waves
    if way == "pixels":
        return Pixels(waves.requires_grad_(), base, colours)
    axes = tuple(range(2, 2 + len(sizes)))
    # Noise is drawn as coefficients that are all alike: white before the weights, as a natural picture after them.
    spectrum = torch.fft.rfftn(waves, dim=axes, norm="ortho")
    if start is not None:
        spectrum = spectrum / _spectrum(sizes, waves)
    return Fourier(torch.view_as_real(spectrum).clone().requires_grad_(), base, sizes, colours)


def noise(shape: Sequence[int], count: int, seed: int, like: Tensor) -> Tensor:
    """Returns normal noise (count, *shape), each sample's from the seed and its number alone."""
    drawn = [torch.randn(*shape, generator=generator(seed, "dream", number)) for number in range(count)]
    return torch.stack(drawn).to(like)


def _spectrum(sizes: tuple[int, ...], like: Tensor) -> Tensor:
    """Returns the weight of each wave, one over its frequency; the constant has that of the longest wave."""
    kept = [torch.fft.fftfreq(size, dtype=like.dtype, device=like.device) for size in sizes[:-1]]
    kept.append(torch.fft.rfftfreq(sizes[-1], dtype=like.dtype, device=like.device))
    square = sum(
        (
            each.square().reshape([-1 if axis == place else 1 for axis in range(len(sizes))])
            for place, each in enumerate(kept)
        ),
        torch.zeros((), dtype=like.dtype, device=like.device),
    )
    return _GAIN / square.sqrt().clamp(min=1 / max(sizes))


def _coloured(values: Tensor) -> Tensor:
    """Mixes (B, 3, ...) of independent axes into red, green and blue."""
    return torch.einsum("rc,bc...->br...", _colour_matrix(values), values)


def _colour_matrix(like: Tensor) -> Tensor:
    root: Tensor = like.new_tensor(COLOUR_ROOT)
    largest: Tensor = torch.linalg.vector_norm(root, dim=0).max()
    return root / largest


def _uncoloured(values: Tensor) -> Tensor:
    return torch.einsum("rc,bc...->br...", torch.linalg.inv(_colour_matrix(values)), values)


def _before(start: Tensor, count: int, shape: Sequence[int], like: Tensor) -> Tensor:
    """Returns the values (count, *shape) whose sigmoid is the start."""
    if tuple(start.shape) not in ((count, *shape), (1, *shape), tuple(shape)):
        raise UsageError(f"the start should have the shape {(count, *shape)}, got {tuple(start.shape)}.")
    if not (float(start.min()) >= 0 and float(start.max()) <= 1):
        raise UsageError(f"the start lies in [0, 1], got {float(start.min()):g} to {float(start.max()):g}.")
    return _logit(start.detach().to(like)).expand(count, *shape).clone()


def _logit(values: Tensor) -> Tensor:
    return values.clamp(_DARKEST, 1 - _DARKEST).logit()
