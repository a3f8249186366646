"""Does a map name the places that count?  Deletion and insertion (Petsiuk et al. 2018, arXiv:1806.07421, section 4.3).

Places are taken away, or put into an empty input, in the order of the map, and the probability of the class is watched.
A map that is right about the network brings it down soon, and up soon.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from neocog.core.errors import UsageError
from neocog.core.randomness import generator
from neocog.explain.entry import entry, mixing_layer
from neocog.explain.rest import at_rest
from neocog.explain.target import Target, chosen, of_classes, scores

# What stands where a place was taken away: each channel's mean, a blurred copy, one number, or values to broadcast.
Fill = Literal["mean", "blur"] | float | Tensor
# The blur's deviation is the longest side divided by this: about 11 pixels of 224, so that nothing is left to see.
BLUR = 20


@dataclass(frozen=True)
class Removal:
    """The probability of the class while places go or come.

    ``shares`` (S,) of the places that were taken away (deletion) or put in (insertion), 0 to 1; ``curve`` (B, S) the
    probabilities; ``area`` (B,) under the curve, 0 to 1; ``chance`` (B,) the mean area of random orders, NaN where none
    was asked for. ``gain`` (B,) is by how much the map does better than chance: above 0 is better, for both.
    """

    shares: Tensor
    curve: Tensor
    area: Tensor
    chance: Tensor
    gain: Tensor


def deletion(
    module: nn.Module,
    inputs: Tensor,
    maps: Tensor,
    *,
    target: Target = None,
    fill: Fill = "mean",
    among: Tensor | None = None,
    steps: int = 32,
    orders: int = 3,
    seed: int = 0,
    batch_size: int = 32,
) -> Removal:
    """Returns the probability while the places of the highest map values are replaced first; a small area is good.

    ``inputs`` (B, C, ...), or words (B, L); ``maps`` (B, ...) without channels. ``fill`` replaces places: the mean of
    each channel, a blurred input, a number, or a tensor that broadcasts to (B, C, ...). ``among`` (...) are the places
    that take part, as truth values, all unless told; the others stay. ``steps`` is in how many equal steps they go,
    ``orders`` how many random orders, drawn with ``seed``, are measured beside the map's; of places with equal values
    such an order decides. ``target`` is the class, the one predicted for the whole input unless told, or a function
    from logits to (B,) values, which then take the place of probabilities.

    Raises UsageError for maps that do not fit the inputs or are not finite, and where no place takes part.
    """
    watched = _Watched(module, inputs, target, steps, batch_size)
    ways = _Orders(maps, watched.values, among, _random(orders, seed))
    return _removal(watched, ways, watched.values, _filled(watched.values, fill), better=-1)


def insertion(
    module: nn.Module,
    inputs: Tensor,
    maps: Tensor,
    *,
    target: Target = None,
    fill: Fill = "blur",
    among: Tensor | None = None,
    steps: int = 32,
    orders: int = 3,
    seed: int = 0,
    batch_size: int = 32,
) -> Removal:
    """Returns the probability while the places of the highest map values are put in first; a large area is good.

    ``fill`` is what the input starts as; the other arguments and the errors are those of `deletion`.
    """
    watched = _Watched(module, inputs, target, steps, batch_size)
    ways = _Orders(maps, watched.values, among, _random(orders, seed))
    return _removal(watched, ways, _filled(watched.values, fill), watched.values, better=1)


class _Orders:
    """The places (B, P') that take part in the order of the maps (``own``), and in random orders (``random``)."""

    def __init__(self, maps: Tensor, values: Tensor, among: Tensor | None, random: list[torch.Generator]) -> None:
        heat = _checked(maps, values)  # (B, P)
        places = _among(among, values)  # (P',)
        *orders, ties = (places[torch.randperm(len(places), generator=each).to(places.device)] for each in random)
        # Equal values go in a random order, the same for each sample: from left to right would favour the left.
        self.own = ties[heat[:, ties].argsort(dim=1, descending=True, stable=True)]
        self.random = [each.expand_as(self.own) for each in orders]


def _removal(watched: _Watched, ways: _Orders, first: Tensor, last: Tensor, *, better: int) -> Removal:
    """Goes from ``first`` to ``last`` (B, C, ...) in the order of the maps, and in random orders."""
    shares, curve = watched.curve(first, last, ways.own)
    area = torch.trapezoid(curve, shares)
    areas = [torch.trapezoid(watched.curve(first, last, each)[1], shares) for each in ways.random]
    chance = torch.stack(areas).mean(0) if areas else torch.full_like(area, torch.nan)
    return Removal(shares, curve, area, chance, better * (area - chance))


class _Watched:
    """A network, its inputs and the class of each that is watched."""

    def __init__(self, module: nn.Module, inputs: Tensor, target: Target, steps: int, batch_size: int) -> None:
        if steps < 1 or batch_size < 1:
            raise UsageError(f"steps and batch_size should be at least 1, got {steps} and {batch_size}.")
        self._module, self._inputs, self._steps = module, inputs.detach(), steps
        self._batch = batch_size if mixing_layer(module) is None else 1
        with at_rest(module), torch.no_grad():
            where = entry(module, self._inputs)
            self.values = where.values  # (B, C, ...)
            logits = where.run(self.values)
        self._target = target if callable(target) else chosen(of_classes(logits), target)

    def curve(self, first: Tensor, last: Tensor, order: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the shares (S,) and the probabilities (B, S) while places of ``first`` become those of ``last``."""
        samples, places = order.shape
        counts = torch.linspace(0, places, self._steps + 1, dtype=torch.float64).round().long()
        counts = torch.unique(counts)
        every = order.new_full((samples, first.shape[2:].numel()), places)  # places that take no part never go
        ranks = every.scatter_(1, order, torch.arange(places, device=order.device).expand_as(order))
        pairs = torch.cartesian_prod(torch.arange(samples), torch.arange(len(counts)))
        found = []
        with at_rest(self._module), torch.no_grad():
            for sample, step in (chunk.unbind(1) for chunk in torch.split(pairs, self._batch)):
                gone = ranks[sample] < counts[step, None].to(ranks.device)  # (R, P)
                gone = gone.reshape(len(sample), 1, *first.shape[2:])
                mixed = torch.where(gone, last[sample], first[sample])
                found.append(self._probabilities(entry(self._module, self._inputs[sample]).run(mixed), sample))
        return counts.double() / places, torch.cat(found).reshape(samples, len(counts))

    def _probabilities(self, logits: Tensor, sample: Tensor) -> Tensor:
        if callable(self._target):
            return scores(logits, self._target).double().cpu()
        totals = of_classes(logits).double()
        # A single output is a yes or no, whose softmax would be 1 whatever comes.
        chances = totals.softmax(1) if totals.shape[1] > 1 else totals.sigmoid()
        asked = self._target.to(chances.device)[sample.to(chances.device)]
        return chances.gather(1, asked[:, None]).squeeze(1).cpu()


def _random(orders: int, seed: int) -> list[torch.Generator]:
    """Returns a generator for each random order, and one more for ties."""
    if orders < 0:
        raise UsageError(f"orders should be 0 or more, got {orders}.")
    return [*(generator(seed, "order", place) for place in range(orders)), generator(seed, "ties")]


def _checked(maps: Tensor, values: Tensor) -> Tensor:
    """Returns the maps as (B, P), one value a place."""
    wanted = (len(values), *values.shape[2:])
    if values.dim() < 3:
        raise UsageError(
            f"places are taken away along the axes behind the channels, and {tuple(values.shape)} has none."
        )
    if tuple(maps.shape) != wanted:
        raise UsageError(
            f"maps should have one value a place, {wanted} for these inputs, got {tuple(maps.shape)}; "
            "sum an attribution, or its magnitude, over the channels first."
        )
    if not maps.isfinite().all():
        raise UsageError("maps should be finite to be put in an order.")
    return maps.detach().flatten(1).to(values.device)


def _among(among: Tensor | None, values: Tensor) -> Tensor:
    """Returns the flat places that take part."""
    if among is None:
        return torch.arange(values.shape[2:].numel(), device=values.device)
    if among.shape != values.shape[2:] or among.dtype != torch.bool or not among.any():
        raise UsageError(
            f"among should be truth values {tuple(values.shape[2:])}, some of them true, got {among.dtype} "
            f"{tuple(among.shape)}."
        )
    return among.flatten().nonzero().flatten().to(values.device)


def _filled(values: Tensor, fill: Fill) -> Tensor:
    """Returns what stands in for the values (B, C, ...), of their shape."""
    if isinstance(fill, Tensor):
        try:
            return fill.to(values).expand_as(values)
        except RuntimeError as error:
            raise UsageError(f"fill should broadcast to {tuple(values.shape)}, got {tuple(fill.shape)}.") from error
    if isinstance(fill, str):
        if fill not in ("mean", "blur"):
            raise UsageError(f"fill is mean, blur, a number or a tensor; got {fill!r}.")
        return blurred(values) if fill == "blur" else _means(values)
    return torch.full_like(values, float(fill))


def _means(values: Tensor) -> Tensor:
    return values.mean(tuple(range(2, values.dim())), keepdim=True).expand_as(values)


def blurred(values: Tensor) -> Tensor:
    """Returns values (B, C, ...) through a Gaussian along each axis, of a 20th of the longest; edges are repeated."""
    deviation = max(values.shape[2:]) / BLUR
    reach = math.ceil(3 * deviation)
    weights = torch.exp(-torch.arange(-reach, reach + 1, dtype=torch.float64).square() / (2 * deviation**2))
    kernel = (weights / weights.sum()).to(values)[None, None]
    for axis in range(2, values.dim()):
        lines = values.movedim(axis, -1)
        padded = functional.pad(lines.reshape(-1, 1, lines.shape[-1]), (reach, reach), mode="replicate")
        values = functional.conv1d(padded, kernel).reshape(lines.shape).movedim(-1, axis)
    return values
