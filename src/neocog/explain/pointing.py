"""Does a map point at the thing?  The pointing game, the energy inside boxes, boxes from maps, localisation error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from neocog.core.errors import UsageError
from neocog.core.reference import localisation
from neocog.core.reference.localisation import Box

Boxes = Sequence[Sequence[Box]]


def pointing_game(maps: Tensor, boxes: Boxes, *, tolerance: float = 15) -> Tensor:
    """Returns 1 for each map (B, H, W) whose maximum lies in a box of its picture, or near one, else 0: (B,).

    ``boxes`` are each picture's boxes of the class, in the maps' pixels, edges counted from the left upper corner;
    ``tolerance`` is how many pixels the maximum may lie outside (Zhang et al. 2016, arXiv:1608.00507, section 4.1).
    Where several pixels share the maximum, the result is the share of them that hit: a flat map gets what chance gets.
    The accuracy of a class is the mean over its pictures; the authors then take the mean over the classes.

    Raises UsageError for a picture without a box, and for maps that are not finite.
    """
    _check(maps, boxes)
    hits = []
    for heat, own in zip(maps, boxes, strict=True):
        distance = torch.stack([_distance(heat, box) for box in own]).amin(0)
        hits.append((distance[heat == heat.max()] <= tolerance).double().mean())
    return torch.stack(hits)


def energy_inside(maps: Tensor, boxes: Boxes) -> Tensor:
    """Returns the share (B,), 0 to 1, of what is positive in each map (B, H, W) that lies in the picture's boxes.

    A pixel lies in a box when its centre does. A map with nothing positive has 0 inside (Wang et al. 2020,
    arXiv:1910.01279, section 4.3, "energy-based pointing game").

    Raises UsageError for a picture without a box, and for maps that are not finite.
    """
    _check(maps, boxes)
    shares = []
    for heat, own in zip(maps.double().clamp(min=0), boxes, strict=True):
        inside = torch.stack([_distance(heat, box) == 0 for box in own]).any(0)
        total = heat.sum()
        shares.append(heat[inside].sum() / total if total > 0 else total)
    return torch.stack(shares)


def boxes_from_maps(maps: Tensor, *, threshold: float = 0.15) -> list[Box]:
    """Returns for each map (B, H, W) the box around the largest connected region of at least a share of its maximum.

    Pixels touch at sides and corners; of regions of one size it is the one with the greater sum. A map with nothing
    positive has the whole picture's box (Selvaraju et al. 2016, arXiv:1610.02391, section 4.1).

    Raises UsageError for a threshold outside 0 to 1, and for maps that are not finite.
    """
    from scipy import ndimage  # type: ignore[import-untyped]

    _check(maps, None)
    if not 0 < threshold <= 1:
        raise UsageError(f"threshold should be above 0 and at most 1, a share of the maximum; got {threshold}.")
    found = []
    for heat in maps.detach().double().clamp(min=0).cpu():
        regions, count = ndimage.label((heat >= threshold * heat.max()).numpy(), structure=[[1] * 3] * 3)
        labels = torch.from_numpy(regions).long()
        sizes = torch.bincount(labels.flatten(), minlength=count + 1)
        sums = torch.bincount(labels.flatten(), heat.flatten(), minlength=count + 1)
        best = max(range(1, count + 1), key=lambda each: (int(sizes[each]), float(sums[each])))
        rows, columns = torch.nonzero(labels == best, as_tuple=True)
        found.append(Box(*(float(edge) for edge in (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1))))
    return found


def localisation_error(
    guesses: Sequence[Sequence[tuple[str, Box]]], truth: Sequence[Mapping[str, Sequence[Box]]], *, top: int = 5
) -> float:
    """Returns ILSVRC's localisation error over pictures, 0 to 1: the mean share of true classes that no guess finds.

    ``guesses`` are each picture's (class, box), the surest first, of which ``top`` count; ``truth`` the boxes of each
    class that is in it. A guess finds a class when it names it and overlaps one of its boxes by more than a half
    (Russakovsky et al. 2015, arXiv:1409.0575, section 4.2).

    Raises UsageError for no pictures, a picture without true boxes, and numbers of pictures that differ.
    """
    if len(guesses) != len(truth) or not truth:
        raise UsageError(f"expected guesses and truth for the same pictures, got {len(guesses)} and {len(truth)}.")
    if top < 1:
        raise UsageError(f"top should be at least 1 guess, got {top}.")
    for place, classes in enumerate(truth):
        if not any(classes.values()):
            raise UsageError(f"picture {place} has no true box, so nothing can be found in it; leave it out.")
    errors = [localisation.localisation_error(own[:top], classes) for own, classes in zip(guesses, truth, strict=True)]
    return sum(errors) / len(errors)


def _check(maps: Tensor, boxes: Boxes | None) -> None:
    if maps.dim() != 3 or not maps.numel():
        raise UsageError(f"maps should be (B, H, W), one value a pixel; got {tuple(maps.shape)}.")
    if not maps.isfinite().all():
        raise UsageError("maps should be finite to have a maximum.")
    if boxes is None:
        return
    if len(boxes) != len(maps):
        raise UsageError(f"expected the boxes of {len(maps)} pictures, one list each; got {len(boxes)}.")
    empty = [place for place, own in enumerate(boxes) if not own]
    if empty:
        raise UsageError(f"picture {empty[0]} has no box, so no map can point at it; leave it out.")


def _distance(heat: Tensor, box: Box) -> Tensor:
    """Returns how far the centre of each pixel (H, W) lies outside the box, 0 inside."""
    rows, columns = (torch.arange(size, device=heat.device, dtype=torch.float64) + 0.5 for size in heat.shape)
    beyond = [
        torch.maximum(low - places, places - high).clamp(min=0)
        for places, low, high in ((rows, box.top, box.bottom), (columns, box.left, box.right))
    ]
    return torch.hypot(beyond[0][:, None], beyond[1][None, :])
