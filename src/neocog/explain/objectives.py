"""What a picture is made to excite: units, channels, layers, classes and penalties, which add and scale.

``unit("c3", 5) + 0.5 * channel("s2", 1) - 0.01 * total_variation()`` is an objective (Olah et al. 2017,
doi:10.23915/distill.00007, "Optimization objectives"; Simonyan et al. 2013, arXiv:1312.6034, section 2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from neocog.core.errors import NetworkError, UsageError
from neocog.core.inputs import check_input
from neocog.core.outputs import primary
from neocog.core.trace import caught, find_layer
from neocog.explain.target import scores


@dataclass(frozen=True)
class Term:
    """One thing that is measured: ``measure`` turns what ``layer`` gives, (B, ...), into a number a sample, (B,).

    Without a layer it measures the network's logits, or the ``picture`` itself, which makes it a penalty.
    """

    name: str
    measure: Callable[[Tensor], Tensor]
    layer: str | None = None
    picture: bool = False


@dataclass(frozen=True)
class Objective:
    """A sum of terms with their weights; add, subtract and scale objectives as numbers."""

    terms: tuple[tuple[float, Term], ...]

    def __add__(self, other: Objective) -> Objective:
        return Objective((*self.terms, *other.terms))

    def __sub__(self, other: Objective) -> Objective:
        return self + -1 * other

    def __neg__(self) -> Objective:
        return -1 * self

    def __mul__(self, factor: float) -> Objective:
        return Objective(tuple((factor * weight, term) for weight, term in self.terms))

    def __rmul__(self, factor: float) -> Objective:
        return self * factor

    def __truediv__(self, divisor: float) -> Objective:
        return self * (1 / divisor)

    def __str__(self) -> str:
        return " + ".join(term.name if weight == 1 else f"{weight:g} {term.name}" for weight, term in self.terms)

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the layers that are looked at, each once."""
        return tuple(dict.fromkeys(term.layer for _, term in self.terms if term.layer is not None))

    def penalty(self, picture: Tensor) -> Tensor:
        """Returns what the terms on the picture (B, C, ...) itself add up to, (B,); zeros where there are none."""
        parts = [weight * term.measure(picture) for weight, term in self.terms if term.picture]
        return sum(parts, picture.new_zeros(len(picture)))


def excitation(module: nn.Module, objective: Objective, inputs: Tensor) -> Tensor:
    """Returns what the objective's terms on the network add up to for inputs (B, C, ...), (B,); penalties left out.

    The network runs once, as it is: within `at_rest`, or wherever the caller wants its gradient.

    Raises NetworkError for a layer that is not there or does not run, and for inputs that the network does not take;
    UsageError for a unit that is not there.
    """
    with caught(module, objective.layers) as seen:
        outputs = _run(module, inputs)
    total = inputs.new_zeros(len(inputs))
    for weight, term in objective.terms:
        if not term.picture:
            layer = term.layer
            looked_at = primary(outputs) if layer is None else _maps(module, layer, seen.activation(layer))
            total = total + weight * term.measure(looked_at)
    return total


def _maps(module: nn.Module, layer: str, maps: Tensor) -> Tensor:
    """Returns a layer's output with its channels behind the batch; dense layers have theirs last."""
    dense = isinstance(find_layer(module, layer), (nn.Linear, nn.LayerNorm, nn.Embedding))
    return maps.movedim(-1, 1) if dense and maps.dim() > 2 else maps


def _run(module: nn.Module, inputs: Tensor) -> Any:
    try:
        # A clone enters the network: its first layer may work in place, which would change the picture.
        return module(inputs.clone())
    except (RuntimeError, ValueError, IndexError) as error:
        if not isinstance(error, torch.OutOfMemoryError):
            check_input(module, inputs.shape[1:])  # says which sizes fit, where the size is what is wrong
        reason = " ".join(str(error).split())[:200]
        raise NetworkError(f"the network fails on inputs {tuple(inputs.shape)}: {reason}") from error


def unit(layer: str, channel: int, place: Sequence[int] | None = None) -> Objective:
    """Returns the activation of one unit: a channel at a place of the layer's maps, in the middle unless told.

    In maps of an even side the middle is the unit right of and below the centre. A dense layer's unit has no place.
    """
    where = None if place is None else tuple(place)
    at = "" if where is None else f" at {','.join(map(str, where))}"
    return _one(Term(f"{layer}:{channel}{at}", partial(_at, channel=channel, place=where), layer))


def channel(layer: str, channel: int) -> Objective:
    """Returns a channel's mean activation over all its places."""
    return _one(Term(f"{layer}:{channel}", lambda maps: _mean(_channel(maps, channel)), layer))


def layer(layer: str) -> Objective:
    """Returns the mean square of all the layer's activations, what DeepDream makes more of."""
    return _one(Term(layer, lambda maps: maps.flatten(1).square().mean(1), layer))


def logit(target: int) -> Objective:
    """Returns a class's logit, before the softmax (Simonyan's S_c); of a map of logits the sum over its places."""
    return _one(Term(f"class {target}", lambda logits: scores(logits, target)))


def direction(layer: str, vector: Tensor, *, place: Sequence[int] | None = None, power: float = 0.0) -> Objective:
    """Returns the layer's activation along a vector (M,), the mean over all places, or at one place.

    With ``power`` p the product is multiplied by max(0.1, cosine)^p at each place, which favours the direction over
    the mere size (Olah et al. 2017, "The space of objectives").
    """
    where = None if place is None else tuple(place)
    along = partial(_along, vector=vector.detach(), place=where, power=power)
    return _one(Term(f"{layer} along a direction", along, layer))


def total_variation() -> Objective:
    """Returns the sum of the magnitudes of differences between neighbouring pixels, a penalty to be subtracted.

    It is taken of the normalised picture, as the network gets it but for the transforms; so is `square_norm`.
    """
    return _one(Term("total variation", _total_variation, picture=True))


def square_norm() -> Objective:
    """Returns the sum of squares of the normalised picture, the penalty ||I||^2 of Simonyan's equation 1."""
    return _one(Term("square norm", lambda picture: picture.flatten(1).square().sum(1), picture=True))


def as_objective(wanted: Objective | str) -> Objective:
    """Returns an objective as it is, and for a layer's name the whole `layer`."""
    return layer(wanted) if isinstance(wanted, str) else wanted


def _one(term: Term) -> Objective:
    return Objective(((1.0, term),))


def _channel(maps: Tensor, channel: int) -> Tensor:
    if maps.dim() < 2 or not 0 <= channel < maps.shape[1]:
        count = maps.shape[1] if maps.dim() > 1 else 0
        raise UsageError(f"the layer has channels 0 to {count - 1}, got {channel}.")
    return maps[:, channel]


def _at(maps: Tensor, channel: int, place: tuple[int, ...] | None) -> Tensor:
    return _placed(_channel(maps, channel), place)


def _placed(maps: Tensor, place: tuple[int, ...] | None) -> Tensor:
    """Returns (B,) or (B, ..., that place of the last axes of maps (B, ...)); the middle where none is told."""
    sizes = tuple(maps.shape[1:])
    place = tuple(size // 2 for size in sizes) if place is None else place
    if len(place) != len(sizes) or not all(0 <= at < size for at, size in zip(place, sizes, strict=True)):
        raise UsageError(
            f"a channel's units lie in {'x'.join(map(str, sizes)) or 'one place'}, counted from 0; got {place}."
        )
    for at in reversed(place):
        maps = maps[..., at]
    return maps


def _along(maps: Tensor, vector: Tensor, place: tuple[int, ...] | None, power: float) -> Tensor:
    if maps.dim() < 2 or vector.dim() != 1 or len(vector) != maps.shape[1]:
        raise UsageError(f"the layer's direction is a vector of {maps.shape[1]} numbers, got {tuple(vector.shape)}.")
    vector = vector.to(maps)
    along = torch.einsum("bm...,m->b...", maps, vector)  # (B, ...)
    if power:
        length = torch.linalg.vector_norm(maps, dim=1) * torch.linalg.vector_norm(vector)
        along = along * (along / length.clamp(min=1e-12)).clamp(min=0.1) ** power
    return _mean(along) if place is None else _placed(along, place)


def _mean(values: Tensor) -> Tensor:
    """Returns each sample's mean (B,) of values (B, ...), a single number of a dense unit as it is."""
    return values.reshape(len(values), -1).mean(1)


def _total_variation(picture: Tensor) -> Tensor:
    parts = [picture.diff(dim=axis).abs().flatten(1).sum(1) for axis in range(2, picture.dim())]
    return sum(parts, picture.new_zeros(len(picture)))
