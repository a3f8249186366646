from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from neocog.cli.check import command
from neocog.core.errors import DataError, UsageError
from neocog.data.open import open_pictures
from neocog.verbs.check import check


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def test_clean_data_leave_nothing_behind(photos, here):
    report = check(photos({"cat": 12, "dog": 12}))
    assert report.findings == ()
    assert report.list_file is None
    assert list(here.iterdir()) == []


def test_the_list_is_what_train_excludes(photos, here):
    root = photos({"cat": 12, "dog": 12})
    (root / "cat/0.png").write_bytes(b"x")
    (root / "dog/again.png").write_bytes((root / "dog/3.png").read_bytes())
    before = {path: path.read_bytes() for path in root.rglob("*.png")}
    report = check(root)
    assert report.counts == {"corrupt": 1, "duplicate": 1}
    assert report.list_file.read_text().splitlines()[0] == "path,reason"
    assert {path: path.read_bytes() for path in root.rglob("*.png")} == before
    dataset = open_pictures(root, exclude=report.list_file)
    left = {part.items.name(index) for part in dataset.parts.values() for index in range(len(part))}
    assert len(left) == 23
    assert not left & {"cat/0.png", "dog/again.png"}
    assert check(root, list_out=report.list_file).list_file == report.list_file


def test_the_users_own_table_is_never_replaced(photos, here):
    (here / "labels.csv").write_text("path,label\na,b\n")
    with pytest.raises(UsageError, match="no list of exclusions"):
        check(photos({"cat": 2, "dog": 2}), list_out="labels.csv")
    assert (here / "labels.csv").read_text() == "path,label\na,b\n"


def test_what_cannot_be_read_at_all_is_an_error(here):
    with pytest.raises(DataError):
        check("nowhere")


def test_known_sets_and_one_class_are_examined(photos, here):
    assert check().samples == {"train": 1797}
    assert check(photos({"cat": 12})).counts == {"one class": 1}


def test_the_command_prints_a_summary_or_json(photos, here):
    root = photos({"cat": 12, "dog": 12})
    for number in range(7):
        (root / f"cat/bad{number}.png").write_bytes(b"x")
    runner = CliRunner()
    plain = runner.invoke(command, [str(root)])
    assert plain.exit_code == 0
    assert "31 pictures (train 31), 2 classes" in plain.stdout
    assert "corrupt: 7 (cannot be read)" in plain.stdout
    assert "... and 2 more" in plain.stdout
    assert "--exclude neocog-check.csv" in plain.stderr
    assert "bad6" in runner.invoke(command, [str(root), "--all"]).stdout
    found = json.loads(runner.invoke(command, [str(root), "--json", "--out", "other.csv"]).stdout)
    assert found["counts"] == {"corrupt": 7}
    assert found["list"] == "other.csv"
    assert {finding["path"] for finding in found["findings"]} == {f"cat/bad{number}.png" for number in range(7)}
