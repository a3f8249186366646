"""What is peculiar about one stored picture: everything that `neocog check` can see in a file alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
from torch import Tensor

from neocog.core.errors import UnreadableInput
from neocog.data.decode import DAMAGE, JPEGS, MAX_PIXELS, Array, Opened, Picture, from_array, open_picture, quiet
from neocog.data.likeness import SIDE, perceptual_hash
from neocog.data.modes import NUMBERS
from neocog.data.resize import resize

SUFFIX_FORMATS = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), JPEGS),
    **dict.fromkeys((".tif", ".tiff"), ("TIFF",)),
    **dict.fromkeys((".ppm", ".pgm", ".pbm", ".pnm"), ("PPM",)),
    **dict.fromkeys((".jp2", ".j2k"), ("JPEG2000",)),
    **dict.fromkeys((".bmp", ".dib"), ("BMP", "DIB")),
    **{f".{name.lower()}": (name,) for name in ("PNG", "GIF", "WEBP", "AVIF", "TGA", "PCX", "SGI", "ICO", "QOI")},
}
GRAY_MODES = ("1", "L", "LA", "La", *NUMBERS)
SMALLEST_SIDE = 32  # below, pictures of one kind (handwritten ones) resemble each other as much as copies do
# How a reason for refusal begins, or what it contains, and the kind of finding that it is; the first that fits.
REFUSALS = (("pixels allowed", "bomb"), ("truncated", "truncated"), ("", "corrupt"))


@dataclass(frozen=True)
class Facts:
    """One picture: (kind, detail) of each peculiarity, its size, its hash and thumbnail (SIDE, SIDE)."""

    peculiar: tuple[tuple[str, str], ...]
    readable: bool
    height: int = 0
    width: int = 0
    hash: int | None = None
    thumbnail: Array | None = None


def inspect(raw: Picture, name: str, *, max_pixels: int = MAX_PIXELS, near: bool = True) -> Facts:
    """Examines one picture as stored, which is called ``name``; never raises for what is wrong with it."""
    try:
        if not isinstance(raw, bytes):
            picture = from_array(raw, 1)
            return _facts([], picture, picture.shape[-2], picture.shape[-1], near)
        opened = open_picture(raw, max_pixels=max_pixels)
        peculiar = _peculiarities(opened, raw, name)
        scale = opened.scale(min(opened.height, opened.width) / SIDE)
        return _facts(peculiar, opened.pixels(1, scale), opened.height, opened.width, near)
    except UnreadableInput as error:
        return refused(str(error))


def refused(reason: str) -> Facts:
    """Returns the facts of a picture that cannot be read."""
    return Facts(((next(kind for words, kind in REFUSALS if words in reason), reason),), readable=False)


def _facts(peculiar: list[tuple[str, str]], grey: Tensor, height: int, width: int, near: bool) -> Facts:
    if not near or min(height, width) < SMALLEST_SIDE:
        return Facts(tuple(peculiar), True, height, width)
    thumbnail = resize(grey, (SIDE, SIDE), "bilinear")[0]
    return Facts(tuple(peculiar), True, height, width, perceptual_hash(thumbnail), np.asarray(thumbnail))


def _peculiarities(opened: Opened, raw: bytes, name: str) -> list[tuple[str, str]]:
    image = opened.image
    found: list[tuple[str, str]] = []
    suffix = PurePath(name).suffix.lower()
    if image.format not in SUFFIX_FORMATS.get(suffix, (image.format,)):
        found.append(("extension", f"called {suffix}, is {image.format}"))
    if opened.turn is not None:
        found.append(("rotated", f"EXIF asks for {opened.turn.name.lower().replace('_', ' ')}"))
    if image.mode in GRAY_MODES:
        found.append(("gray", f"mode {image.mode}"))
    if image.mode in ("P", "PA"):
        found.append(("palette", f"mode {image.mode}"))
    if image.has_transparency_data:
        found.append(("transparent", f"mode {image.mode}"))
    if image.mode == "CMYK":
        found.append(("cmyk", f"{image.format} for printing"))
    if image.mode in NUMBERS or _sixteen_bits(opened, raw):
        found.append(("16-bit", f"mode {image.mode}"))
    frames = _frames(opened)
    if frames > 1:
        found.append(("animated", f"{frames} frames"))
    return found


def _frames(opened: Opened) -> int:
    """Returns the number of frames or pages; further pictures in a JPEG are previews, and damaged ones do not count."""
    if opened.image.format in JPEGS:
        return 1
    try:
        with quiet():
            return int(getattr(opened.image, "n_frames", 1))
    except DAMAGE:
        return 1


def _sixteen_bits(opened: Opened, raw: bytes) -> bool:
    """Colours of 16 bits, which Pillow reads as 8: told by the PNG header's bit depth or the TIFF's bits a sample."""
    if opened.image.format == "PNG":
        return raw[24] == 16
    if opened.image.format == "TIFF":
        bits = opened.image.tag_v2.get(258, (8,))  # type: ignore[attr-defined]  # of TiffImageFile
        return bool(max(bits) == 16)
    return False
