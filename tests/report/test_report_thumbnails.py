from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from neocog.core.errors import UsageError
from neocog.report.thumbnails import data_uri, exact_uri, thumbnail


def opened(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1])))


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("shape", [(8, 8), (48, 20, 1), (3, 5, 3), (7, 2, 4), (1, 1), (9, 9, 2)])
def test_small_pictures_are_kept_exactly(shape: tuple[int, ...]) -> None:
    picture = noise(*shape)
    assert np.array_equal(np.asarray(opened(data_uri(picture))), picture.squeeze(2) if shape[2:] == (1,) else picture)


@settings(max_examples=25, deadline=None)
@given(height=st.integers(1, 400), width=st.integers(1, 400), channels=st.sampled_from([None, 1, 2, 3, 4]))
def test_no_side_is_longer_than_asked(height: int, width: int, channels: int | None) -> None:
    picture = np.zeros((height, width) if channels is None else (height, width, channels), np.uint8)
    shown = opened(data_uri(picture, side=64))
    assert max(shown.size) == min(64, max(height, width))
    assert min(shown.size) >= 1


def test_transparency_is_shown_over_white() -> None:
    clear = np.zeros((100, 100, 4), np.uint8)
    assert opened(data_uri(clear)).convert("RGB").getextrema() == ((255, 255),) * 3


def test_a_view_of_an_array_is_read_in_its_own_order() -> None:
    picture = noise(6, 4, 3)
    assert np.array_equal(np.asarray(opened(data_uri(picture[::-1, ::2]))), picture[::-1, ::2])


def test_exact_pictures_are_never_shrunk() -> None:
    picture = noise(300, 200)
    assert np.array_equal(np.asarray(opened(exact_uri(picture))), picture)


def test_the_markup_keeps_the_shape_and_escapes_the_words() -> None:
    image = thumbnail(noise(20, 40, 3), 'a "cat"')
    assert 'width="96" height="48"' in image and 'class="px"' in image and "a &quot;cat&quot;" in image
    assert 'width="72" height="96"' in thumbnail(noise(400, 300), "") and "px" not in thumbnail(noise(50, 50), "")[:12]
    assert 'width="1" height="96"' in thumbnail(noise(5000, 1), "")


@pytest.mark.parametrize(
    "picture",
    [np.zeros((4, 4)), noise(4), noise(2, 2, 2, 2), noise(4, 4, 5), np.zeros((0, 4), np.uint8)],
    ids=["float", "line", "batch", "five channels", "empty"],
)
def test_other_arrays_are_refused(picture: np.ndarray) -> None:
    with pytest.raises(UsageError, match="a thumbnail"):
        thumbnail(picture, "")
