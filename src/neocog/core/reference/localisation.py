"""The localisation error of ILSVRC (Russakovsky et al. 2015, arXiv:1409.0575, section 4.2).

    e = (1 / n) sum over k of min over i of min over m of max(d(c(i), C(k)), f(b(i), B(k, m)))

with n true classes C(k), which have the boxes B(k, m), and guesses of a class c(i) with a box b(i); d is 0 where the
classes are equal, f is 0 where the boxes overlap by more than a half, else both are 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Box(NamedTuple):
    """A box from its left upper corner to its right lower one, in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """Its area, 0 for a box that is turned inside out."""
        return max(self.right - self.left, 0) * max(self.bottom - self.top, 0)


def overlap(one: Box, other: Box) -> float:
    """Returns the area of the intersection over that of the union, in 0 to 1; 0 where both are empty."""
    shared = Box(
        max(one.left, other.left), max(one.top, other.top), min(one.right, other.right), min(one.bottom, other.bottom)
    ).area
    union = one.area + other.area - shared
    return shared / union if union else 0.0


def localisation_error(guesses: Sequence[tuple[str, Box]], truth: Mapping[str, Sequence[Box]]) -> float:
    """Returns the share, 0 to 1, of an image's true classes that no guess finds.

    A guess finds a class when it names it and overlaps one of its boxes by more than a half; exactly a half is too
    little. ILSVRC allows five guesses.
    """
    missed = [
        min((max(name != label, overlap(box, true) <= 0.5) for name, box in guesses for true in boxes), default=True)
        for label, boxes in truth.items()
    ]
    return sum(missed) / len(missed)
