"""The classical filters, as the courses draw them: fixed kernels laid on a gray image (H, W) by correlation."""

from __future__ import annotations

from typing import Literal

import numpy as np

from neocog.core.arithmetic import same_padding
from neocog.core.reference.arrays import Array
from neocog.core.reference.convolution import correlate

Border = Literal["valid", "zero", "replicate"]

SOBEL_X: Array = np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])  # grows from left to right
SOBEL_Y: Array = SOBEL_X.T  # grows from top to bottom
LOW_PASS: Array = np.array([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]) / 16
HIGH_PASS_VERTICAL: Array = np.array([[1.0, 0.0, -1.0]] * 3)  # answers to vertical edges
HIGH_PASS_HORIZONTAL: Array = HIGH_PASS_VERTICAL.T  # answers to horizontal edges


def filtered(image: Array, kernel: Array, border: Border = "replicate") -> Array:
    """Returns g(x, y) = sum of h(i, j) A(x + i, y + j), the correlation of an image with a kernel.

    Outside the image lie zeros (``"zero"``) or the nearest pixel (``"replicate"``), and the result is (H, W); with
    ``"valid"`` only whole neighbourhoods count, and it is smaller by the kernel less one.
    """
    around = [same_padding(size, taps) for size, taps in zip(image.shape, kernel.shape, strict=True)]
    if border == "replicate":
        image = np.pad(image, around, mode="edge")
    elif border == "zero":
        image = np.pad(image, around)
    return correlate(image, kernel)


def sobel_magnitude(image: Array, border: Border = "replicate") -> Array:
    """Returns G = sqrt(Gx squared + Gy squared), how steeply the image's brightness changes."""
    return np.hypot(filtered(image, SOBEL_X, border), filtered(image, SOBEL_Y, border))
