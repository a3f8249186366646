"""What a unit sees of the input: by theory, as gradients measure it, and what of it counts.

The effective field is the gradient of the unit (Luo et al. 2016, arXiv:1701.04128, section 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from neocog.core.errors import NetworkError, UsageError
from neocog.core.measured import measured_field
from neocog.core.receptive import Fields, receptive_fields
from neocog.core.trace import caught
from neocog.explain.entry import derivatives, entry
from neocog.explain.layers import plain
from neocog.explain.rest import at_rest

# A channel, at its middle place; a place; a channel and a place; None for the middle of all channels.
Unit = int | Sequence[int] | None
Box = tuple[range, ...]


@dataclass(frozen=True)
class Sight:
    """What one unit can see, one number or range an axis of the input.

    ``start`` and ``size`` include padding, ``box`` is the part inside the input. Where theory cannot tell a field, all
    three are of the measured box, which knows no padding.
    """

    start: tuple[int, ...]
    size: tuple[int, ...]
    box: Box


@dataclass(frozen=True, eq=False)
class ReceptiveField:
    """What the unit at a place of a layer sees.

    ``theory`` comes from the layers' kernels, strides, paddings and dilations, ``jump`` with it: how far apart in the
    input two neighbouring units look. Both are None where no one field describes the layer. ``measured`` is the box of
    inputs that gradients reach, None where the network cannot be measured. ``effective`` (B, ...) is the magnitude of
    the unit's own gradient at each place of each input, summed over the input's channels.
    """

    layer: str
    place: tuple[int, ...]
    theory: Sight | None
    jump: tuple[int, ...] | None
    measured: Box | None
    effective: Tensor

    @property
    def box(self) -> Box | None:
        """What is seen of the input: by theory, else as measured, else None."""
        return self.theory.box if self.theory else self.measured


def receptive_field(module: nn.Module, inputs: Tensor, *, layer: str, unit: Unit = None) -> Tensor:
    """Returns a mask (B, ...) of the inputs' places: 1 where a unit of a layer can see, 0 elsewhere.

    Arguments as for `sight`. What it can see is told by theory, and measured where theory cannot tell; it is the same
    for every sample and every channel.

    Raises what `sight` raises, and NetworkError where the field can neither be told nor measured.
    """
    found = sight(module, inputs, layer=layer, unit=unit)
    if found.box is None:
        raise NetworkError(
            f"what {layer!r} can see can neither be told from its layers nor measured; sight(...).effective is the "
            "gradient of a unit at each place."
        )
    mask = torch.zeros_like(found.effective)
    mask[:, *(slice(each.start, each.stop) for each in found.box)] = 1
    return mask


def sight(module: nn.Module, inputs: Tensor, *, layer: str, unit: Unit = None) -> ReceptiveField:
    """Returns what a unit of a layer sees of the inputs (B, C, ...), or of words (B, L).

    ``layer`` is a dotted name. ``unit`` is a place ``(row, column)``, a channel with its place
    ``(channel, row, column)``, or a channel alone, at the middle; without a channel the effective field is that of all
    channels' sum. The default is the middle.

    Raises NetworkError for a layer that is not there or does not run, UsageError for a unit that is not there.
    """
    with at_rest(module):
        where = entry(module, inputs)
        values = where.values.clone().requires_grad_()
        with caught(module, [layer]) as seen:
            where.run(values)
        maps = seen.activation(layer)  # (B, M, ...)
        channel, place = channel_and_place(unit, tuple(maps.shape[1:]))
        at: list[Any] = [slice(None) if channel is None else channel, *place]
        units = maps[:, *at]
        slopes = derivatives(units, [values])[0] if units.requires_grad else torch.zeros_like(values)
        sights = Sights(module, inputs[:1], layer)
        fields = sights.fields(len(place))
        return ReceptiveField(
            layer=layer,
            place=place,
            theory=sights.theory(place),
            jump=tuple(field.jump for field in fields) or None,
            measured=sights.measured(place),
            effective=slopes.abs().sum(1),
        )


class Sights:
    """What the units of one layer see of inputs of one shape, asked for by place; each is worked out once.

    ``sample`` (1, ...) is an input of that shape; the module is at rest.
    """

    def __init__(self, module: nn.Module, sample: Tensor, layer: str) -> None:
        self._module, self._sample, self._layer = plain(module), sample, layer
        self._values = entry(module, sample).values
        self._fields = self._theory()
        self._boxes: dict[tuple[int, ...], Box | None] = {}

    def at(self, place: tuple[int, ...]) -> Sight | None:
        """Returns what the unit at a place sees: by theory, else as measured, else None."""
        theory = self.theory(place)
        box = None if theory else self.measured(place)
        if box is None:
            return theory
        return Sight(tuple(each.start for each in box), tuple(len(each) for each in box), box)

    def fields(self, axes: int) -> Fields:
        """Returns the layer's fields, one an axis; none where its maps have ``axes`` of their own, and not 0."""
        return self._fields if axes in (0, len(self._fields)) else ()

    def theory(self, place: tuple[int, ...]) -> Sight | None:
        """Returns what the unit at a place sees by theory, None where there is none."""
        fields, sizes = self.fields(len(place)), self._values.shape[2:]
        if not fields or len(fields) != len(sizes):
            return None
        units = place or (0,) * len(fields)
        return Sight(
            start=tuple(field.start + unit * field.jump for field, unit in zip(fields, units, strict=True)),
            size=tuple(field.size for field in fields),
            box=tuple(field.inside(unit, size) for field, unit, size in zip(fields, units, sizes, strict=True)),
        )

    def measured(self, place: tuple[int, ...]) -> Box | None:
        """Returns the box that gradients reach from a place, None where the network cannot be measured."""
        if place not in self._boxes:
            self._boxes[place] = self._measure(place)
        return self._boxes[place]

    def _theory(self) -> Fields:
        if not self._sample.is_floating_point():  # tracing ends at the embeddings
            return ()
        try:
            found = receptive_fields(self._module, self._sample.detach().clone())
        except Exception:  # noqa: BLE001 - a network of the user's own may raise anything when it is traced
            return ()
        name, _, call = self._layer.partition("@")
        known = self._layer in found or call != "1"
        return found.get(self._layer if known else name, ())

    def _measure(self, place: tuple[int, ...]) -> Box | None:
        words = not self._sample.is_floating_point()

        def enter(trial: nn.Module) -> Any:
            return entry(trial, self._sample).run if words else trial

        try:
            return measured_field(self._module, self._values, self._layer, place, enter=enter)
        except Exception:  # noqa: BLE001 - nor need it run in double precision, or on ones
            return None


def channel_and_place(unit: Unit, shape: tuple[int, ...]) -> tuple[int | None, tuple[int, ...]]:
    """Returns a unit's channel, None for all, and its place, on maps of ``shape`` (M, ...).

    Raises UsageError for a unit that is not there.
    """
    middle = tuple(size // 2 for size in shape[1:])
    told = [unit] if isinstance(unit, int) else [int(each) for each in unit or ()]
    if unit is None or not told:
        return None, middle
    whole = tuple(told) if len(told) == len(shape) else None
    if whole is None and isinstance(unit, int):
        whole = (unit, *middle)
    place = whole[1:] if whole else tuple(told)
    fits = len(place) == len(shape) - 1 and all(0 <= at < size for at, size in zip(place, shape[1:], strict=True))
    if not fits or (whole and not 0 <= whole[0] < shape[0]):
        raise UsageError(f"the layer's units (channel, place) lie in {'x'.join(map(str, shape))}, from 0; got {unit}.")
    return (whole[0] if whole else None), place
