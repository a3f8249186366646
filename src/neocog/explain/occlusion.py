"""Occlusion: how far a score falls when a part of the input is covered.

Zeiler and Fergus 2013, arXiv:1311.2901, section 4.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import torch
from torch import Tensor, nn

from neocog.core.arithmetic import each_axis
from neocog.core.errors import UsageError
from neocog.explain.entry import entry
from neocog.explain.rest import at_rest
from neocog.explain.target import Target, scores
from neocog.explain.variants import BATCH, settled, target_of, variant_scores

Fill = float | Tensor | None
Box = tuple[slice, ...]


def occlusion(
    module: nn.Module,
    inputs: Tensor,
    *,
    target: Target = None,
    window: int | Sequence[int] | None = None,
    stride: int | Sequence[int] | None = None,
    fill: Fill = None,
    batch_size: int = BATCH,
) -> Tensor:
    """Returns by place (B, ...) how far the score falls, on average over the windows that cover the place.

    ``inputs`` (B, C, ...), or words (B, L), of which embeddings are covered; ``target`` is the class, the predicted one
    of the whole input unless told. ``window`` is the side of what is covered and ``stride`` how far it moves, for all
    axes or one an axis: a sixth and a twelfth of each side unless told; the last windows end with the input. All
    channels are covered at once, with ``fill``: the mean of each sample's channel unless told, a number, or a tensor
    (C,), or of any shape that stretches to (C, ...). ``batch_size`` covered inputs are held at a time.

    Raises UsageError for a window that does not fit, a stride that leaves gaps and a fill that does not fit.
    """
    with at_rest(module):
        where = entry(module, inputs)
        with torch.no_grad():
            logits = where.run(where.values)
        classes = settled(target, logits)
        whole = scores(logits, classes)  # (B,)
        boxes = _boxes(where.values.shape[2:], window, stride)
        fills = _filled(where.values, fill)
        falls = []
        for place, (own, instead) in enumerate(zip(where.values, fills, strict=True)):
            covered = _covered(own, instead, boxes)
            left = variant_scores(module, inputs[place : place + 1], covered, target_of(classes, place), batch_size)
            falls.append(_spread(whole[place] - left, boxes, where.values.shape[2:]))
        return torch.stack(falls)


def _boxes(size: torch.Size, window: int | Sequence[int] | None, stride: int | Sequence[int] | None) -> list[Box]:
    if not size:
        raise UsageError("occlusion covers places, and inputs (B, C) have none.")
    sides = [max(round(side / 6), 1) for side in size] if window is None else _told(window, "window", size)
    steps = [max(round(side / 12), 1) for side in size] if stride is None else _told(stride, "stride", size)
    axes = []
    for side, covered, step in zip(size, sides, steps, strict=True):
        if not 1 <= covered <= side:
            raise UsageError(f"a window should be 1 to {side} of an axis of {side}; got {covered}.")
        if step < 1 or (step > covered and covered < side):
            raise UsageError(
                f"a stride should be 1 to the window's {covered}, so that no place is left out; got {step}."
            )
        moves = -(-(side - covered) // step)  # the last window may hang over the end, where it covers less
        axes.append([slice(move * step, min(move * step + covered, side)) for move in range(moves + 1)])
    return list(product(*axes))


def _told(setting: int | Sequence[int], name: str, size: torch.Size) -> list[int]:
    told = each_axis(setting, len(size))
    if not all(isinstance(each, int) for each in told):
        raise UsageError(f"a {name} is a whole number, or one for each of {len(size)} axes; got {setting!r}.")
    return list(told)


def _filled(values: Tensor, fill: Fill) -> Tensor:
    """Returns what stands in for values (B, C, ...), of their shape."""
    axes = (1,) * (values.dim() - 2)
    if fill is None:
        return values.flatten(2).mean(2).reshape(*values.shape[:2], *axes).expand_as(values)
    given = torch.as_tensor(fill, dtype=values.dtype, device=values.device)
    if given.dim() == 1:
        given = given.reshape(-1, *axes)
    try:
        return given.expand(values.shape[1:]).expand_as(values)
    except RuntimeError:
        raise UsageError(
            f"a fill is a number, one for each of {values.shape[1]} channels, or of shape "
            f"{tuple(values.shape[1:])}; got {tuple(given.shape)}."
        ) from None


def _covered(values: Tensor, fill: Tensor, boxes: list[Box]) -> Iterator[Tensor]:
    for box in boxes:
        changed = values.clone()
        changed[:, *box] = fill[:, *box]
        yield changed


def _spread(falls: Tensor, boxes: list[Box], size: torch.Size) -> Tensor:
    """Returns at each place the mean of the falls (V,) of the boxes that cover it."""
    totals, counts = falls.new_zeros(size), falls.new_zeros(size)
    for fall, box in zip(falls, boxes, strict=True):
        totals[box] += fall
        counts[box] += 1
    return totals / counts
