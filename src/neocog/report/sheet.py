"""Pictures side by side on one sheet, each with a caption, and the scale of their colours beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from math import ceil, sqrt
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from neocog.core.errors import UsageError
from neocog.report.heat import Scale, colours
from neocog.report.overlay import sized
from neocog.report.svg import INK, MUTED, PAPER
from neocog.report.thumbnails import Pixels

GAP, LETTERS, LINE = 8, 12, 16
BAR = 12
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class Tile:
    """One picture of a sheet, uint8 (h, w, 3), with a line or two of plain text below."""

    pixels: Pixels
    caption: str = ""


def sheet(tiles: Sequence[Tile], *, side: int = 96, columns: int | None = None, scale: Scale | None = None) -> Pixels:
    """Returns the tiles row by row as one picture (H, W, 3) on paper white.

    ``side`` is near the longer side of a tile on the sheet; ``columns`` about square unless told; ``scale`` is drawn as
    a bar on the right. Raises UsageError without tiles.
    """
    if not tiles:
        raise UsageError("a sheet needs at least one picture.")
    drawn = [sized(tile.pixels, side) for tile in tiles]
    across = max(1, min(columns or ceil(sqrt(len(tiles) * 1.6)), len(tiles)))
    texts = [_lines(tile.caption) for tile in tiles]
    width = max([picture.shape[1] for picture in drawn] + [_length(line) for lines in texts for line in lines])
    height = max(picture.shape[0] for picture in drawn)
    step = (width + GAP, height + GAP + LINE * max(len(lines) for lines in texts))
    rows = ceil(len(tiles) / across)
    room = _bar_room(scale) if scale else 0
    canvas = Image.new("RGB", (across * step[0] + GAP + room, rows * step[1] + GAP), PAPER)
    pen = ImageDraw.Draw(canvas)
    for place, (picture, lines) in enumerate(zip(drawn, texts, strict=True)):
        left, top = GAP + place % across * step[0], GAP + place // across * step[1]
        canvas.paste(Image.fromarray(picture), (left, top))
        for number, line in enumerate(lines):
            pen.text((left, top + height + 1 + number * LINE), line, fill=INK, font=_font())
    if scale:
        _bar(canvas, pen, scale, left=across * step[0] + GAP, height=min(canvas.height - 2 * GAP, max(height, 96)))
    return np.asarray(canvas)


def _lines(caption: str) -> list[str]:
    return caption.split("\n") if caption else []


def _bar_room(scale: Scale) -> int:
    return BAR + GAP + 4 + max(_length(short(value)) for value in (scale.low, scale.high))


def _bar(canvas: Image.Image, pen: ImageDraw.ImageDraw, scale: Scale, *, left: int, height: int) -> None:
    """Draws the scale from its end at the top to its beginning at the bottom, with their numbers."""
    column = colours(signed=scale.signed)[::-1][:, None]  # (256, 1, 3)
    canvas.paste(Image.fromarray(np.ascontiguousarray(column)).resize((BAR, height)), (left, GAP))
    marks = [(scale.high, GAP), (scale.low, GAP + height - LETTERS - 2)]
    if scale.signed and height > 4 * LINE:
        marks.append((0.0, GAP + height // 2 - LETTERS // 2 - 1))
    for value, top in marks:
        pen.text((left + BAR + 4, top), short(value), fill=MUTED, font=_font())


def short(value: float) -> str:
    """Returns a number with three digits that count: ``0``, ``-0.0123``, ``4.56``, ``1.2e-5``."""
    if value == 0:
        return "0"
    written = f"{value:.2e}" if abs(value) < 1e-3 else f"{value:.3g}"
    return written.replace(".00e", "e").replace("e-0", "e-").replace("e+0", "e")


def _length(line: str) -> int:
    return ceil(_font().getlength(line))


@cache
def _font() -> Font:
    """Returns the letters that come with matplotlib, so that sheets are the same on every machine."""
    found = find_spec("matplotlib")
    folders = [] if found is None else found.submodule_search_locations or []
    for folder in folders:
        path = Path(folder, "mpl-data", "fonts", "ttf", "DejaVuSans.ttf")
        if path.is_file():
            return ImageFont.truetype(str(path), LETTERS)
    return ImageFont.load_default(LETTERS)
