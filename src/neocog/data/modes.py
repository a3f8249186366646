"""Pillow's picture modes turned into plain RGB or gray, each the right way."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageCms

from neocog.core.errors import UnreadableInput

PREMULTIPLIED = {"La": "LA", "RGBa": "RGBA"}
NUMBERS = ("I", "I;16", "I;16L", "I;16B", "I;16N", "F")


def to_channels(image: Image.Image, channels: int) -> Image.Image:
    """Returns the loaded picture in mode ``L`` (channels 1) or ``RGB`` (channels 3).

    Sixteen bits are scaled, not clipped; transparent places become white; CMYK, palettes and bits become colours.
    Raises UnreadableInput for floats outside [0, 1] and for 32-bit integers, whose range nobody declares.
    """
    if image.mode in NUMBERS:
        image = Image.fromarray(_eight_bits(image))
    elif image.mode == "LAB":
        image = _from_lab(image)
    elif image.has_transparency_data:
        image = _over_white(image)
    mode = "L" if channels == 1 else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _over_white(image: Image.Image) -> Image.Image:
    if image.mode in PREMULTIPLIED:
        image = image.convert(PREMULTIPLIED[image.mode])
    picture = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")


def _from_lab(image: Image.Image) -> Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
    if converted is None:
        raise UnreadableInput("its Lab colours cannot be converted; save it as RGB")
    return converted


def _eight_bits(image: Image.Image) -> np.ndarray[Any, np.dtype[np.uint8]]:
    values = np.asarray(image)
    low, high = float(values.min()), float(values.max())
    if image.mode == "F":
        if not (low >= 0 and high <= 1):
            raise UnreadableInput(f"its floats lie in [{low:g}, {high:g}], expected [0, 1]; save it with 8 or 16 bits")
        return (values * 255 + 0.5).astype(np.uint8)
    if low < 0 or high > 0xFFFF:
        raise UnreadableInput(
            f"its integers lie in [{low:g}, {high:g}], expected [0, 65535]; save it with 8 or 16 bits"
        )
    scaled = ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)  # 65535 = 255 x 257
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        scaled[values == transparent] = 255
    return scaled
