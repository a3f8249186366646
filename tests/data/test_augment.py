from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neocog.core.recipe import Augmentation
from neocog.data.augment import (
    CROP_DRAWS,
    augment_batch,
    crop_box,
    crop_resize,
    erase,
    flip,
    jitter,
    shift,
)
from neocog.data.resize import resize


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def pictures(count=6, channels=3, side=16, seed=0):
    return torch.randint(0, 256, (count, channels, side, side), dtype=torch.uint8, generator=seeded(seed))


@given(
    st.integers(1, 300),
    st.integers(1, 300),
    st.lists(st.floats(0, 1, exclude_max=True), min_size=CROP_DRAWS, max_size=CROP_DRAWS),
)
@settings(max_examples=200, deadline=None)
def test_crop_boxes_lie_within_the_picture(height, width, uniform):
    top, left, h, w = crop_box(height, width, Augmentation(crop_scale=(0.08, 1.0)), uniform)
    assert h >= 1
    assert w >= 1
    assert 0 <= top <= height - h
    assert 0 <= left <= width - w


def test_crop_boxes_have_the_area_and_aspect_that_were_drawn():
    uniform = [0.5, 0.5] + [0.0] * (CROP_DRAWS - 4) + [0.0, 0.999]
    # area 0.25 + 0.75 / 2 of 100 x 100, aspect exp((log 1/2 + log 2) / 2) = 1, so the side is 100 sqrt(0.625) = 79.06
    augmentation = Augmentation(crop_scale=(0.25, 1.0), crop_ratio=(0.5, 2.0))
    assert crop_box(100, 100, augmentation, uniform) == (0, 21, 79, 79)


def test_where_no_try_fits_the_largest_central_box_is_taken():
    uniform = [0.99] * CROP_DRAWS
    assert crop_box(10, 1000, Augmentation(crop_scale=(0.9, 1.0)), uniform) == (0, 493, 10, 13)


def test_no_augmentation_changes_nothing_and_draws_nothing():
    generator = seeded()
    before = generator.get_state()
    batch = pictures()
    assert augment_batch(batch, Augmentation(), generator) is batch
    assert torch.equal(generator.get_state(), before)


@pytest.mark.parametrize(
    "augmentation",
    [
        Augmentation(crop_scale=(0.3, 1.0)),
        Augmentation(shift=3),
        Augmentation(horizontal_flip=True, vertical_flip=True),
        Augmentation(jitter=0.4),
        Augmentation(erasing=0.5),
        Augmentation(crop_scale=(0.5, 1.0), shift=2, horizontal_flip=True, jitter=0.2, erasing=0.3),
    ],
)
def test_the_same_generator_gives_the_same_batch_and_the_original_stays(augmentation):
    batch = pictures()
    original = batch.clone()
    first, again = (augment_batch(batch, augmentation, seeded(5)) for _ in "ab")
    assert torch.equal(first, again)
    assert torch.equal(batch, original)
    assert first.shape == batch.shape
    assert not torch.equal(first, augment_batch(batch, augmentation, seeded(6)))
    assert not torch.equal(first.float(), batch.float())


def test_shift_moves_whole_pictures_and_lets_black_in():
    batch = torch.full((200, 1, 3, 3), 0, dtype=torch.uint8)
    batch[:, 0, 1, 1] = 9
    moved = shift(batch, 1, seeded())
    assert (moved.sum((1, 2, 3)) == 9).all()  # the marked pixel moved by at most one is still there, once
    places = {tuple(divmod(int(each.argmax()), 3)) for each in moved}
    assert places == {(row, column) for row in range(3) for column in range(3)}


def test_flips_mirror_about_half_of_the_pictures_and_leave_the_others():
    batch = pictures(400, 1, 4)
    for dimension in (-1, -2):
        got = flip(batch, dimension, seeded())
        same = (got == batch).flatten(1).all(1)
        mirrored = (got == batch.flip(dimension)).flatten(1).all(1)
        assert (same | mirrored).all()
        assert 140 < int(mirrored.sum()) < 260


def test_jitter_of_a_flat_gray_picture_is_its_brightness_alone():
    got = jitter(torch.full((50, 3, 4, 4), 100, dtype=torch.uint8), 0.3, seeded())
    assert got.dtype == torch.float32
    spread = got.flatten(1).amax(1) - got.flatten(1).amin(1)
    assert spread.max() < 1e-3
    means = got.mean((1, 2, 3))
    assert means.min() >= 70
    assert means.max() <= 130
    assert means.std() > 5


def test_jitter_stays_within_the_range_of_pixels():
    got = jitter(pictures(40), 0.9, seeded())
    assert got.min() >= 0
    assert got.max() <= 255


def test_erasing_changes_one_box_of_the_chosen_pictures():
    batch = torch.full((300, 1, 20, 20), 77, dtype=torch.uint8)
    got = erase(batch, 0.5, seeded(3))
    changed = got[:, 0] != 77
    erased = changed.flatten(1).any(1)
    assert 110 < int(erased.sum()) < 190
    for picture in changed[erased][:20]:
        rows, columns = torch.where(picture)
        box = (rows.max() - rows.min() + 1) * (columns.max() - columns.min() + 1)
        assert picture.sum() >= 0.9 * box  # noise may hit the old value
        assert box <= 0.4 * 400 * 1.2
    assert torch.equal(erase(batch, 0.0, seeded(3)), batch)


def test_cropping_the_whole_picture_gives_it_back():
    batch = pictures(4)
    assert torch.equal(crop_resize(batch, [(0, 0, 16, 16)] * 4), batch)


@pytest.mark.parametrize("box", [(2, 3, 8, 10), (0, 0, 16, 7), (5, 5, 4, 4)])
def test_cropping_by_matrices_is_cropping_and_resizing(box):
    batch = pictures(2)
    top, left, height, width = box
    expected = resize(batch[:, :, top : top + height, left : left + width], (16, 16), "bilinear")
    assert (crop_resize(batch, [box, box]).int() - expected.int()).abs().max() <= 1


def test_erased_area_and_ratio_follow_the_paper():
    got = erase(torch.zeros(2000, 1, 64, 64, dtype=torch.uint8).add_(1), 1.0, seeded(1))
    changed = got[:, 0] != 1
    heights = changed.any(2).sum(1).float()
    widths = changed.any(1).sum(1).float()
    whole = (heights < 64) & (widths < 64)  # those not cut at the picture's edge
    area = (heights * widths)[whole] / 64**2
    ratio = (heights / widths)[whole]
    assert area.min() > 0.015
    assert area.max() < 0.42
    assert abs(float(ratio.log().mean())) < 0.1
    assert ratio.log().abs().max() < math.log(1 / 0.3) + 0.15
