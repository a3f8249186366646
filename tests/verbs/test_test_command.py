"""`neocog test`: what lies on stdout, on stderr, and in the exit status."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from colours import COLOURS, paint

from neocog.cli.test import command
from neocog.core.errors import NeocogError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for colour in COLOURS:
        for number in range(3):
            paint(tmp_path / "data" / colour / f"{number}.png", colour, 255 - number)
    return tmp_path / "data"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(each) for each in arguments])


def test_text_says_what_was_tested(data: Path, model_file: Path) -> None:
    done = run(model_file, data)
    assert done.exit_code == 0
    assert f"all of {data}: 9 samples" in done.stderr
    for part in ("top-1", "95 % interval", "macro F1", "precision", "confusion", "calibration", "worst mistakes"):
        assert part in done.stdout


def test_csv_is_a_row_a_class(data: Path, model_file: Path) -> None:
    done = run(model_file, data, "--csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["class"] for row in rows] == list(COLOURS)
    assert [row["support"] for row in rows] == ["3", "3", "3"]
    assert list(rows[0]) == ["class", "precision", "recall", "f1", "support", "predicted"]


def test_json_is_one_object(data: Path, model_file: Path) -> None:
    read = json.loads(run(model_file, data, "--json").stdout)
    assert read["n"] == 9
    assert 0 <= read["top1_interval"][0] <= read["top1"] <= read["top1_interval"][1] <= 1


def test_unreadable_samples_are_named_and_the_status_is_one(data: Path, model_file: Path) -> None:
    (data / "red" / "broken.png").write_bytes(b"hello")
    done = run(model_file, data, "--json")
    assert done.exit_code == 1
    assert "unreadable: red/broken.png: not a picture" in done.stderr
    read = json.loads(done.stdout)
    assert (read["n"], read["refused"][0]["name"]) == (9, "red/broken.png")


def test_an_unknown_class_is_an_error(data: Path, model_file: Path) -> None:
    (data / "red").rename(data / "crimson")
    done = run(model_file, data)
    assert isinstance(done.exception, NeocogError)
    assert "crimson" in str(done.exception)


def test_many_classes_are_listed_by_their_largest_confusions() -> None:
    import numpy as np

    from neocog.cli.figures import as_text
    from neocog.core.contract import ModelContract
    from neocog.data.items import ArrayItems
    from neocog.tasks.evaluation import TestResult
    from neocog.tasks.metrics import Answers

    names = tuple(f"class {place}" for place in range(20))
    truth = np.array([0, 0, 0, 5, 7])
    predicted = np.array([3, 3, 0, 5, 8])
    logs = np.log(np.full((5, 20), 0.01) + 0.8 * np.eye(20)[predicted])
    result = TestResult(
        contract=ModelContract("net", {"classes": 20}, "image classification", names, {}),
        data="d",
        part="all",
        statement="all of d",
        items=ArrayItems(np.zeros((5, 2, 2), np.uint8), "all"),
        answers=Answers(logs, truth, np.arange(5)),
    )
    lines = as_text(result).splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("most frequent confusions"))
    assert [line.split() for line in lines[place + 1 : place + 3]] == [
        ["class", "0", "->", "class", "3", "2"],
        ["class", "7", "->", "class", "8", "1"],
    ]
    assert lines[place + 3] == ""
