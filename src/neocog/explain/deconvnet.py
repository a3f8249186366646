"""Deconvnet: from one unit of a layer back to the pixels that made it fire (Zeiler and Fergus 2013, arXiv:1311.2901).

Their three steps back are the backward pass of the three steps forward, but for the rectifier: a convolution's filters
flipped and applied to the maps above are its backward pass; unpooling by switches is max pooling's, which knows the
winners; and the rectifier lets through what is positive on the way down, whatever it saw on the way up (section 2.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn

from neocog.core.errors import UsageError
from neocog.core.trace import caught
from neocog.explain.entry import entry
from neocog.explain.rest import at_rest
from neocog.explain.rules import backward

# A channel, whose strongest place is taken; a channel and a place; None for the strongest of all.
Unit = int | Sequence[int] | None


def deconvnet(module: nn.Module, inputs: Tensor, *, layer: str, unit: Unit = None) -> Tensor:
    """Returns what of the inputs (B, C, ...) made a layer's unit fire, signed, of the inputs' shape.

    ``layer`` is a dotted name; ``unit`` a channel, of which each sample's strongest place is taken, a channel with a
    place ``(channel, row, column)``, or None for each sample's strongest unit. All other units are zero on the way
    down, and the one begins with its activation.

    A layer in front of the first rectifier is explained by its filters alone; other activations than rectifiers pass on
    their derivative.

    Raises NetworkError for a layer that is not there and where rectifiers cannot be told or all activations are others,
    UsageError for a unit that is not there.
    """
    with at_rest(module):
        where = entry(module, inputs)
        values = where.values.clone().requires_grad_()
        with caught(module, [layer]) as seen:
            where.run(values)
        maps = seen.activation(layer)  # (B, M, ...)
        start = maps.detach() * only(maps, unit)
        return backward(maps, values, lambda outer, _: outer.clamp(min=0), method="deconvnet", weights=start)


def only(maps: Tensor, unit: Unit) -> Tensor:
    """Returns a mask of the maps' shape (B, M, ...) with a single 1 for each sample, at its unit.

    Raises UsageError for a unit that the maps do not have.
    """
    flat = maps.detach().flatten(1)
    shape = tuple(maps.shape[1:])
    if unit is None:
        places = flat.argmax(1)
    else:
        place = (unit,) if isinstance(unit, int) else tuple(unit)
        fits = len(place) in (1, len(shape)) and all(0 <= at < size for at, size in zip(place, shape, strict=False))
        if not fits:
            raise UsageError(f"the layer's units lie in {'x'.join(map(str, shape))}, counted from 0; got {unit}.")
        size = prod(shape[len(place) :])
        first = int(torch.arange(flat.shape[1]).reshape(shape)[place].flatten()[0])
        places = first + flat[:, first : first + size].argmax(1)
    return torch.zeros_like(flat).scatter_(1, places[:, None], 1).reshape(maps.shape)
