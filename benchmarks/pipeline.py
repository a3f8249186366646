"""Pictures a second on one core: from JPEG bytes to a uint8 tensor of the network's size, ours against Pillow's way.

Pillow's way is ``Image.open().convert("RGB").resize(..., filter)`` (antialiased, short side), the centre crop, and
``torch.from_numpy``. Both do the same work on the same bytes in turns, one thread, in CPU seconds (``process_time``);
the figure is the median of the repeats with their interquartile range. PSNR compares the two results: above about 40 dB
they differ by less than the JPEG differs from its photograph.

    python benchmarks/pipeline.py --data FOLDER_OF_PHOTOS --out docs/benchmarks/pipeline.md

Without ``--data`` pictures with the spectrum of photographs are made up.
"""

from __future__ import annotations

import argparse
import io
import math
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import PIL
import torch
from PIL import Image, features
from torch import Tensor

from neocog.data.preprocess import PicturePreprocessing
from neocog.data.resize import prepare

SIDE = 224
SIZES = {(500, 375): 1.3, (2000, 1500): 4.0}  # (width, height) and the goal
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


@dataclass(frozen=True)
class Row:
    """One line of the table: rates in pictures per CPU second, (median, lower quartile, upper quartile)."""

    size: tuple[int, int]
    filter: str
    ours: tuple[float, float, float]
    pillow: tuple[float, float, float]
    psnr: float
    worst_psnr: float

    @property
    def ratio(self) -> float:
        """Ours over Pillow's."""
        return self.ours[0] / self.pillow[0]


def pillow_way(raw: bytes, filter: str) -> Tensor:
    """Returns uint8 (3, SIDE, SIDE)."""
    picture = Image.open(io.BytesIO(raw)).convert("RGB")
    factor = SIDE / min(picture.size)
    width, height = round(picture.width * factor), round(picture.height * factor)
    picture = picture.resize((width, height), FILTERS[filter])
    left, top = (width - SIDE) // 2, (height - SIDE) // 2
    picture = picture.crop((left, top, left + SIDE, top + SIDE))
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)


def our_way(raw: bytes, numbers: PicturePreprocessing) -> Tensor:
    """Returns uint8 (3, SIDE, SIDE)."""
    return prepare(raw, numbers)


def photographs(folder: Path | None, count: int) -> list[Image.Image]:
    """Returns pictures to be brought to the sizes under test."""
    if folder is None:
        return [made_up(seed) for seed in range(count)]
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if len(files) < count:
        raise SystemExit(f"{folder} holds {len(files)} pictures, expected at least {count}")
    return [Image.open(files[index * len(files) // count]).convert("RGB") for index in range(count)]


def made_up(seed: int) -> Image.Image:
    """Returns noise of 640 x 480 whose amplitude falls as 1 / frequency, as that of photographs does."""
    rng = np.random.default_rng(seed)
    fy, fx = np.meshgrid(np.fft.fftfreq(480), np.fft.rfftfreq(640), indexing="ij")
    frequency = np.maximum(np.hypot(fy, fx), 1 / 640)
    planes = [np.fft.irfft2(np.fft.rfft2(rng.standard_normal((480, 640))) / frequency, (480, 640)) for _ in range(2)]
    grey, tint = (plane / plane.std() for plane in planes)
    picture = np.stack([127 + 45 * grey + 15 * tint, 127 + 45 * grey, 127 + 45 * grey - 15 * tint], -1)
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))


def jpegs(pictures: list[Image.Image], size: tuple[int, int], quality: int) -> list[bytes]:
    """Returns each picture as a JPEG of this (width, height), with chroma at half resolution as cameras write it."""
    files = []
    for picture in pictures:
        stream = io.BytesIO()
        picture.resize(size, Image.Resampling.LANCZOS).save(stream, "JPEG", quality=quality, subsampling=2)
        files.append(stream.getvalue())
    return files


def rate(work: Callable[[bytes], Tensor], files: list[bytes]) -> float:
    """Returns pictures per CPU second over one pass."""
    start = time.process_time()
    for raw in files:
        work(raw)
    return len(files) / (time.process_time() - start)


def summary(rates: list[float]) -> tuple[float, float, float]:
    low, middle, high = statistics.quantiles(rates, n=4)
    return middle, low, high


def psnr(first: Tensor, second: Tensor) -> float:
    error = float(((first.float() - second.float()) ** 2).mean())
    return 10 * math.log10(255**2 / max(error, 1e-9))


def measure(files: list[bytes], size: tuple[int, int], filter: str, repeats: int) -> Row:
    numbers = PicturePreprocessing((SIDE, SIDE), SIDE, filter, (0.5,) * 3, (0.5,) * 3, 3)
    ways = {"ours": lambda raw: our_way(raw, numbers), "pillow": lambda raw: pillow_way(raw, filter)}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        rate(way, files[:2])
    for repeat in range(repeats):
        for name in sorted(ways, reverse=bool(repeat % 2)):  # in turns, each first in every other repeat
            rates[name].append(rate(ways[name], files))
    alike = [psnr(ways["ours"](raw), ways["pillow"](raw)) for raw in files]
    return Row(size, filter, summary(rates["ours"]), summary(rates["pillow"]), statistics.mean(alike), min(alike))


def table(rows: list[Row], count: int, repeats: int, source: str) -> str:
    """Returns the results as Markdown."""
    lines = [
        "| JPEG | filter | neocog, pictures/CPU s | Pillow, pictures/CPU s | ratio | goal | PSNR mean (worst) |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        ours, pillow = (f"{middle:.0f} ({low:.0f} to {high:.0f})" for middle, low, high in (row.ours, row.pillow))
        lines.append(
            f"| {row.size[0]} x {row.size[1]} | {row.filter} | {ours} | {pillow} | {row.ratio:.2f} "
            f"| {SIZES[row.size]:.1f} | {row.psnr:.1f} dB ({row.worst_psnr:.1f} dB) |"
        )
    turbo = "libjpeg-turbo" if features.check_feature("libjpeg_turbo") else "libjpeg"
    versions = f"Python {platform.python_version()}, torch {torch.__version__}, Pillow {PIL.__version__} ({turbo})"
    return "\n".join(
        [
            "# The JPEG pipeline",
            "",
            *lines,
            "",
            f"Short side to {SIDE}, centre crop of {SIDE} x {SIDE}, uint8 tensor; one thread. Median and quartiles of "
            f"{repeats} interleaved repeats over {count} pictures ({source}).",
            f"{versions}; {processor()}, {torch.backends.cpu.get_cpu_capability()}.",
            "",
        ]
    )


def processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of photographs; without it pictures are made up")
    parser.add_argument("--count", type=int, default=24, help="pictures of each size")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--quality", type=int, default=90, help="JPEG quality of the files under test")
    parser.add_argument("--out", type=Path, help="also write the Markdown table here")
    options = parser.parse_args()
    torch.set_num_threads(1)
    pictures = photographs(options.data, options.count)
    rows = [
        measure(files, size, filter, options.repeats)
        for size in SIZES
        for files in [jpegs(pictures, size, options.quality)]
        for filter in FILTERS
    ]
    source = (
        "made up, with the spectrum of photographs"
        if options.data is None
        else f"photographs of {options.data.name} resized"
    )
    text = table(rows, options.count, options.repeats, f"{source}, JPEG quality {options.quality}")
    print(text)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text)
    missed = [row for row in rows if row.ratio < SIZES[row.size]]
    for row in missed:
        print(f"goal missed: {row.size}, {row.filter}: {row.ratio:.2f} of {SIZES[row.size]}", file=sys.stderr)


if __name__ == "__main__":
    main()
