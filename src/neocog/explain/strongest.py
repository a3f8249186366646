"""Strongest activations: the patches of a data set that excite a unit most (Zeiler and Fergus 2013, section 4.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from neocog.core.errors import NetworkError, UsageError
from neocog.core.trace import caught
from neocog.explain.receptive import Box, Sights
from neocog.explain.rest import at_rest


@dataclass(frozen=True)
class Strongest:
    """One of the samples that excite a channel most: where, how much, and what of the sample its unit sees there.

    ``place`` is on the layer's maps, empty for a dense layer. ``start`` and ``size`` are the unit's receptive field,
    padding included, and ``box`` its part inside the input; all have one number or range an axis of the input, and are
    None where neither theory nor gradients can tell them. Of words, they count words.
    """

    channel: int
    sample: int
    value: float
    place: tuple[int, ...]
    start: tuple[int, ...] | None
    size: tuple[int, ...] | None
    box: Box | None


def strongest_activations(
    module: nn.Module,
    batches: Iterable[Tensor],
    *,
    layer: str,
    units: int | Sequence[int] | None = None,
    count: int = 9,
) -> list[Strongest]:
    """Returns for each unit the ``count`` different samples that excite it most, unit by unit, the strongest first.

    ``batches`` yields inputs (B, C, ...), or words (B, L), also of different sizes, and is gone through once; samples
    are counted through all of them from 0. ``layer`` is a dotted name, ``units`` are channels of it, all unless told. A
    sample counts with its strongest place, the first of equal ones; of equal samples the earlier comes first. There are
    fewer than ``count`` where there are fewer samples.

    Raises NetworkError for a layer that is not there or does not run, and for activations that are not numbers;
    UsageError for units that the layer does not have, a ``count`` below 1, no samples, and batches that are no tensors.
    """
    if count < 1:
        raise UsageError(f"count must be at least 1; got {count}.")
    best: _Best | None = None
    for batch in batches:
        if not isinstance(batch, Tensor):
            raise UsageError(f"batches are tensors of inputs alone, got {type(batch).__name__}; leave labels out.")
        if not len(batch):
            continue
        with at_rest(module), torch.no_grad(), caught(module, [layer]) as seen:
            module(batch.detach().clone())
        maps = seen.activation(layer)  # (B, M, ...)
        best = best or _Best(_channels(units, maps, layer), count)
        best.see(batch, maps)
    if best is None:
        raise UsageError("there are no samples to look for activations in; give at least one batch.")
    with at_rest(module):
        return best.found(module, layer)


def patches(
    inputs: Tensor | Sequence[Tensor] | Mapping[int, Tensor], found: Iterable[Strongest], *, fill: float | None = None
) -> list[Tensor]:
    """Returns the patch (C, ...) that each unit sees, cut out of its sample, in the order of ``found``.

    ``inputs`` gives a sample (C, ...), or words (L), for its number. With ``fill`` patches that reach over the border
    are filled up with it to the receptive field's size, so that all of one layer are of one size.

    Raises UsageError where a receptive field is not known.
    """
    return [_patch(inputs[each.sample], each, fill) for each in found]


class _Best:
    """The best samples of each channel so far, of all that was seen."""

    def __init__(self, channels: Tensor, count: int) -> None:
        self.channels, self.count, self.seen = channels, count, 0
        self.values: Tensor | None = None  # (k, U), and so are the numbers of samples, of places and of shapes
        self.numbers: Tensor | None = None  # (k, U, 3)
        self.shapes: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}
        self.examples: list[Tensor] = []

    def see(self, batch: Tensor, maps: Tensor) -> None:
        """Takes a batch and a layer's maps (B, M, ...) for it into account."""
        shape = (tuple(batch.shape[1:]), tuple(maps.shape[2:]))
        if shape not in self.shapes:
            self.shapes[shape] = len(self.shapes)
            self.examples.append(batch[:1].detach().clone())
        every = self.channels.tolist() == list(range(maps.shape[1]))
        own = maps if every else maps.index_select(1, self.channels)
        flat = own.flatten(2) if own.dim() > 2 else own[:, :, None]
        values, places = flat.max(2)  # (B, U), the first of equal places
        if values.isnan().any():
            sample = self.seen + int(values.isnan().any(1).nonzero()[0])
            raise NetworkError(f"the layer gives numbers that are none (nan) for sample {sample}; leave it out.")
        samples = torch.arange(self.seen, self.seen + len(batch), device=values.device)[:, None].expand_as(places)
        numbers = torch.stack([samples, places, torch.full_like(places, self.shapes[shape])], 2)
        if self.values is not None and self.numbers is not None:
            values, numbers = torch.cat([self.values, values]), torch.cat([self.numbers, numbers])
        # Stable: of equal values the earlier sample stays in front.
        ordered, order = torch.sort(values, dim=0, descending=True, stable=True)
        self.values = ordered[: self.count]
        self.numbers = numbers.gather(0, order[: self.count, :, None].expand(-1, -1, 3))
        self.seen += len(batch)

    def found(self, module: nn.Module, layer: str) -> list[Strongest]:
        """Returns the records, with what each unit sees."""
        assert self.values is not None
        assert self.numbers is not None
        shapes, sights = list(self.shapes), dict[int, Sights]()
        rows = []
        for channel, values, numbers in zip(
            self.channels.tolist(), self.values.T.tolist(), self.numbers.transpose(0, 1).tolist(), strict=True
        ):
            for value, (sample, flat, shape) in zip(values, numbers, strict=True):
                if shape not in sights:
                    sights[shape] = Sights(module, self.examples[shape], layer)
                rows.append(_record(channel, sample, value, unravelled(flat, shapes[shape][1]), sights[shape]))
        return rows


def unravelled(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Returns the place of a number that counts the places of a shape."""
    return tuple(flat // prod(shape[axis + 1 :]) % size for axis, size in enumerate(shape))


def _record(channel: int, sample: int, value: float, place: tuple[int, ...], sights: Sights) -> Strongest:
    sight = sights.at(place)
    start, size, box = (sight.start, sight.size, sight.box) if sight else (None, None, None)
    return Strongest(channel, sample, value, place, start, size, box)


def _channels(units: int | Sequence[int] | None, maps: Tensor, layer: str) -> Tensor:
    if maps.dim() < 2:
        raise NetworkError(f"the layer {layer!r} gives {tuple(maps.shape)}, and units are looked for in (B, M, ...).")
    count = maps.shape[1]
    asked = (
        list(range(count)) if units is None else [units] if isinstance(units, int) else [int(each) for each in units]
    )
    wrong = [unit for unit in asked if not 0 <= unit < count]
    if wrong or not asked:
        raise UsageError(f"the layer {layer!r} has the units 0 to {count - 1}; got {wrong or 'none'}.")
    return torch.tensor(asked, device=maps.device)


def _patch(sample: Tensor, found: Strongest, fill: float | None) -> Tensor:
    if found.box is None or found.start is None or found.size is None:
        raise UsageError(
            f"what unit {found.channel} sees at {found.place} of its layer cannot be told; nothing can be cut out."
        )
    inside: list[Any] = [slice(each.start, each.stop) for each in found.box]
    cut = sample[..., *inside]
    if fill is None:
        return cut
    margins: list[int] = []  # from the last axis to the first, as functional.pad takes them
    for start, size, box in zip(reversed(found.start), reversed(found.size), reversed(found.box), strict=True):
        before = min(max(box.start - start, 0), size)
        margins += [before, size - len(box) - before]
    return functional.pad(cut, margins, value=fill)
