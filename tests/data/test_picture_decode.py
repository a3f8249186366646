from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from neocog.core.errors import UnreadableInput
from neocog.data.decode import decode, open_picture, with_channels


def colours(raw, **options):
    return decode(raw, **options).permute(1, 2, 0).numpy()


def test_rgb_png_comes_back_exactly(scene, save):
    picture = scene(20, 30)
    assert np.array_equal(colours(save(picture)), np.asarray(picture))


def test_gray_becomes_three_equal_channels_or_one(scene, save):
    gray = scene(20, 30).convert("L")
    assert np.array_equal(colours(save(gray))[..., 1], np.asarray(gray))
    assert np.array_equal(decode(save(gray), channels=1)[0].numpy(), np.asarray(gray))


def test_luma_of_tensors_is_pillows(scene):
    picture = scene(40, 40)
    tensor = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
    assert np.array_equal(with_channels(tensor, 1)[0].numpy(), np.asarray(picture.convert("L")))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(scene, save, orientation):
    upright = np.asarray(scene(24, 40))
    undo = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    stored = Image.fromarray(np.ascontiguousarray(undo[orientation](upright)))  # as the camera's sensor saw it
    exif = Image.Exif()
    exif[0x0112] = orientation
    raw = save(stored, "PNG", exif=exif)
    assert np.array_equal(colours(raw), upright)
    assert np.array_equal(colours(raw, exif=False), np.asarray(stored))
    opened = open_picture(save(stored, "JPEG", quality=95, exif=exif))
    assert (opened.height, opened.width) == (24, 40)
    assert np.abs(opened.pixels().permute(1, 2, 0).numpy().astype(int) - upright).mean() < 6


def test_sixteen_bit_gray_is_scaled_not_clipped(save):
    ramp = np.linspace(0, 65535, 256).round().astype(np.uint16).reshape(16, 16)
    for form in ("PNG", "TIFF"):
        got = decode(save(Image.fromarray(ramp), form), channels=1)[0].numpy()
        assert np.array_equal(got, np.arange(256, dtype=np.uint8).reshape(16, 16))


def test_sixteen_bit_colour_png_is_scaled():
    rows = np.array([[[0, 32768, 65535]]], dtype=">u2")

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    raw = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" + rows.tobytes()))
    assert colours(raw + chunk(b"IEND", b"")).tolist() == [[[0, 128, 255]]]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_places_become_white(save, mode):
    picture = Image.new(mode, (2, 1), (0, 255) if mode == "LA" else (0, 0, 0, 255))
    picture.putpixel((1, 0), (0, 0) if mode == "LA" else (10, 20, 30, 0))
    assert colours(save(picture)).tolist() == [[[0, 0, 0], [255, 255, 255]]]


def test_half_transparent_red_over_white(save):
    assert colours(save(Image.new("RGBA", (1, 1), (255, 0, 0, 128)))).tolist() == [[[255, 127, 127]]]


def test_palettes_with_and_without_transparency(save):
    picture = Image.new("P", (3, 1))
    picture.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    for column in range(3):
        picture.putpixel((column, 0), column)
    assert colours(save(picture)).tolist() == [[[255, 0, 0], [0, 255, 0], [0, 0, 255]]]
    clear = [[[255, 0, 0], [255, 255, 255], [0, 0, 255]]]
    assert colours(save(picture, transparency=1)).tolist() == clear
    assert colours(save(picture, transparency=bytes([255, 0, 255]))).tolist() == clear
    assert colours(save(picture, "GIF", transparency=1)).tolist() == clear


def test_one_bit_is_black_and_white(save):
    bits = Image.new("1", (2, 1))
    bits.putpixel((1, 0), 1)
    for form in ("PNG", "TIFF", "PPM"):
        assert colours(save(bits, form)).tolist() == [[[0, 0, 0], [255, 255, 255]]]


def test_cmyk_jpeg_has_the_colours_of_its_original(scene, save):
    picture = scene(32, 32)
    raw = save(picture.convert("CMYK"), "JPEG", quality=95, subsampling=0)  # Adobe's inverted values, as Photoshop's
    assert b"Adobe" in raw
    assert np.abs(colours(raw).astype(int) - np.asarray(picture)).mean() < 4


def test_lab_tiff_has_the_colours_of_its_original(save):
    lab = Image.new("LAB", (4, 4), (255, 128, 128))
    assert (colours(save(lab, "TIFF")) > 250).all()


def test_floats_in_the_unit_interval_are_scaled_others_refused(save):
    floats = np.array([[0.0, 0.5, 1.0]], dtype=np.float32)
    assert decode(save(Image.fromarray(floats), "TIFF"), channels=1)[0].tolist() == [[0, 128, 255]]
    for wrong in (floats * 2, floats - 1, floats * np.nan):
        with pytest.raises(UnreadableInput, match=r"expected \[0, 1\]"):
            decode(save(Image.fromarray(wrong), "TIFF"))


def test_large_integers_are_refused(save):
    with pytest.raises(UnreadableInput, match="expected \\[0, 65535\\]"):
        decode(save(Image.fromarray(np.array([[70000, 1]], dtype=np.int32)), "TIFF"))


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_the_first_frame_of_an_animation_is_read(save, form):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    options = {"lossless": True} if form == "WEBP" else {}
    raw = save(frames[0], form, save_all=True, append_images=frames[1:], **options)
    assert colours(raw)[0, 0].tolist() == [255, 0, 0]


def test_more_pixels_than_allowed_are_refused_before_decoding(scene, save):
    raw = save(scene(10, 10))
    with pytest.raises(UnreadableInput, match="100 pixels, more than the 99"):
        decode(raw, max_pixels=99)
    assert decode(raw, max_pixels=100).shape == (3, 10, 10)


@pytest.mark.parametrize("side", [10_000, 20_000])  # where Pillow warns, and where it refuses
def test_a_bomb_is_one_refusal_and_no_warning(side):
    bomb = io.BytesIO()
    Image.new("1", (side, side)).save(bomb, "PNG")
    with pytest.raises(UnreadableInput, match="pixels allowed"):
        decode(bomb.getvalue(), max_pixels=90_000_000)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM"])
@pytest.mark.parametrize("part", [0.0, 0.02, 0.3, 0.6, 0.9])
def test_a_cut_file_is_refused_whatever_is_left(scene, save, form, part):
    raw = save(scene(60, 80), form)
    with pytest.raises(UnreadableInput):
        decode(raw[: int(len(raw) * part)])


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_a_cut_jpeg_is_refused_at_every_scale(scene, save, scale):
    raw = save(scene(160, 160), "JPEG")
    with pytest.raises(UnreadableInput, match="truncated"):
        open_picture(raw[: len(raw) * 3 // 4]).pixels(3, scale)


def test_a_png_with_a_flipped_bit_is_refused(scene, save):
    raw = bytearray(save(scene(60, 80)))
    raw[len(raw) // 2] ^= 1
    with pytest.raises(UnreadableInput, match="checksum"):
        decode(bytes(raw))


@pytest.mark.parametrize("raw", [b"hello, this is text", b"GIF89a", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", bytes(1000)])
def test_what_is_no_picture_is_refused(raw):
    with pytest.raises(UnreadableInput):
        decode(raw)


def test_postscript_is_never_run():
    with pytest.raises(UnreadableInput, match="known format"):
        decode(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n")


def test_a_corrupt_exif_block_means_no_orientation_and_no_warning(scene, save):
    raw = save(scene(16, 24), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x09rubbish")
    assert decode(raw).shape == (3, 16, 24)


@pytest.mark.parametrize(
    ("array", "ok"),
    [
        (np.zeros((4, 5), np.uint8), True),
        (np.zeros((4, 5, 1), np.uint8), True),
        (np.zeros((4, 5, 3), np.uint8), True),
        (np.zeros((4, 5, 4), np.uint8), False),
        (np.zeros((4, 5), np.float32), False),
        (np.zeros((0, 5), np.uint8), False),
    ],
)
def test_arrays_of_the_right_kind_only(array, ok):
    if ok:
        assert decode(array).shape == (3, 4, 5)
    else:
        with pytest.raises(UnreadableInput):
            decode(array)


@given(st.sampled_from(["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "TGA"]), st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_damaged_gives_a_picture_or_a_refusal(scene, save, form, data):
    raw = bytearray(save(scene(12, 16), form))
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        picture = decode(bytes(raw), max_pixels=100_000)
    except UnreadableInput:
        return
    assert picture.shape[0] == 3
    assert picture.dtype == torch.uint8
