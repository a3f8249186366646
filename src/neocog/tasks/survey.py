"""A look at some training pictures before anything is decided: how large they are, grey or not, what surrounds them."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor

from neocog.core.errors import DataError, UnreadableInput
from neocog.data.dataset import Part
from neocog.data.decode import Picture, decode

LOOKED_AT = 64


@dataclass(frozen=True)
class Survey:
    """What some training pictures have in common.

    ``height`` and ``width`` are medians in pixels; ``same_size`` whether all that were looked at are of one size;
    ``grey`` whether none of them has colour; ``border`` the median value, 0 to 255, of their outermost pixels;
    ``samples`` the size of the training part.
    """

    height: int
    width: int
    same_size: bool
    grey: bool
    border: int
    samples: int

    @property
    def short_side(self) -> int:
        """The shorter of the two medians."""
        return min(self.height, self.width)


def survey(part: Part[Picture]) -> Survey:
    """Decodes up to 64 evenly spaced pictures of the training part and says what they have in common.

    Raises DataError when none of them can be read.
    """
    count = len(part)
    places = [round(step * (count - 1) / max(1, LOOKED_AT - 1)) for step in range(LOOKED_AT)]
    pictures = [picture for place in dict.fromkeys(places) if (picture := _read(part, place)) is not None]
    if not pictures:
        raise DataError(f"none of {len(set(places))} training pictures could be read; `neocog check` names each fault")
    heights, widths = [int(each.shape[1]) for each in pictures], [int(each.shape[2]) for each in pictures]
    return Survey(
        height=round(median(heights)),
        width=round(median(widths)),
        same_size=len(set(zip(heights, widths, strict=True))) == 1,
        grey=all(_is_grey(picture) for picture in pictures),
        border=round(median(_border(picture) for picture in pictures)),
        samples=count,
    )


def _read(part: Part[Picture], place: int) -> Tensor | None:
    try:
        return decode(part.items.read(place), channels=3)
    except UnreadableInput:
        return None


def _is_grey(picture: Tensor) -> bool:
    return bool(torch.equal(picture[0], picture[1]) and torch.equal(picture[1], picture[2]))


def _border(picture: Tensor) -> float:
    edges = (picture[:, 0], picture[:, -1], picture[:, :, 0], picture[:, :, -1])
    return float(torch.cat([edge.reshape(-1) for edge in edges]).float().median())
