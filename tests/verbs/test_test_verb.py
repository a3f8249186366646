"""`neocog.test`: which samples are measured, and what follows from the answers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from colours import COLOURS, CONTRACT, paint

import neocog
from neocog.core.errors import DataError, ResourceError, UsageError
from neocog.data.open import open_pictures
from neocog.tasks.deciding import fingerprint
from neocog.tasks.evaluation import TestResult
from neocog.tasks.model import Model


def make(folder: Path, counts: dict[str, dict[str, int]]) -> Path:
    """Makes a class folder for each class, with so many pictures of each colour."""
    for label, colours in counts.items():
        for colour, count in colours.items():
            for number in range(count):
                paint(folder / label / f"{colour}{number}.png", colour, 255 - 20 * number)
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Reds: 3 right, 1 called blue; greens: 2 right; blues: 1 right, 2 called red."""
    made = make(
        tmp_path / "data",
        {"blue": {"blue": 1, "red": 2}, "green": {"green": 2}, "red": {"red": 3, "blue": 1}},
    )
    paint(made / "red" / "blue0.png", "blue", 245)  # less sure than one mistake, surer than the other
    return made


def test_figures_by_hand(data: Path, model: Model) -> None:
    result = neocog.test(model, data)
    assert (result.part, result.samples) == ("all", 9)
    assert result.classes == ("red", "green", "blue")  # the model's order, whatever the data's
    assert result.confusion.tolist() == [[3, 0, 1], [0, 2, 0], [2, 0, 1]]
    assert result.metrics["top1"] == pytest.approx(6 / 9)
    assert result.metrics["top5"] == 1.0
    assert result.metrics["balanced_accuracy"] == pytest.approx((3 / 4 + 1 + 1 / 3) / 3)
    assert result.metrics["f1"] == pytest.approx((6 / 9 + 1 + 2 / 5) / 3)
    low, high = result.intervals["top1"]
    assert low < 6 / 9 < high
    assert result.reliability.count.sum() == 9
    assert result.reliability.error == result.metrics["ece"]
    assert result.warnings == result.refused == ()


def test_mistakes_are_the_surest_wrong_answers(data: Path, model: Model) -> None:
    mistakes = neocog.test(model, data).mistakes()
    assert [(each.name, each.truth, each.predicted) for each in mistakes] == [
        ("blue/red0.png", "blue", "red"),
        ("red/blue0.png", "red", "blue"),
        ("blue/red1.png", "blue", "red"),
    ]
    chances = [each.probability for each in mistakes]
    assert chances == sorted(chances, reverse=True)
    assert all(each.probability > 1 / 3 > each.probability_of_truth for each in mistakes)
    assert neocog.test(model, data).items.name(mistakes[0].index) == "blue/red0.png"
    assert len(neocog.test(model, data).mistakes(2)) == 2


def test_the_same_answers_as_predict(data: Path, model: Model) -> None:
    result = neocog.test(model, data)
    predicted = neocog.predict(model, data)
    assert [result.classes[label] for label in result.answers.predicted] == [each.label for each in predicted]
    np.testing.assert_allclose(result.answers.probabilities.max(1), [each.probability for each in predicted], rtol=1e-6)


class TestClasses:
    def test_a_missing_class_is_fine(self, tmp_path: Path, model: Model) -> None:
        result = neocog.test(model, make(tmp_path / "d", {"red": {"red": 2}, "blue": {"blue": 1}}))
        assert result.metrics["top1"] == 1.0
        assert np.isnan(result.scores.recall[1])
        assert result.metrics["f1"] == 1.0
        assert result.class_rows()[1] == {
            **{"class": "green", "precision": None, "recall": None, "f1": None, "support": 0, "predicted": 0}
        }

    def test_one_class_alone_is_fine(self, tmp_path: Path, model: Model) -> None:
        assert neocog.test(model, make(tmp_path / "d", {"blue": {"blue": 3}})).metrics["top1"] == 1.0

    def test_an_unknown_class_is_named_with_near_names(self, tmp_path: Path, model: Model) -> None:
        folder = make(tmp_path / "d", {"red": {"red": 1}, "gren": {"green": 1}})
        with pytest.raises(DataError, match=r"'gren'.*red, green, blue.*Did you mean green"):
            neocog.test(model, folder)

    def test_case_matters(self, tmp_path: Path, model: Model) -> None:
        with pytest.raises(DataError, match="'Red'"):
            neocog.test(model, make(tmp_path / "d", {"Red": {"red": 1}}))

    def test_only_the_tested_part_counts(self, tmp_path: Path, model: Model) -> None:
        make(tmp_path / "d/test", {"red": {"red": 2}})
        make(tmp_path / "d/train", {"red": {"red": 2}, "mauve": {"red": 1}})
        assert neocog.test(model, tmp_path / "d").samples == 2
        with pytest.raises(DataError, match="mauve"):
            neocog.test(model, tmp_path / "d", part="train")


class TestParts:
    @pytest.fixture
    def stored(self, tmp_path: Path) -> Path:
        for part, count in (("train", 4), ("valid", 3), ("test", 2)):
            make(tmp_path / "d" / part, {"red": {"red": count}, "blue": {"blue": 1}})
        return tmp_path / "d"

    @pytest.mark.parametrize(("part", "name", "samples"), [(None, "test", 3), ("train", "train", 5), ("val", "val", 4)])
    def test_stored_parts(self, stored: Path, model: Model, part: str | None, name: str, samples: int) -> None:
        result = neocog.test(model, stored, part=part)
        assert (result.part, result.samples) == (name, samples)
        assert name in result.statement

    def test_without_a_test_part_val_is_tested(self, stored: Path, model: Model) -> None:
        (stored / "test").rename(stored.parent / "elsewhere")
        assert neocog.test(model, stored).part == "val"

    @pytest.mark.parametrize("part", ["all", "exam"])
    def test_an_impossible_part_is_refused(self, stored: Path, model: Model, part: str) -> None:
        with pytest.raises(UsageError, match="train, val, test"):
            neocog.test(model, stored, part=part)

    def test_a_part_that_is_not_stored_is_split_off_as_in_training(self, tmp_path: Path, model: Model) -> None:
        folder = tmp_path / "d"
        for colour in COLOURS:
            for number in range(20):
                paint(folder / colour / f"{number}.png", colour, 255 - number)
        expected = open_pictures(folder, split_seed=5).parts["test"].items
        result = neocog.test(model, folder, part="test", split_seed=5)
        assert [result.items.name(i) for i in range(len(result.items))] == [
            expected.name(i) for i in range(len(expected))
        ]
        assert "--split-seed 5" in result.statement
        assert neocog.test(model, folder).samples == 60


class TestTrainedOnTheseData:
    """A model that was trained on the data is not measured on what it learned without a word."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for colour in COLOURS:
            for number in range(20):
                paint(tmp_path / "d" / colour / f"{number}.png", colour, 255 - number)
        return tmp_path / "d"

    def trained(self, model: Model, folder: Path) -> Model:
        known: dict[str, Any] = {
            "data": str(folder),
            "split_seed": 3,
            "fingerprint": fingerprint(open_pictures(folder, split_seed=3)),
        }
        return replace(model, contract=replace(CONTRACT, training=known))

    def test_what_was_kept_aside_is_tested(self, folder: Path, model: Model) -> None:
        result = neocog.test(self.trained(model, folder), folder)
        assert (result.part, result.samples) == ("test", 9)
        assert "--split-seed 3" in result.statement
        assert result.warnings == ()

    @pytest.mark.parametrize(
        ("options", "seen"), [({"part": "all"}, "43 of these 60"), ({"part": "train"}, "43 of these 43")]
    )
    def test_anything_else_is_warned_of(self, folder: Path, model: Model, options: dict[str, Any], seen: str) -> None:
        result = neocog.test(self.trained(model, folder), folder, **options)
        assert seen in result.warnings[0]

    def test_another_split_is_warned_of(self, folder: Path, model: Model) -> None:
        result = neocog.test(self.trained(model, folder), folder, part="test", split_seed=4)
        assert "too good" in result.warnings[0]

    def test_data_that_changed_since_are_tested_whole_and_warned_of(self, folder: Path, model: Model) -> None:
        trained = self.trained(model, folder)
        paint(folder / "red" / "new.png", "red", 100)
        result = neocog.test(trained, folder)
        assert (result.part, result.samples) == ("all", 61)
        assert "trained on data called d that are not quite these" in result.warnings[0]

    def test_other_data_are_tested_whole(self, folder: Path, model: Model) -> None:
        trained = self.trained(model, folder)
        paint(folder / "red" / "new.png", "red", 100)
        other = folder.rename(folder.with_name("other"))
        result = neocog.test(trained, other)
        assert (result.part, result.samples, result.warnings) == ("all", 61, ())

    def test_files_that_training_left_out_do_not_hide_it(self, folder: Path, model: Model) -> None:
        from neocog.data.scan import scan

        (folder / "red" / "broken.png").write_bytes(b"hello")
        readable, _ = scan(open_pictures(folder, split_seed=3), max_bad=1.0)
        known = {"data": str(folder), "split_seed": 3, "fingerprint": fingerprint(readable)}
        trained = replace(model, contract=replace(CONTRACT, training=known))
        assert neocog.test(trained, folder).part == "test"


def test_unreadable_samples_are_named_and_the_rest_measured(data: Path, model: Model) -> None:
    (data / "red" / "broken.png").write_bytes(b"hello")
    result = neocog.test(model, data)
    assert result.samples == 9
    assert result.metrics["top1"] == pytest.approx(6 / 9)
    assert [each.name for each in result.refused] == ["red/broken.png"]
    assert all(result.items.name(each.index).startswith(each.truth) for each in result.mistakes())


def test_nothing_readable_is_an_error(tmp_path: Path, model: Model) -> None:
    (tmp_path / "d/red").mkdir(parents=True)
    (tmp_path / "d/red/broken.png").write_bytes(b"hello")
    with pytest.raises(DataError, match="none of 1 samples"):
        neocog.test(model, tmp_path / "d")


def test_batches_and_threads_change_nothing(data: Path, model: Model) -> None:
    whole = neocog.test(model, data)
    for size, workers in ((1, 0), (2, 3), (4, 1)):
        other = neocog.test(model, data, batch=size, workers=workers)
        np.testing.assert_array_equal(other.confusion, whole.confusion)
        assert other.metrics == pytest.approx(whole.metrics, abs=1e-6)


def test_json_holds_plain_values(data: Path, model: Model) -> None:
    result = neocog.test(model, data)
    read = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert (read["n"], read["part"]) == (9, "all")
    assert read["top1"] == pytest.approx(6 / 9)
    assert read["confusion"] == result.confusion.tolist()
    assert read["mistakes"][0]["name"] == "blue/red0.png"


class TestFolder:
    def test_it_holds_report_and_tables(self, data: Path, model: Model, tmp_path: Path) -> None:
        (data / "red" / "broken.png").write_bytes(b"hello")
        neocog.test(model, data, out=tmp_path / "new" / "out")
        out = tmp_path / "new" / "out"
        assert {path.name for path in out.iterdir()} == {
            *("report.html", "test.json", "classes.csv", "confusion.csv", "answers.csv")
        }
        assert [path.name for path in out.parent.iterdir()] == ["out"]
        page = (out / "report.html").read_text()
        assert "data:image/png" in page  # the mistakes' thumbnails
        assert "blue/red0.png" in page
        answers = (out / "answers.csv").read_text().splitlines()
        assert answers[0] == "input,truth,label,probability,error"
        assert len(answers) == 11
        assert answers[-1].startswith("red/broken.png,,,,not a picture")
        assert (out / "confusion.csv").read_text().splitlines()[1] == "red,3,0,1"

    def test_what_is_there_is_never_overwritten(self, data: Path, model: Model, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "mine").write_text("kept")
        with pytest.raises(UsageError, match="something of that name"):
            neocog.test(model, data, out=tmp_path / "out")
        assert (tmp_path / "out" / "mine").read_text() == "kept"

    def test_a_folder_that_cannot_be_made(self, data: Path, model: Model, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises((ResourceError, UsageError)):
            neocog.test(model, data, out=tmp_path / "file" / "out")


def test_the_result_is_no_test_class() -> None:
    assert TestResult.__test__ is False
