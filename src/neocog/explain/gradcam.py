"""Grad-CAM: a layer's maps, weighted by what they do for a class (Selvaraju et al. 2016, arXiv:1610.02391)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge
from torch.nn import functional

from neocog.core.errors import NetworkError
from neocog.core.trace import caught
from neocog.explain.entry import entry
from neocog.explain.layers import last_maps
from neocog.explain.rest import at_rest
from neocog.explain.target import Target, scores

_MODES = {1: "linear", 2: "bilinear", 3: "trilinear"}


def grad_cam(
    module: nn.Module, inputs: Tensor, *, target: Target = None, layer: str | None = None, upsample: bool = True
) -> Tensor:
    """Returns the sum of a layer's maps, each weighted by its mean gradient, with what is negative cut off.

    ``inputs`` (B, C, ...), or words (B, L); ``target`` is the class, the predicted one unless told; ``layer`` a dotted
    name, the last with places unless told (`neocog.explain.layers.last_maps`). Returned is (B, ...), at least 0, of the
    input's size by linear interpolation, or of the maps' with ``upsample=False`` (equations 1 and 2).

    Raises NetworkError for a layer that is not there, that has no places or whose places are not those of the input.
    """
    with at_rest(module):
        maps, slopes, size = _maps_and_slopes(module, inputs, target, layer)
        weights = slopes.flatten(2).mean(2)  # (B, M), equation 1
        return enlarged(weighted(maps, weights), size if upsample else None)


def grad_cam_plus_plus(
    module: nn.Module, inputs: Tensor, *, target: Target = None, layer: str | None = None, upsample: bool = True
) -> Tensor:
    """Returns a map as `grad_cam` does, in which places count by themselves, so that every object of a class shows.

    Chattopadhyay et al. 2017, arXiv:1710.11063, equation 12 with the closed form of its equation 19, for a score under
    an exponential, so that its derivatives are powers of the gradient. Their common factor exp(score) is left out: it
    scales a sample's whole map and overflows. Arguments, shapes and errors are those of `grad_cam`.
    """
    with at_rest(module):
        maps, slopes, size = _maps_and_slopes(module, inputs, target, layer)
        totals = maps.flatten(2).sum(2).reshape(*maps.shape[:2], *(1,) * (maps.dim() - 2))  # (B, M, 1, ...)
        # g^2 / (2 g^2 + total g^3) without the powers, which vanish before their ratio does.
        below = 2 + totals * slopes
        shares = torch.where(below == 0, 0.0, 1 / torch.where(below == 0, 1.0, below))  # (B, M, ...), equation 19
        weights = (shares * slopes.clamp(min=0)).flatten(2).sum(2)  # (B, M), equation 5
        return enlarged(weighted(maps, weights), size if upsample else None)


def weighted(maps: Tensor, weights: Tensor) -> Tensor:
    """Returns the sum (B, ...) of maps (B, M, ...) weighted by (B, M), with what is negative cut off."""
    return torch.einsum("bm...,bm->b...", maps, weights).clamp(min=0)


def enlarged(heat: Tensor, size: torch.Size | None) -> Tensor:
    """Returns maps (B, ...) interpolated linearly to ``size``; as they are without one.

    Raises NetworkError where their places are along other axes than those of the input.
    """
    if size is None:
        return heat
    places = _along(tuple(heat.shape[1:]), len(size))
    if len(places) != len(size) or len(size) not in _MODES:
        raise NetworkError(
            f"the layer's maps of {'x'.join(map(str, heat.shape[1:]))} do not lie along the input's axes "
            f"{'x'.join(map(str, size)) or '(none)'}; ask for them as they are with upsample=False."
        )
    shaped = heat.reshape(len(heat), 1, *places)
    return functional.interpolate(shaped, size=size, mode=_MODES[len(size)], align_corners=False).squeeze(1)


def maps_of(caught_maps: Tensor, layer: str) -> Tensor:
    """Returns a layer's output where it is maps (B, M, ...); raises NetworkError for one without places."""
    if caught_maps.dim() < 3:
        made = "x".join(map(str, caught_maps.shape[1:]))
        raise NetworkError(
            f"the layer {layer!r} gives {made or 'single'} numbers without places, and a class activation map needs "
            "maps (M, ...); name a layer before them."
        )
    return caught_maps.detach()


def _maps_and_slopes(
    module: nn.Module, inputs: Tensor, target: Target, layer: str | None
) -> tuple[Tensor, Tensor, torch.Size]:
    """Returns a layer's maps (B, M, ...), the score's derivative at each of their places, and the input's size."""
    name = last_maps(module, inputs) if layer is None else layer
    where = entry(module, inputs)
    values = where.values.clone().requires_grad_()
    with caught(module, [name]) as seen:
        score = scores(where.run(values), target)
    copied = seen.activation(name)
    maps = maps_of(copied, name)
    return maps, _slopes(score, copied), values.shape[2:]


def _slopes(score: Tensor, copied: Tensor) -> Tensor:
    """Returns the derivative of the scores' sum at the activation that was copied, of its shape.

    The copy hangs on the activation as it left its layer, whatever was written over that since. What lies before the
    layer has no part in this backward pass.
    """
    if not score.requires_grad:
        raise NetworkError(
            "no gradient leads from the score back to the layer: the network cuts it (detach, torch.no_grad, a choice "
            "by argmax); remove that, or choose score_cam with a layer."
        )
    node, number = (None, 0) if copied.grad_fn is None else copied.grad_fn.next_functions[0]
    if node is None:  # nothing of the input is in it
        return torch.zeros_like(copied)
    try:
        (slopes,) = torch.autograd.grad(score.sum(), GradientEdge(node, number), allow_unused=True)
    except RuntimeError as error:
        if "inplace operation" not in str(error):
            raise
        raise NetworkError(
            "the network writes over an activation that its gradient needs; make that operation one that is not in "
            "place, or choose score_cam."
        ) from error
    return torch.zeros_like(copied, requires_grad=False) if slopes is None else slopes


def _along(places: tuple[int, ...], axes: int) -> tuple[int, ...]:
    """Returns the places without last axes of one place that are too many: a text's maps may be (L, 1)."""
    while len(places) > axes and places[-1] == 1:
        places = places[:-1]
    return places
