"""What YOLO gives (Redmon et al. 2015, arXiv:1506.02640, section 2): S x S x (5 B + C) numbers.

Each cell of an S x S grid predicts B boxes (x, y, width, height, confidence) and the probabilities of C classes.
"""

from __future__ import annotations

from math import prod


def yolo_shape(grid: int, boxes: int, classes: int) -> tuple[int, int, int]:
    """Returns the shape (S, S, 5 B + C) of the prediction."""
    return grid, grid, 5 * boxes + classes


def yolo_outputs(grid: int, boxes: int, classes: int) -> int:
    """Returns how many numbers that is."""
    return prod(yolo_shape(grid, boxes, classes))
