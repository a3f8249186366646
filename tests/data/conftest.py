"""Pictures made for the tests: a smooth scene with edges, so that blur, shifts and wrong colours all show."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from neocog.data.preprocess import PicturePreprocessing


def scene_array(height: int = 48, width: int = 64, seed: int = 0) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Colour waves of random direction and phase over two rectangles."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    picture = np.zeros((height, width, 3))
    for channel in range(3):
        for _ in range(4):
            fy, fx, phase = rng.uniform(-9, 9), rng.uniform(-9, 9), rng.uniform(0, 6.3)
            picture[..., channel] += np.sin(fy * y * 2 + fx * x * 2 + phase)
    picture = 127 + 30 * picture
    for _ in range(2):
        top, left = rng.integers(0, height // 2), rng.integers(0, width // 2)
        picture[top : top + height // 3, left : left + width // 3] = rng.uniform(0, 255, 3)
    return picture.clip(0, 255).astype(np.uint8)


def encoded(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    """The bytes of a file of this format."""
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


@pytest.fixture
def scene() -> Callable[..., Image.Image]:
    """Makes a scene as Pillow's picture: scene(height, width, seed)."""
    return lambda *arguments: Image.fromarray(scene_array(*arguments))


@pytest.fixture
def save() -> Callable[..., bytes]:
    """Encodes a Pillow picture."""
    return encoded


@pytest.fixture
def photos(tmp_path: Path) -> Callable[..., Path]:
    """Writes class folders of different scenes: photos({"cat": 3, "train/dog": 2}) gives the root."""

    def make(counts: dict[str, int], root: str = "photos", size: tuple[int, int] = (48, 64), start: int = 0) -> Path:
        folder = tmp_path / root
        seed = start
        for name, count in counts.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            for number in range(count):
                seed += 1
                (folder / name / f"{number}.png").write_bytes(encoded(Image.fromarray(scene_array(*size, seed))))
        return folder

    return make


@pytest.fixture
def numbers() -> Callable[..., PicturePreprocessing]:
    """Makes a preprocessing: numbers(size, resize, filter=..., ...)."""

    def make(size: int | tuple[int, int] = 32, resize: int = 36, **options: Any) -> PicturePreprocessing:
        channels = options.pop("channels", 3)
        return PicturePreprocessing(
            (size, size) if isinstance(size, int) else size,
            resize,
            options.pop("filter", "bilinear"),
            options.pop("mean", (0.5, 0.4, 0.3)[:channels]),
            options.pop("std", (0.25, 0.2, 0.5)[:channels]),
            channels,
            **options,
        )

    return make
