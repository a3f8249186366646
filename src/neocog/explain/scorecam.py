"""Score-CAM: a layer's maps, weighted by the score that is left when only what a map shows is seen.

Wang et al. 2019, arXiv:1910.01279.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from neocog.core.errors import UsageError
from neocog.core.trace import caught
from neocog.explain.entry import entry
from neocog.explain.gradcam import enlarged, maps_of, weighted
from neocog.explain.layers import last_maps
from neocog.explain.rest import at_rest
from neocog.explain.target import Target
from neocog.explain.variants import BATCH, settled, target_of, variant_scores


def score_cam(
    module: nn.Module,
    inputs: Tensor,
    *,
    target: Target = None,
    layer: str | None = None,
    channels: int | None = None,
    upsample: bool = True,
    batch_size: int = BATCH,
) -> Tensor:
    """Returns the sum of a layer's maps, each weighted by what the class scores on the input under it as a mask.

    A mask is a map enlarged to the input and scaled to 0 to 1; the weights are the softmax of the scores over the maps
    (algorithm 1; the baseline's score, the same for all, drops out of it). A map that is the same everywhere scales to
    no mask and has no part. ``channels`` is how many maps are taken, those with the greatest sums first, all unless
    told: each costs a forward pass. Arguments, shapes and errors are otherwise those of `grad_cam`; ``batch_size``
    masked inputs are held at a time.

    Raises UsageError for ``channels`` or ``batch_size`` below 1.
    """
    if channels is not None and channels < 1:
        raise UsageError(f"channels must be at least 1; got {channels}.")
    with at_rest(module):
        name = last_maps(module, inputs) if layer is None else layer
        where = entry(module, inputs)
        with caught(module, [name]) as seen, torch.no_grad():
            logits = where.run(where.values)
        classes = settled(target, logits)
        maps, size = maps_of(seen.activation(name), name), where.values.shape[2:]
        heats = []
        for place, (own, values) in enumerate(zip(maps, where.values, strict=True)):
            kept = _kept(own, channels)
            masked = (values * mask for mask in _masks(own[kept], size))
            found = variant_scores(module, inputs[place : place + 1], masked, target_of(classes, place), batch_size)
            heats.append(weighted(own[None, kept], found.softmax(0).to(own.dtype)[None]))
        return enlarged(torch.cat(heats), size if upsample else None)


def _kept(maps: Tensor, channels: int | None) -> Tensor:
    """Returns the numbers of the maps (M, ...) to take, the greatest sum first, without those of one value."""
    flat = maps.flatten(1)
    order = flat.sum(1).argsort(descending=True, stable=True)
    varied = (flat.amax(1) > flat.amin(1))[order]
    return order[varied][:channels]


def _masks(maps: Tensor, size: torch.Size) -> Iterator[Tensor]:
    """Yields each map (h, w) enlarged to the input's size and scaled to 0 to 1."""
    for each in maps:
        mask = enlarged(each[None], size)[0]
        least, most = mask.amin(), mask.amax()
        yield (mask - least) / (most - least) if most > least else torch.zeros_like(mask)
