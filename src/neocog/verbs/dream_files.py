"""What ``neocog dream`` leaves: one PNG a dream, a sheet of several, and how each was made as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from neocog.core.errors import ResourceError, UsageError
from neocog.core.files import why_not_written, write_atomically, write_text
from neocog.report.sheet import Tile, sheet, short
from neocog.report.thumbnails import Pixels

if TYPE_CHECKING:
    from neocog.verbs.dream import Dreams
    from neocog.verbs.dream_ways import Dream

SHEET, TABLE = "sheet.png", "dreams.json"
# The sides between which a dream's picture on the sheet is.
SMALL, LARGE = 96, 224


def refuse(out: Path) -> None:
    """Raises UsageError where there is something already, since nothing is ever overwritten, or no such folder."""
    single = _is_file(out)
    for path in (out, out.with_suffix(".json")) if single else (out,):
        empty = not single and not path.is_symlink() and path.is_dir() and not any(path.iterdir())
        if (path.exists() or path.is_symlink()) and not empty:
            raise UsageError(f"{path} exists already and is never overwritten; choose another --out.")
    if not single and out.suffix:
        raise UsageError(f"--out is a folder, or a picture that ends in .png; got {out.name!r}.")
    if single and not out.parent.is_dir():
        raise UsageError(f"--out {out}: there is no folder {out.parent}; make it first.")


def write(out: Path, dreams: Dreams) -> Dreams:
    """Writes into the folder ``out``, or the one picture ``out``, and returns the dreams with their files.

    A single dream is one picture; of several, a file ``out`` gets the sheet.

    Raises UsageError where something is there already and ResourceError where it cannot be written.
    """
    refuse(out)
    if _is_file(out):
        _save(out, dreams.dreams[0].pixels if len(dreams.dreams) == 1 else drawn_sheet(dreams.dreams))
        written = replace(dreams, file=out)
        write_text(out.with_suffix(".json"), _json(written))
        return written
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResourceError(why_not_written(out, error)) from error
    taken: set[str] = set()
    filed = []
    for each in dreams.dreams:
        path = out / _free(each.words, taken)
        _save(path, each.pixels)
        filed.append(replace(each, file=path))
    file = filed[0].file
    if len(filed) > 1:
        file = out / SHEET
        _save(file, drawn_sheet(filed))
    written = replace(dreams, dreams=tuple(filed), file=file)
    write_text(out / TABLE, _json(written))
    return written


def drawn_sheet(dreams: Sequence[Dream]) -> Pixels:
    """Returns the dreams side by side, with what each is of and how far it came, (H, W, 3)."""
    side = min(max(max(each.pixels.shape[:2]) for each in dreams), LARGE)
    tiles = [Tile(_coloured(each.pixels), _caption(each)) for each in dreams]
    return sheet(tiles, side=max(side, SMALL))


def _caption(dream: Dream) -> str:
    if dream.error is not None:
        return f"{dream.words}\nerror {short(dream.error)}"
    assert dream.before is not None
    assert dream.after is not None
    return f"{dream.words}\n{short(dream.before)} → {short(dream.after)}"


def _coloured(pixels: Pixels) -> Pixels:
    return pixels if pixels.shape[2] == 3 else np.repeat(pixels, 3, axis=2)


def _save(path: Path, pixels: Pixels) -> None:
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    write_atomically(path, lambda temporary: image.save(temporary, format="PNG", optimize=True))


def _free(words: str, taken: set[str]) -> str:
    stem = re.sub(r"[^A-Za-z0-9._,-]+", "-", words.replace(":", "_")).strip("-.")[:80] or "dream"
    if SHEET.startswith(f"{stem.lower()}."):
        stem = f"{stem}-1"
    name, number = stem, 2
    while name.lower() in taken:
        name, number = f"{stem}-{number}", number + 1
    taken.add(name.lower())
    return f"{name}.png"


def _is_file(out: Path) -> bool:
    return out.suffix.lower() == ".png"


def _json(dreams: Dreams) -> str:
    return json.dumps(to_json(dreams), indent=1, ensure_ascii=False) + "\n"


def to_json(dreams: Dreams) -> dict[str, Any]:
    """Returns plain values: the model, and of each dream its aim, method, steps, seed, and how far it came."""
    rows = [
        {
            "file": None if each.file is None else each.file.name,
            "layer": each.layer,
            "unit": None if each.unit is None else list(each.unit),
            "class": each.label,
            "size": list(each.pixels.shape[:2]),
            "before": each.before,
            "after": each.after,
            "error": each.error,
        }
        for each in dreams.dreams
    ]
    return {
        "model": dreams.model,
        "network": dreams.network,
        "method": dreams.method,
        "steps": dreams.steps,
        "seed": dreams.seed,
        "picture": dreams.picture,
        "file": None if dreams.file is None else dreams.file.name,
        "dreams": rows,
    }
