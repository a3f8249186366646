from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from neocog.data.decode import RESERVE, decode, open_picture
from neocog.data.preprocess import PicturePreprocessing
from neocog.data.resize import normalise, prepare, preprocess, resize, resized_size


def psnr(first, second):
    error = ((first.float() - second.float()) ** 2).mean().item()
    return 10 * math.log10(255**2 / max(error, 1e-9))


def detailed(seed, height, width):
    """A picture with the detail of a sharp photograph: noise that falls as 1 / frequency, its colours smoother."""
    rng = np.random.default_rng(seed)
    fy, fx = np.meshgrid(np.fft.fftfreq(height), np.fft.rfftfreq(width), indexing="ij")
    frequency = np.maximum(np.hypot(fy, fx), 1 / max(height, width))

    def noise(power):
        plane = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((height, width))) / frequency**power, (height, width))
        return plane / plane.std()

    brightness = 127 + 45 * noise(1.0)
    picture = np.stack([brightness + 25 * noise(1.5) for _ in range(3)], -1)
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize(("filter", "pillow"), [("bilinear", 2), ("bicubic", 3)])
@pytest.mark.parametrize("size", [(20, 30), (70, 90)])
def test_resizing_is_pillows_to_two_grey_levels(scene, filter, pillow, size):
    picture = scene(48, 64)
    tensor = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
    ours = resize(tensor, size, filter).permute(1, 2, 0).numpy().astype(int)
    assert np.abs(ours - np.asarray(picture.resize(size[::-1], pillow))).max() <= 2


@pytest.mark.parametrize("scale", [2, 4, 8])
@pytest.mark.parametrize("odd", [0, 3])
@pytest.mark.parametrize("filter", ["bilinear", "bicubic"])
def test_a_jpeg_decoded_small_is_within_40_db_of_one_decoded_whole(save, numbers, scale, odd, filter):
    """The hardest size for each scale: the largest network input for which it is still used."""
    height, width = 640 - odd, 960 + odd
    raw = save(detailed(scale, height, width), "JPEG", quality=92)
    size = int(height / (scale * RESERVE))
    chosen = numbers(size, size, filter=filter)
    assert open_picture(raw).scale(height / size) == scale
    assert psnr(prepare(raw, chosen), preprocess(decode(raw), chosen)) > 40


def test_a_jpeg_is_decoded_whole_where_little_shrinking_follows(save, scene, numbers):
    raw = save(scene(100, 140), "JPEG")
    chosen = numbers(48, 64)
    assert torch.equal(prepare(raw, chosen), preprocess(decode(raw), chosen))


def test_a_drafted_jpeg_is_turned_upright(save, scene, numbers):
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = scene(400, 300)
    raw = save(upright.transpose(Image.Transpose.ROTATE_90), "JPEG", quality=95, exif=exif)
    chosen = numbers((32, 24), 24)
    expected = preprocess(torch.from_numpy(np.array(upright)).permute(2, 0, 1), chosen)
    assert open_picture(raw).scale(300 / 24) > 1
    assert psnr(prepare(raw, chosen), expected) > 30


@pytest.mark.parametrize(
    ("height", "width", "expected"), [(100, 200, (36, 72)), (200, 100, (72, 36)), (5, 400, (36, 2880))]
)
def test_the_short_side_gets_the_length_asked_for(numbers, height, width, expected):
    assert resized_size(height, width, numbers(32, 36)) == expected


def test_stretching_takes_the_whole_picture(numbers):
    picture = torch.zeros(3, 10, 40, dtype=torch.uint8)
    picture[:, :, 20:] = 200
    got = preprocess(picture, numbers((20, 20), 0))
    assert got.shape == (3, 20, 20)
    assert got[0, 0, 0] == 0
    assert got[0, 0, -1] == 200


def test_the_crop_is_central(numbers):
    picture = torch.arange(6, dtype=torch.uint8).expand(3, 4, 6)
    assert preprocess(picture, numbers(4, 4))[0, 0].tolist() == [1, 2, 3, 4]


def test_padding_is_the_mean_or_the_fill(numbers):
    picture = torch.full((3, 4, 4), 9, dtype=torch.uint8)
    padded = preprocess(picture, numbers(8, 0, pad=2))
    assert padded.shape == (3, 8, 8)
    assert padded[:, 0, 0].tolist() == [128, 102, 76]
    assert (padded[:, 2:6, 2:6] == 9).all()
    assert preprocess(picture, numbers(8, 0, pad=2, fill=7))[:, 0, 0].tolist() == [7, 7, 7]


def test_a_crop_larger_than_the_picture_is_padded(numbers):
    padded = preprocess(torch.full((3, 4, 4), 9, dtype=torch.uint8), numbers(8, 4, fill=0))
    assert padded.shape == (3, 8, 8)
    assert int((padded == 9).sum()) == 3 * 16


@given(
    st.integers(1, 70), st.integers(1, 70), st.sampled_from([0, 9, 16, 40]), st.integers(0, 3), st.sampled_from([1, 3])
)
@settings(max_examples=60, deadline=None)
def test_every_picture_gets_the_networks_size(height, width, short, pad, channels):
    numbers = PicturePreprocessing((16, 12), short, "bilinear", (0.5,) * channels, (0.5,) * channels, channels, pad)
    for stored in (1, 3):
        picture = torch.zeros(stored, height, width, dtype=torch.uint8)
        assert preprocess(picture, numbers).shape == (channels, 16, 12)
        assert preprocess(picture.expand(2, -1, -1, -1), numbers).shape == (2, channels, 16, 12)


def test_a_stack_gives_what_its_pictures_give(numbers):
    stack = torch.randint(0, 256, (5, 3, 20, 31), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    for chosen in (numbers(16, 18), numbers(16, 0, filter="bicubic"), numbers(24, 0, filter="nearest", pad=2)):
        assert torch.equal(preprocess(stack, chosen), torch.stack([preprocess(each, chosen) for each in stack]))


def test_normalising_is_the_formula_and_independent_of_the_batch(numbers):
    batch = torch.randint(0, 256, (7, 3, 5, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    chosen = numbers(5, 0)
    mean, std = torch.tensor(chosen.mean).view(3, 1, 1), torch.tensor(chosen.std).view(3, 1, 1)
    whole = normalise(batch, chosen)
    torch.testing.assert_close(whole, (batch.float() / 255 - mean) / std, rtol=1e-5, atol=1e-6)
    assert all(torch.equal(normalise(batch[i : i + 1], chosen)[0], whole[i]) for i in range(7))
    assert torch.equal(normalise(batch.float(), chosen), whole)


def test_array_and_png_of_one_picture_agree(scene, save, numbers):
    picture = scene(50, 40)
    assert torch.equal(prepare(save(picture), numbers()), prepare(np.asarray(picture), numbers()))
