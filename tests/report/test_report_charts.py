from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from neocog.core.errors import ResourceError, UsageError
from neocog.report.charts import Line, RateSearch, calibration_chart, line_chart, rate_search_chart, save_rate_search

NAN = math.nan
SEARCH = RateSearch([1e-5, 1e-4, 1e-3, 1e-2, 1e-1], [2.3, 2.2, 1.4, 1.1, NAN], 1e-3)


def described(chart: str) -> str:
    found = ET.fromstring(chart).find("desc")
    assert found is not None and found.text
    return found.text


def test_a_chart_says_in_words_what_it_shows() -> None:
    chart = line_chart("Loss by epoch", [Line("validation", [1, 2, 3], [3.0, 1.0, 2.0])])
    root = ET.fromstring(chart)
    assert root.attrib["aria-labelledby"] == "chart0-title chart0-desc"
    assert root.findtext("title") == "Loss by epoch"
    assert described(chart) == "validation: from 3 to 2, lowest 1, highest 3."


def test_what_is_not_finite_is_left_out() -> None:
    chart = line_chart("t", [Line("a", [1, 2, 3, 4], [NAN, 0.5, math.inf, 0.25])], percents=True)
    assert (
        described(chart).replace("\N{NO-BREAK SPACE}", " ")
        == "a: from 50.0 % to 25.0 %, lowest 25.0 %, highest 50.0 %."
    )


@pytest.mark.parametrize("y", [[], [0.5], [NAN]])
def test_charts_of_nothing_and_of_one_point(y: list[float]) -> None:
    chart = line_chart("t", [Line("a", list(range(1, len(y) + 1)), y, main=False)], marked=1)
    assert ("No points." in described(chart)) == (y != [0.5])


def test_one_epoch_is_drawn_as_a_dot() -> None:
    dotted, plain = (line_chart("t", [Line("a", list(range(n)), [0.5] * n)]) for n in (1, 9))
    assert "<use" in dotted.split("epoch")[-1] and "<use" not in plain.split("epoch")[-1]


def test_the_ring_marks_the_chosen_epoch_of_main_lines_only() -> None:
    lines = [Line("a", [1, 2, 3, 4], [4, 3, 2, 1]), Line("b", [1, 2, 3, 4], [4, 3, 2, 1], main=False)]
    without, absent, ringed = (line_chart("t", lines, marked=at) for at in (None, 7, 3))
    assert without == absent
    assert ringed.count("--paper") - without.count("--paper") in (1, 2)


def test_colours_follow_the_page_and_sizes_follow_its_width() -> None:
    chart = line_chart("t", [Line("a", [1, 2], [1, 2])])
    opening = chart[: chart.index(">")]
    assert "width=" not in opening and "viewBox=" in opening
    assert "var(--accent)" in chart and "#1f5fae" not in chart
    assert "xmlns" not in chart and "DejaVu" not in chart and "metadata" not in chart
    assert len(chart) < 20_000


def test_labels_in_any_script_and_with_dollars_are_kept_as_they_are() -> None:
    chart = line_chart(
        "<猫>", [Line("日本語 🐈 $x^2$ <b>", [1, 2], [1, 2]), Line('חתול id="a" #1b1f24', [1, 2], [2, 1])]
    )
    words = "".join(ET.fromstring(chart).itertext())
    assert "日本語 🐈 $x^2$ <b>" in words and 'חתול id="a" #1b1f24' in words and "<猫>" in words


def test_matplotlib_is_left_as_it_was() -> None:
    before = dict(matplotlib.rcParams)
    line_chart("t", [Line("a", [1, 2], [1, 2])])
    assert dict(matplotlib.rcParams) == before


def test_settings_of_the_user_do_not_show() -> None:
    plain = line_chart("t", [Line("a", [1, 2], [1, 2])])
    with matplotlib.rc_context({"lines.linewidth": 9, "svg.fonttype": "path", "axes.grid": False}):
        assert line_chart("t", [Line("a", [1, 2], [1, 2])]) == plain


def test_calibration_leaves_empty_bins_out() -> None:
    edges = np.array([0, 0.5, 1.0])
    chart = calibration_chart(edges, np.array([0, 8]), np.array([NAN, 0.9]), np.array([NAN, 0.75]))
    assert described(chart).replace("\N{NO-BREAK SPACE}", " ") == "At confidence 90.0 %, 75.0 % right."


def test_calibration_of_nothing() -> None:
    nothing = np.full(2, NAN)
    assert described(calibration_chart(np.array([0, 0.5, 1.0]), np.zeros(2, int), nothing, nothing)) == "No points."


def test_rate_search_names_its_suggestion() -> None:
    assert described(rate_search_chart(SEARCH)).endswith("Suggested learning rate: 0.001.")
    none = rate_search_chart(RateSearch([], [], None))
    assert described(none) == "No points. Suggested learning rate: none."


@pytest.mark.parametrize("losses", [[1.0, 1.0, 1.0], [2.0, 1.0, 1e30], [0.0, 0.0, 0.0], [1.0, NAN, NAN]])
def test_rate_search_of_flat_and_exploding_losses(losses: list[float]) -> None:
    assert "Loss: from" in described(rate_search_chart(RateSearch([1e-3, 1e-2, 1e-1], losses, 1e-2)))


def test_the_rate_search_is_saved_alone(tmp_path: Path) -> None:
    for ending in ("svg", "png"):
        first, second = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}"
        save_rate_search(SEARCH, first)
        save_rate_search(SEARCH, second)
        assert first.read_bytes() == second.read_bytes()
    root = ET.parse(tmp_path / "a.svg").getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "var(--" not in (tmp_path / "a.svg").read_text("utf-8")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (840, 520)
        assert picture.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_a_picture_that_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.svg or \.png"):
        save_rate_search(SEARCH, tmp_path / "a.pdf")
    with pytest.raises(ResourceError, match="cannot write the picture"):
        save_rate_search(SEARCH, tmp_path / "missing" / "a.svg")
