"""Bytes of a picture file, or an array, to a uint8 tensor: one way for training, testing and predicting.

A JPEG that will be shrunk anyway is decoded at 1/2, 1/4 or 1/8 of its size (libjpeg's scaled inverse DCT): the rest of
the shrinking is left to the antialiased resize, with `RESERVE` times the wanted resolution still at hand. That comes
within 40 dB (PSNR) of what a full decode gives, closer than the JPEG is to the photograph it was made of.
"""

from __future__ import annotations

import io
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from PIL.Image import Transpose
from torch import Tensor

from neocog.core.errors import UnreadableInput
from neocog.data.modes import to_channels
from neocog.data.preprocess import PicturePreprocessing

Array = np.ndarray[Any, np.dtype[Any]]
Picture = bytes | Array

RESERVE = 1.6
JPEGS = ("JPEG", "MPO")
MAX_PIXELS = PicturePreprocessing.max_pixels
ORIENTATION_TAG = 0x0112
UPRIGHT = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
# Formats that need no other program: EPS would start Ghostscript on an untrusted file.
FORMATS = (
    *("JPEG", "MPO", "PNG", "GIF", "BMP", "DIB", "TIFF", "WEBP"),
    *("AVIF", "PPM", "JPEG2000", "TGA", "PCX", "SGI", "ICO", "QOI"),
)
# What Pillow's readers raise on damaged files, as tried with cut and altered ones.
DAMAGE = (
    *(
        OSError,
        SyntaxError,
        ValueError,
        TypeError,
        LookupError,
        ArithmeticError,
        EOFError,
        AttributeError,
        RuntimeError,
    ),
    *(MemoryError, struct.error, zlib.error),
)
_QUIET = threading.Lock()


class Opened:
    """A picture whose header has been read: its upright ``height`` and ``width``; its pixels on request.

    ``image`` is Pillow's, ``turn`` what makes it upright.
    """

    def __init__(self, image: Image.Image, turn: Transpose | None) -> None:
        self.image = image
        self.turn = turn
        width, height = image.size
        sideways = turn in (Transpose.TRANSPOSE, Transpose.ROTATE_270, Transpose.TRANSVERSE, Transpose.ROTATE_90)
        self.height, self.width = (width, height) if sideways else (height, width)

    def scale(self, shrink: float) -> int:
        """Returns the scale 1, 2, 4 or 8 at which to decode a picture that will then be shrunk ``shrink`` times in all.

        It leaves `RESERVE` times the wanted resolution to the antialiased resize; only a JPEG's is ever above 1.
        """
        if self.image.format not in JPEGS:
            return 1
        return next((scale for scale in (8, 4, 2) if scale * RESERVE <= shrink), 1)

    def pixels(self, channels: int = 3, scale: int = 1) -> Tensor:
        """Returns the picture as uint8 (C, ceil(height / scale), ceil(width / scale)).

        Raises UnreadableInput when the data behind the header is truncated or damaged.
        """
        image = self.image
        try:
            if scale > 1:
                image.draft(None, (image.width // scale, image.height // scale))
            image.load()
            image = to_channels(image, channels)
        except UnreadableInput:
            raise
        except DAMAGE as error:
            raise UnreadableInput(_reason(error)) from error
        image = image if self.turn is None else image.transpose(self.turn)
        return _tensor(image)


def decode(raw: Picture, *, channels: int = 3, exif: bool = True, max_pixels: int = MAX_PIXELS) -> Tensor:
    """Decodes a picture to uint8 (C, H, W), first frame, upright unless ``exif`` is off, transparency over white.

    ``channels`` 1 (ITU-R 601 luma) or 3; an array is (H, W) or (H, W, 1|3) uint8.
    Raises UnreadableInput, whose text is the reason alone: the caller knows the file's name.
    """
    if isinstance(raw, bytes):
        return open_picture(raw, exif=exif, max_pixels=max_pixels).pixels(channels)
    return from_array(raw, channels)


def open_picture(raw: bytes, *, exif: bool = True, max_pixels: int = MAX_PIXELS) -> Opened:
    """Reads a picture's header and refuses more than ``max_pixels`` before anything is decoded.

    Raises UnreadableInput.
    """
    if not raw:
        raise UnreadableInput("the file is empty")
    try:
        with quiet():
            image = Image.open(io.BytesIO(raw), formats=known_formats())
            turn = _orientation(image) if image.format in JPEGS else None
        _refuse_bomb(image, max_pixels)
        if image.format not in JPEGS:
            turn = _load(image, raw)
        return Opened(image, turn if exif else None)
    except UnreadableInput:
        raise
    except Image.DecompressionBombError as error:
        raise UnreadableInput(f"more than the {max_pixels:,} pixels allowed (a decompression bomb?)") from error
    except UnidentifiedImageError as error:
        raise UnreadableInput(f"not a picture in a known format; it begins with {raw[:8]!r}") from error
    except DAMAGE as error:
        raise UnreadableInput(_reason(error)) from error


def from_array(array: Array, channels: int) -> Tensor:
    """Returns (H, W) or (H, W, 1|3) uint8 as a uint8 tensor (C, H, W) with the channels asked for.

    Raises UnreadableInput for other shapes and types.
    """
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3)):
        raise UnreadableInput(f"expected uint8 (H, W) or (H, W, 1|3), got {array.dtype} {array.shape}")
    if 0 in array.shape:
        raise UnreadableInput(f"the picture has no pixels: {array.shape}")
    writable = array if array.flags.writeable else array.copy()  # torch warns of read-only memory
    picture = torch.from_numpy(np.atleast_3d(writable)).permute(2, 0, 1)  # (C, H, W)
    return with_channels(picture, channels)


def with_channels(picture: Tensor, channels: int) -> Tensor:
    """Returns uint8 (..., C, H, W) with 1 channel (ITU-R 601 luma, in Pillow's rounding) or 3."""
    if picture.shape[-3] == channels:
        return picture
    if channels == 3:
        return picture.expand(*picture.shape[:-3], 3, *picture.shape[-2:])
    red, green, blue = picture.to(torch.int32).unbind(-3)
    luma = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16
    return luma.to(torch.uint8).unsqueeze(-3)


def check_png(raw: bytes) -> None:
    """Raises UnreadableInput where a PNG's checksums are wrong or its end is missing, which Pillow lets pass."""
    place = 8
    while place + 12 <= len(raw):
        length, kind = struct.unpack_from(">I4s", raw, place)
        end = place + 8 + length
        if end + 4 > len(raw):
            break
        if zlib.crc32(raw[place + 4 : end]) != struct.unpack_from(">I", raw, end)[0]:
            raise UnreadableInput(f"damaged: a wrong checksum in its {kind.decode('ascii', 'replace')} chunk")
        if kind == b"IEND":
            return
        place = end + 4
    raise UnreadableInput("truncated: the PNG's end is missing")


@cache
def known_formats() -> tuple[str, ...]:
    """Returns those of `FORMATS` that this Pillow can open."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _tensor(image: Image.Image) -> Tensor:
    """Returns an ``L`` or ``RGB`` picture as uint8 (C, H, W); colours stay four bytes apart, as Pillow holds them.

    Repacking them to three would cost more than the fourth byte, which torch's resize wants back (see `resize`).
    """
    size = 4 if image.mode == "RGB" else 1
    memory = bytearray(image.tobytes("raw", "RGBX" if size == 4 else "L"))
    pixels = torch.frombuffer(memory, dtype=torch.uint8).view(image.height, image.width, size)
    return pixels.permute(2, 0, 1)[:3]


@contextmanager
def quiet() -> Iterator[None]:
    """Silences Pillow's warnings: its bomb warning is our error, and a corrupt EXIF block means no orientation."""
    with _QUIET, warnings.catch_warnings():  # the filters belong to the whole process, hence the lock
        warnings.simplefilter("ignore")
        yield


def _load(image: Image.Image, raw: bytes) -> Transpose | None:
    """Decodes what is no JPEG, and returns what makes it upright: a PNG may say so behind its pixels."""
    if image.format == "PNG":
        check_png(raw)
    if image.format != "TIFF":
        image.load()
    with quiet():
        image.load()
        return _orientation(image)


def _refuse_bomb(image: Image.Image, max_pixels: int) -> None:
    pixels = image.width * image.height
    if pixels > max_pixels:
        raise UnreadableInput(
            f"{image.width} x {image.height} is {pixels:,} pixels, more than the {max_pixels:,} pixels allowed"
        )


def _orientation(image: Image.Image) -> Transpose | None:
    if image.format == "TIFF":  # Pillow turns it upright itself
        return None
    try:
        return UPRIGHT.get(image.getexif().get(ORIENTATION_TAG, 1))
    except DAMAGE:
        return None


def _reason(error: BaseException) -> str:
    text = str(error).split("\n")[0] or type(error).__name__
    return f"truncated: {text}" if "truncated" in text.lower() else f"damaged: {text}"
