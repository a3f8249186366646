"""Small pictures inside the page: arrays become data URIs, so that a report is one file."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from neocog.core.errors import UsageError
from neocog.report.markup import Html, text

LARGEST_SIDE = 96
LOSSLESS_SIDE = 48
Pixels = NDArray[np.uint8]


def data_uri(picture: Pixels, *, side: int = LARGEST_SIDE) -> str:
    """Returns the picture as a ``data:`` URI, no side longer than ``side`` pixels.

    ``picture`` is uint8, (H, W) or (H, W, C) with C 1 (gray), 2 (gray, alpha), 3 (RGB) or 4 (RGBA). Up to 48 pixels it
    is kept exactly (PNG), beyond that as JPEG over white. Raises UsageError for another type or shape.
    """
    image = _image(picture)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    if max(image.size) <= LOSSLESS_SIDE:
        return _encoded(image, "png", optimize=True)
    return _encoded(_over_white(image), "jpeg", quality=80, optimize=True)


def exact_uri(picture: Pixels) -> str:
    """Returns the picture as a PNG ``data:`` URI, pixel for pixel; shapes as in `data_uri`."""
    return _encoded(_image(picture), "png", optimize=True)


def thumbnail(picture: Pixels, alt: str) -> Html:
    """Returns an ``<img>`` at most 96 pixels a side on the page; pictures smaller than 48 pixels show their pixels.

    ``alt`` is plain text, empty where the words beside the picture say it already.
    """
    uri = data_uri(picture)
    height, width = picture.shape[:2]
    scale = LARGEST_SIDE / max(height, width, 1)
    shown = f'width="{max(1, round(width * scale))}" height="{max(1, round(height * scale))}"'
    kind = ' class="px"' if max(height, width) <= LOSSLESS_SIDE else ""
    return Html(f'<img{kind} src="{uri}" alt="{text(alt)}" {shown}>')


def _image(picture: NDArray[Any]) -> Image.Image:
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or picture.size == 0:
        raise UsageError(f"a thumbnail needs uint8 (H, W) or (H, W, C), not {picture.dtype} {picture.shape}")
    squeezed = picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture
    if squeezed.ndim == 3 and squeezed.shape[2] not in (2, 3, 4):
        raise UsageError(f"a thumbnail has 1 to 4 channels in its last dimension, not {picture.shape}")
    return Image.fromarray(np.ascontiguousarray(squeezed))


def _over_white(image: Image.Image) -> Image.Image:
    if image.mode not in ("LA", "RGBA"):
        return image
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return white.convert("RGB")


def _encoded(image: Image.Image, form: str, **options: Any) -> str:
    written = io.BytesIO()
    image.save(written, form, **options)
    return f"data:image/{form};base64,{base64.b64encode(written.getvalue()).decode('ascii')}"
