"""Maps as colours, overlays, boxes, sheets, and the page of a look."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neocog.core.errors import UsageError
from neocog.report import explained
from neocog.report.heat import Scale, coloured, colours, scale_of
from neocog.report.look_page import Drawn, LookPage, PictureSection
from neocog.report.overlay import BOX, boxed, in_colours, overlay, sized
from neocog.report.sheet import Tile, sheet, short

LUMA = np.array([0.2126, 0.7152, 0.0722])


def luminance(pixels: np.ndarray) -> np.ndarray:
    """Relative luminance of sRGB pixels."""
    part = pixels / 255
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4) @ LUMA


def deuteranopic(pixels: np.ndarray) -> np.ndarray:
    """What is left without the middle cones (Viénot et al. 1999, linear RGB)."""
    matrix = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])
    return (pixels / 255.0) ** 2.2 @ matrix.T


def test_scale_from_zero_gets_lighter_all_the_way() -> None:
    light = luminance(colours(signed=False))
    assert (np.diff(light) >= 0).all()
    assert light[0] < 0.01
    assert light[-1] > 0.85


def test_scale_of_both_signs_is_lightest_in_its_middle() -> None:
    light = luminance(colours(signed=True))
    assert 126 <= light.argmax() <= 129
    assert (np.diff(light[:128]) >= -1e-3).all()
    assert (np.diff(light[128:]) <= 1e-3).all()


def test_signs_differ_without_middle_cones() -> None:
    seen = deuteranopic(colours(signed=True).astype(float))
    for below, above in ((0, 255), (40, 215), (64, 191)):
        assert np.abs(seen[below] - seen[above]).max() > 0.15


@pytest.mark.parametrize("signed", [False, True])
def test_scale_ends(signed: bool) -> None:
    table = colours(signed=signed)
    scale = Scale(-2.0 if signed else 0.0, 2.0, signed)
    pixels = coloured(np.array([[scale.low, 2.0, 99.0, np.nan]]), scale)
    assert (pixels[0, 0] == table[0]).all()
    assert (pixels[0, 1] == table[255]).all()
    assert (pixels[0, 2] == table[255]).all()
    assert (pixels[0, 3] == table[128 if signed else 0]).all()


def test_scale_leaves_out_the_strongest_few() -> None:
    values = np.ones((100, 100))
    values[0, 0] = 1e6
    assert scale_of(values, signed=False).high == 1.0


def test_scale_of_a_map_that_is_mostly_zero_is_its_maximum() -> None:
    values = np.zeros((100, 100))
    values[0, 0] = 5.0
    assert scale_of(values, signed=False) == Scale(0.0, 5.0, False)
    assert scale_of(-values, signed=True) == Scale(-5.0, 5.0, True)


@pytest.mark.parametrize("values", [np.zeros((3, 3)), np.full((2, 2), np.nan), np.full((2, 2), np.inf)])
def test_scale_of_nothing(values: np.ndarray) -> None:
    assert scale_of(values, signed=False) == Scale(0.0, 1.0, False)
    assert scale_of(values, signed=True) == Scale(-1.0, 1.0, True)


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_opposite_values_lie_opposite(value: float, end: float) -> None:
    scale = Scale(-end, end, True)
    one, other = scale.position(np.array([value, -value]))
    assert one + other == pytest.approx(1)
    assert scale.strength(np.array([value])) == pytest.approx(min(1, abs(value) / end))


def test_overlay_is_the_grey_picture_where_the_map_is_zero() -> None:
    picture = np.full((2, 2, 3), (255, 0, 0), np.uint8)
    values = np.array([[0.0, 1.0], [0.0, 0.0]])
    pixels = overlay(picture, values, Scale(0.0, 1.0, False))
    assert (pixels[0, 0] == 76).all()  # 0.299 x 255
    assert np.abs(pixels[0, 1].astype(int) - colours(signed=False)[255]).max() < 25


def test_overlay_refuses_a_map_of_another_size() -> None:
    with pytest.raises(UsageError, match="one size"):
        overlay(np.zeros((4, 4), np.uint8), np.zeros((2, 2)), Scale(0, 1, False))


def test_box_is_a_frame_and_the_rest_is_dimmed() -> None:
    picture = np.full((10, 10, 3), 200, np.uint8)
    pixels = boxed(picture, (2, 3, 4, 5))
    assert (pixels[2, 3:8] == BOX).all()
    assert (pixels[5, 3:8] == BOX).all()
    assert (pixels[3:5, 4:7] == 200).all()
    assert (pixels[0] == 124).all()
    assert (picture == 200).all()


@pytest.mark.parametrize(
    ("box", "inside"), [((-5, -5, 8, 8), True), ((-50, -50, 200, 200), True), ((20, 20, 4, 4), False)]
)
def test_box_over_the_edge(box: tuple[int, int, int, int], inside: bool) -> None:
    pixels = boxed(np.zeros((10, 10, 3), np.uint8), box)
    assert bool((pixels == np.array(BOX)).all(-1).any()) == inside


def test_pictures_of_other_channels_are_grey() -> None:
    assert in_colours(np.full((2, 3), 9, np.uint8)).shape == (2, 3, 3)
    assert (in_colours(np.full((2, 3, 5), 9, np.uint8)) == 9).all()
    with pytest.raises(UsageError, match="uint8"):
        in_colours(np.zeros((2, 3)))


def test_small_pictures_are_enlarged_by_whole_factors() -> None:
    small = np.array([[0, 255]], np.uint8)[..., None].repeat(3, 2)
    assert sized(small, 9).shape == (4, 8, 3)
    assert set(sized(small, 9).flatten().tolist()) == {0, 255}
    assert sized(np.zeros((300, 100, 3), np.uint8), 100).shape == (100, 33, 3)


def test_sheet_holds_every_tile_where_it_belongs() -> None:
    tiles = [Tile(np.full((4, 4, 3), shade, np.uint8), str(shade)) for shade in (10, 20, 30)]
    pixels = sheet(tiles, side=16, columns=2)
    found = {shade: np.argwhere((pixels == shade).all(-1)) for shade in (10, 20, 30)}
    assert {shade: len(places) >= 256 for shade, places in found.items()} == {10: True, 20: True, 30: True}
    assert found[10].min(0)[0] == found[20].min(0)[0] < found[30].min(0)[0]
    assert found[10].min(0)[1] == found[30].min(0)[1] < found[20].min(0)[1]


def test_sheet_refuses_nothing() -> None:
    with pytest.raises(UsageError, match="at least one"):
        sheet([])


@pytest.mark.parametrize(
    ("value", "written"), [(0, "0"), (-0.0, "0"), (1.23456, "1.23"), (1e-5, "1e-5"), (-0.5, "-0.5")]
)
def test_short_numbers(value: float, written: str) -> None:
    assert short(value) == written


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_every_sheet_draws_any_number_of_channels(channels: int) -> None:
    random = np.random.default_rng(0)
    picture = random.integers(0, 256, (17, 13, channels), np.uint8)
    signed = random.standard_normal((channels, 17, 13))
    for pixels in (
        explained.heat_sheet(picture, np.abs(signed[0]), signed=False),
        explained.heat_sheet(picture, signed[0], signed=True),
        explained.colours_sheet(picture, signed),
        explained.maps_sheet(signed, range(channels)),
        explained.maps_sheet(signed[0], range(17)),
        explained.kernels_sheet(random.standard_normal((5, channels, 3, 2)), range(5)),
        explained.field_sheet(picture, (-3, 2, 9, 5), np.abs(signed[0])),
        explained.patches_sheet([("a", [Tile(in_colours(picture), "1")] * 2), ("b", [Tile(in_colours(picture))])]),
    ):
        assert pixels.dtype == np.uint8
        assert pixels.ndim == 3


def test_colours_lie_around_grey() -> None:
    values = np.zeros((3, 2, 2))
    values[0, 0, 0], values[1, 1, 1] = 2.0, -2.0
    pixels = explained.around_grey(values)
    assert pixels[0, 0].tolist() == [255, 128, 128]
    assert pixels[1, 1].tolist() == [128, 0, 128]


def page(**changes: object) -> str:
    pixels = np.zeros((4, 4, 3), np.uint8)
    figure = Drawn("Sali<b>ency", "What & why.", pixels, [("Class", "<script>")], "A note.")
    section = PictureSection("<i>.png", pixels, [("cat<", 0.75)], [figure], [("Deconvnet", "no rectifiers")])
    whole = LookPage("A look", "cat, 75 %.", [("Model", "m")], [section], **changes)  # type: ignore[arg-type]
    return whole.page().html()


def test_page_escapes_what_comes_from_the_user() -> None:
    text = page()
    assert "<script>" not in text
    assert "Sali<b>" not in text
    assert "cat&lt;" in text


def test_page_asks_nothing_of_the_network_and_names_refusals() -> None:
    text = page(unread=[("broken.png", "damaged")], left=["more.png"], papers=[("Saliency", "", "arXiv")])
    assert "http" not in text.replace("http://www.w3.org", "")
    assert "no rectifiers" in text
    assert "damaged" in text
    assert "more.png" in text
