import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neocog.core.errors import UsageError
from neocog.core.reference.localisation import Box
from neocog.explain.pointing import boxes_from_maps, energy_inside, localisation_error, pointing_game


def peak(row, column, height=20, width=30):
    heat = torch.zeros(1, height, width)
    heat[0, row, column] = 1
    return heat


def test_a_hit_is_a_maximum_in_a_box():
    boxes = [[Box(0, 0, 3, 3), Box(10, 5, 20, 15)]]
    assert pointing_game(peak(5, 10), boxes, tolerance=0).tolist() == [1]
    assert pointing_game(peak(14, 19), boxes, tolerance=0).tolist() == [1]
    assert pointing_game(peak(15, 19), boxes, tolerance=0).tolist() == [0]
    assert pointing_game(peak(2, 2), boxes, tolerance=0).tolist() == [1]


def test_the_tolerance_is_a_distance_from_the_box():
    box = [[Box(0, 0, 1, 1)]]
    assert pointing_game(peak(3, 4), box, tolerance=4.31).tolist() == [1]  # from (1, 1) to (3.5, 4.5): 4.30
    assert pointing_game(peak(3, 4), box, tolerance=4.30).tolist() == [0]
    assert pointing_game(peak(15, 0), box).tolist() == [1]  # 14.5 pixels
    assert pointing_game(peak(16, 0), box).tolist() == [0]


def test_a_flat_map_points_as_chance_does():
    found = pointing_game(torch.ones(1, 4, 4), [[Box(0, 0, 2, 2)]], tolerance=0)
    assert found.tolist() == [0.25]


def test_energy_counts_what_is_positive_and_no_pixel_twice():
    heat = torch.tensor([[[1.0, 2, -9], [3, 4, 0]]])
    assert energy_inside(heat, [[Box(0, 0, 1, 2)]]).tolist() == [0.4]
    assert energy_inside(heat, [[Box(0, 0, 1, 2), Box(0, 0, 2, 1)]]).tolist() == pytest.approx([0.6])
    assert energy_inside(torch.zeros(1, 2, 3), [[Box(0, 0, 1, 2)]]).tolist() == [0]


def test_the_box_is_around_the_largest_region_above_the_threshold():
    heat = torch.zeros(1, 9, 9)
    heat[0, 1, 1] = 1  # the maximum, alone
    heat[0, 4:7, 5:8] = 0.2
    heat[0, 7, 8] = 0.15  # touches at a corner, at the threshold exactly
    heat[0, 3, 5:8] = 0.14
    assert boxes_from_maps(heat.double()) == [Box(5, 4, 9, 8)]
    assert boxes_from_maps(heat, threshold=0.5) == [Box(1, 1, 2, 2)]


def test_of_regions_of_one_size_it_is_the_stronger():
    heat = torch.tensor([[[1.0, 0.5, 0, 0.9, 0.9]], [[0.9, 0.9, 0, 1.0, 0.5]]])
    assert boxes_from_maps(heat) == [Box(3, 0, 5, 1), Box(0, 0, 2, 1)]


def test_a_map_without_anything_positive_has_the_whole_picture():
    assert boxes_from_maps(-torch.ones(1, 3, 4)) == [Box(0, 0, 4, 3)]


@settings(max_examples=15)
@given(st.integers(0, 2**31), st.floats(0.01, 1))
def test_the_maximum_scale_does_not_move_the_box_and_it_holds_a_place_above_the_threshold(seed, threshold):
    heat = torch.rand(1, 6, 8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    (box,) = boxes_from_maps(heat, threshold=threshold)
    assert boxes_from_maps(heat * 4, threshold=threshold) == [box]
    inside = heat[0, int(box.top) : int(box.bottom), int(box.left) : int(box.right)]
    assert inside.max() >= threshold * heat.max()


CAT, DOG = Box(0, 0, 10, 10), (Box(20, 20, 40, 40), Box(50, 50, 60, 60))
TRUTH = {"cat": [CAT], "dog": DOG}


def test_the_localisation_error_of_the_course():
    guesses = [("cat", Box(0, 0, 10, 8)), ("dog", Box(52, 50, 62, 60))]
    assert localisation_error([guesses], [TRUTH]) == 0
    assert localisation_error([guesses[:1]], [TRUTH]) == 0.5
    assert localisation_error([guesses], [TRUTH], top=1) == 0.5
    assert localisation_error([[("cat", Box(0, 0, 10, 5))]], [{"cat": [CAT]}]) == 1  # exactly a half is too little
    assert localisation_error([guesses, []], [TRUTH, TRUTH]) == 0.5


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: pointing_game(torch.zeros(2, 3, 3), [[CAT], []]), "picture 1 has no box"),
        (lambda: pointing_game(torch.zeros(2, 3, 3), [[CAT]]), "boxes of 2 pictures"),
        (lambda: pointing_game(torch.zeros(1, 1, 3, 3), [[CAT]]), r"\(B, H, W\)"),
        (lambda: energy_inside(torch.full((1, 3, 3), torch.nan), [[CAT]]), "finite"),
        (lambda: boxes_from_maps(torch.zeros(1, 3, 3), threshold=0), "threshold"),
        (lambda: localisation_error([], []), "same pictures"),
        (lambda: localisation_error([[]], [{"cat": []}]), "no true box"),
        (lambda: localisation_error([[]], [TRUTH], top=0), "at least 1"),
    ],
)
def test_what_cannot_be_judged_is_refused(call, reason):
    with pytest.raises(UsageError, match=reason):
        call()
