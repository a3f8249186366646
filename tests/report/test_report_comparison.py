"""The pictures that compare networks: labels that keep clear of each other, sizes and scales that are right."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neocog.core.errors import UsageError
from neocog.report import svg
from neocog.report.comparison import FILLED, Bubble, _figure, _from_scale, _to_scale, save_comparison
from neocog.report.labels import Scene, place
from neocog.report.race import Finish, race_page, save_race

BUBBLES = [
    Bubble(f"net_{number}", f"family {number % 3}", 10**8 * (number + 1), 60.0 + number, 10**6 * (1 + number * number))
    for number in range(12)
]


def boxes_of(scene: Scene) -> list[tuple[float, float, float, float]]:
    middles = scene.centres + place(scene)
    return [(x - w / 2, y - h / 2, x + w / 2, y + h / 2) for (x, y), (w, h) in zip(middles, scene.sizes, strict=True)]


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def test_labels_of_a_crowd_lie_apart_and_inside() -> None:
    generator = np.random.default_rng(0)
    centres = np.concatenate([generator.uniform(240, 360, (14, 2)), generator.uniform(20, 580, (10, 2))])
    scene = Scene(
        centres, np.full(24, 4.0), np.tile([60.0, 10.0], (24, 1)), (0, 0, 600, 600), np.array([[0.0, 0, 80, 80]])
    )
    boxes = boxes_of(scene)
    assert not any(overlap(one, other) for one, other in combinations(boxes, 2))
    assert all(box[0] >= 0 and box[1] >= 0 and box[2] <= 600 and box[3] <= 600 for box in boxes)
    assert not any(overlap(box, (0, 0, 80, 80)) for box in boxes)


def test_a_point_alone_has_its_label_beside_it() -> None:
    scene = Scene(
        np.array([[50.0, 50.0]]), np.array([5.0]), np.array([[20.0, 8.0]]), (0, 0, 100, 100), np.zeros((0, 4))
    )
    assert place(scene) == pytest.approx(np.array([[5 + 1 + 10.0, 0.0]]))


def test_an_area_is_a_number_of_parameters() -> None:
    with svg.drawing():
        axes = _figure(BUBBLES, 0).axes[0]
        drawn = {
            float(each.get_offsets()[0][1]): float(each.get_sizes()[0])
            for each in axes.collections
            if each.get_alpha() == FILLED
        }
    areas = [drawn[bubble.accuracy] / bubble.params for bubble in BUBBLES]
    assert areas == pytest.approx([areas[0]] * len(areas))


def test_the_scale_of_accuracy_is_the_logarithm_of_the_error() -> None:
    assert _from_scale(_to_scale(75.0)) == pytest.approx(75.0)
    assert _to_scale(90.0) - _to_scale(80.0) == pytest.approx(math.log(2))


def test_the_comparison_is_written_and_names_every_network(tmp_path: Path) -> None:
    for ending in ("svg", "png"):
        save_comparison(BUBBLES, tmp_path / f"a.{ending}", left_out=3)
        save_comparison(BUBBLES, tmp_path / f"b.{ending}", left_out=3)
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()
    words = "".join(ET.parse(tmp_path / "a.svg").getroot().itertext())
    assert all(bubble.name in words for bubble in BUBBLES)
    assert "3 without a published ImageNet error" in words
    assert "parameters" in words
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (2360, 1600)
    with pytest.raises(UsageError, match=r"\.svg or \.png"):
        save_comparison(BUBBLES, tmp_path / "a.pdf")


def test_one_network_alone_can_be_drawn(tmp_path: Path) -> None:
    save_comparison(BUBBLES[:1], tmp_path / "one.svg")
    assert "net_0" in (tmp_path / "one.svg").read_text("utf-8")


RESULTS = [
    Finish("slow", 1998, 60_000, 400_000, 3, 12.5, 0.8, 0.75, 0.85, 0.0, 400, 1),
    Finish("good|net", None, 900_000, 90_000_000, 3, 125.0, 0.9, 0.87, 0.93, 0.02, 400, 2),
    Finish("broken", 2015, error="needs at least 32"),
]
PROTOCOL = {"data": "squares", "pictures": {"train": 1000, "test": 400}, "minutes a network": None, "seeds": [0, 1]}


def test_the_page_of_a_race_has_the_best_first_and_the_failed_last() -> None:
    page = race_page(PROTOCOL, RESULTS, picture="race.svg")
    rows = [line for line in page.splitlines() if line.startswith("| ")][1:]
    assert [row.split(" | ")[0].strip("| ").strip() for row in rows if not row.startswith("| -")] == [
        "good\\|net",
        "slow",
        "broken",
    ]
    assert "90.00 %" in page and "87.0 to 93.0 %" in page and "2.00 points over 2" in page
    assert "- broken failed: needs at least 32" in page
    assert "- pictures: 1,000 train, 400 test" in page and "minutes" not in page
    assert "(race.svg)" in page


def test_the_picture_of_a_race_shows_every_finished_network_against_everything(tmp_path: Path) -> None:
    save_race(PROTOCOL, RESULTS, tmp_path / "race.svg")
    words = "".join(ET.parse(tmp_path / "race.svg").getroot().itertext())
    for axis in ("year of the paper", "parameters", "multiply-accumulates", "seconds in training"):
        assert axis in words
    assert words.count("slow") == 4
    assert words.count("good|net") == 3  # its year is not known
    assert "broken" not in words
    save_race(PROTOCOL, RESULTS[:1], tmp_path / "one.png")
