from __future__ import annotations

import math
import re

import numpy as np
import pytest

from neocog.report.confusion import Confusion, _shrunk, confusion_section
from neocog.report.dataset import DataSummary, data_section
from neocog.report.history import Epoch, History, history_section
from neocog.report.mistakes import Mistake, mistakes_section
from neocog.report.network import LayerRow, NetworkTable, filter_pictures, filters_section, network_section
from neocog.report.scores import Calibration, ClassRow, accuracy_verdict, calibration_section, classes_section

NAN = math.nan


def plain(markup: str) -> str:
    """The words of a section, tags taken out."""
    return " ".join(re.sub(r"<[^>]+>", " ", markup).replace("\N{NO-BREAK SPACE}", " ").split())


def test_confusion_cells_are_counts_shaded_by_their_share_of_the_row() -> None:
    body = confusion_section(Confusion(["cat", "dog"], np.array([[3, 1], [0, 2]]))).body
    assert '<td class=r style="--v:0.57">3</td><td class=w style="--v:0.33">1</td>' in body  # 0.2 + 0.5 * share
    assert '<td></td><td class=r style="--v:0.70">2</td>' in body
    assert plain(body).endswith("Most confused True class Answer Times Of the class cat dog 1 25.0 %")


def test_confused_pairs_come_by_count_then_by_share() -> None:
    counts = np.array([[90, 5, 5], [5, 5, 0], [0, 9, 1]])
    words = plain(confusion_section(Confusion(["a", "b", "c"], counts)).body)
    assert words.endswith("c b 9 90.0 % b a 5 50.0 % a b 5 5.0 % a c 5 5.0 %")


@pytest.mark.parametrize("counts", [[[4]], [[0]]])
def test_confusion_of_one_class(counts: list[list[int]]) -> None:
    assert "No sample was taken for another class." in confusion_section(Confusion(["only"], np.array(counts))).body


def test_many_classes_get_a_map_and_the_worst_pairs() -> None:
    names = [f"c{index}" for index in range(41)]
    counts = np.eye(41, dtype=np.int64)
    counts[40, 0] = 7
    body = confusion_section(Confusion(names, counts), part="val").body
    assert '<img class="map px"' in body and 'class="matrix"' not in body
    assert "c40 c0 7 87.5 %" in plain(body) and "val part" in body


def test_the_map_shrinks_by_blocks_and_loses_no_strong_cell() -> None:
    layers = np.zeros((1, 10, 10))
    layers[0, 9, 3] = 0.8
    small = _shrunk(layers, 4)
    assert small.shape == (1, 4, 4) and small.max() == 0.8
    assert np.argwhere(small[0]).tolist() == [[3, 1]]  # blocks begin at 0, 2, 5, 7
    assert np.array_equal(_shrunk(layers, 10), layers)


def class_row(label: str, f1: float, support: int = 10) -> ClassRow:
    return ClassRow(label, 0.5, 0.5, f1, support, 0.25, 0.75)


def test_classes_come_worst_first_and_those_without_a_score_last() -> None:
    rows = [class_row("none", NAN, 0), class_row("good", 0.9), class_row("bad", 0.1), class_row("worse", 0.1, 20)]
    body = classes_section(rows).body
    assert re.findall(r"<bdi>(\w+)</bdi>", body) == ["worse", "bad", "good", "none"]
    assert 'style="--l:25.0;--m:50.0;--h:75.0"></i><span>0.25 to 0.75</span>' in body
    assert body.count("<i class=iv") == 3
    assert "<details>" not in body


def test_many_classes_are_folded_away_and_very_many_left_out() -> None:
    body = classes_section([class_row(f"c{index}", index / 1100) for index in range(1100)]).body
    assert "The next 980 of 1,100 classes" in body
    assert body.count("<tr>") == 1002  # 1000 classes and two headings


def test_calibration_says_its_error() -> None:
    edges, values = np.array([0.0, 0.5, 1.0]), np.array([0.25, 0.75])
    body = calibration_section(Calibration(edges, np.array([1, 1]), values, values, 0.0123)).body
    assert "Expected calibration error 1.2 %" in plain(body)


def test_the_verdict_is_one_sentence() -> None:
    verdict = accuracy_verdict(0.9861, 360, (0.968, 0.994)).replace("\N{NO-BREAK SPACE}", " ")
    assert verdict == "98.6 % of 360 held-out pictures right (95 % interval 96.8 to 99.4 %)"


def test_history_without_epochs() -> None:
    assert "No epoch was trained" in history_section(History((), "top1")).body


def test_history_of_one_epoch_without_validation() -> None:
    body = history_section(History([Epoch(1, 0.5)], "top1", best=1)).body
    assert body.count("<svg") == 1  # only the loss is known
    assert "1 epoch. The ring is the epoch whose weights were kept: 1." in plain(body)


def test_history_marks_phases_and_the_best_epoch() -> None:
    rows = [
        Epoch(1, 2.0, 1.9, 0.5, 0.4, 0.1, "head"),
        Epoch(2, 1.5, 1.4, 0.7, 0.6, 0.01, "all"),
        Epoch(3, 1.0, 1.2, 0.6, 0.7, 0.01, "all"),
    ]
    words = plain(history_section(History(rows, "top1", best=2)).body)
    assert "Phases, divided by dotted lines: head (epoch 1), all (epochs 2 to 3)." in words
    assert "kept: 2 (validation top1 70.00 %)" in words
    assert "2 all 1.5 1.4 70.00 % 0.01" in words


def test_a_metric_that_is_no_fraction_is_written_as_a_number() -> None:
    words = plain(history_section(History([Epoch(1, 2.0, metric=13.25)], "psnr", best=1, percents=False)).body)
    assert "validation psnr 13.25" in words


def test_a_long_history_is_thinned_but_keeps_the_best_and_the_last() -> None:
    rows = [Epoch(number, 1.0, metric=0.5) for number in range(1, 1001)]
    body = history_section(History(rows, "top1", best=498)).body
    shown = [int(found) for found in re.findall(r'<th scope="row" class=n>(\d+)</th>', body)]
    assert len(shown) == 102 and {1, 498, 1000} <= set(shown) and shown == sorted(shown)


def test_mistakes_show_what_was_said_and_what_is_true() -> None:
    one = Mistake("a/b.jpg", "cat", "dog", 0.9, 0.05, np.zeros((8, 8), np.uint8))
    sentence = Mistake("row 3", "good", "bad", 0.8, 0.2, excerpt="It was <fine>.")
    body = mistakes_section([one, sentence], 2).body
    assert plain(body).startswith("Every wrong answer")
    assert "Answer dog 90.0 % Truth cat 5.0 % a/b.jpg" in plain(body)
    assert "<blockquote>It was &lt;fine&gt;.</blockquote>" in body and body.count("<img") == 1


def test_no_mistakes() -> None:
    assert "No mistakes" in mistakes_section([], 0).body


def test_mistakes_stop_where_the_page_would_grow_heavy() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    body = mistakes_section([Mistake("a", "b", "c", 0.9, 0.1, noise)] * 200, 300).body
    shown = body.count("<li>")
    assert 1 < shown < 200 and len(body) < 260_000
    assert f"The {shown} of 300 wrong answers" in body


def test_the_network_table_has_totals() -> None:
    rows = [
        LayerRow("conv", "Conv2d", (6, 28, 28), "5x5", "1", 156, 117_600, "5"),
        LayerRow("relu", "ReLU", (6, 28, 28)),
    ]
    body = network_section(NetworkTable("lenet5", (1, 32, 32), rows, 61_706, 416_520)).body
    words = plain(body)
    assert "conv Conv2d 6 × 28 × 28 5 × 5 1 156 117,600 5 relu ReLU 6 × 28 × 28 Total 61,706 416,520" in words
    assert "inputs of 1 × 32 × 32: 61,706 parameters, 416,520 MACs" in words
    assert "<details>" not in body


def test_a_long_network_is_folded_away() -> None:
    body = network_section(NetworkTable("net", (3,), [LayerRow("l", "Linear", (3,))] * 25, 0, None)).body
    assert "<details><summary>All 25 layers</summary>" in body


def test_filters_are_symmetric_about_middle_gray_on_one_scale() -> None:
    weights = np.zeros((2, 1, 1, 3))
    weights[0, 0, 0] = (-2, 0, 2)
    weights[1, 0, 0] = (1, 0, -1)
    first, second = filter_pictures(weights)
    assert first.tolist() == [[0, 128, 255]]
    assert second.tolist() == [[191, 128, 64]]  # 127.5 plus and minus half of 127.5, to even


def test_filters_of_three_channels_are_in_colour_and_others_side_by_side() -> None:
    assert filter_pictures(np.ones((4, 3, 5, 7)))[0].shape == (5, 7, 3)
    pair = filter_pictures(np.stack([np.ones((1, 2, 2)), -np.ones((1, 2, 2))], 1))[0]
    assert pair.tolist() == [[255, 255, 255, 0, 0]] * 2


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((64, 3, 7, 7), "The 64 filters of conv1, 7 × 7, in colour"),
        ((6, 1, 5, 5), "The 6 filters of conv1, 5 × 5, light"),
        ((300, 1, 3, 3), "The first 128 of 300 filters"),
        ((2, 100, 3, 3), "the first 16 of 100 input maps"),
        ((4, 1, 64), "The 4 filters of conv1, 1 × 64"),
        ((1, 1, 1, 1), "The 1 filter of conv1, 1 × 1"),
    ],
)
def test_filters_of_any_shape(shape: tuple[int, ...], said: str) -> None:
    body = filters_section("conv1", np.random.default_rng(0).normal(size=shape)).body
    assert said in plain(body) and body.count("<img") == min(shape[0], 128)


@pytest.mark.parametrize("kernels", [np.zeros((3, 1, 2, 2)), np.full((3, 1, 2, 2), NAN)])
def test_filters_without_contrast_are_gray(kernels: np.ndarray) -> None:
    assert {value for picture in filter_pictures(kernels) for value in picture.ravel().tolist()} == {128}


def test_a_layer_without_filters() -> None:
    assert "no filters" in filters_section("fc", np.zeros((10, 4))).body


def test_the_data_are_summed_by_part() -> None:
    picture = np.zeros((8, 8), np.uint8)
    summary = DataSummary(
        "photos",
        ["cat", "dog"],
        {"train": [3, 4], "test": [1, 0]},
        ["A note."],
        [("x.jpg", "truncated")],
        {"dog": [picture] * 9},
    )
    body = data_section(summary).body
    words = plain(body)
    assert "Source photos Classes 2 Train 7 Test 1 A note." in words
    assert "Skipped: 1 unreadable sample x.jpg : truncated" in words
    assert "Training examples of each class dog" in words and body.count("<img") == 4
    assert words.endswith("cat 3 1 dog 4 0 Total 7 1")


def test_many_skipped_samples_are_counted() -> None:
    skipped = [(f"{index}.jpg", "empty") for index in range(60)]
    words = plain(data_section(DataSummary("d", ["a"], {"train": [1]}, skipped=skipped)).body)
    assert "Skipped: 60 unreadable samples" in words and "And 10 more." in words
