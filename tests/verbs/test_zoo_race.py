"""A race: one protocol, a row for each network whatever happens to it, and none trained twice."""

from __future__ import annotations

import csv
import json
import shutil
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from neocog.cli.zoo import RACE_COLUMNS, command
from neocog.core.errors import NetworkError, UsageError
from neocog.training.interrupts import Interrupted
from neocog.verbs import race as racing
from neocog.verbs.contestants import contest
from neocog.verbs.zoo import RACING, zoo


@pytest.fixture
def squares(tmp_path: Path) -> Path:
    """An .npz of 12x12 grey pictures: class k is a bright row at height 3k + 2 on noise."""
    generator = np.random.default_rng(0)
    labels = np.arange(36) % 2
    pictures = generator.integers(0, 60, (36, 12, 12)).astype(np.uint8)
    for place, label in enumerate(labels):
        pictures[place, 3 * label + 1 : 3 * label + 4] += 150
    path = tmp_path / "rows.npz"
    np.savez(path, x=pictures, y=labels)
    return path


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "race.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_network_that_fails_is_a_row_and_the_race_goes_on(squares: Path, tmp_path: Path) -> None:
    out = tmp_path / "race"
    race = zoo(race=squares, nets="resnet20, lenet5_modern,lenet5", size=28, recipe="smoke", out=out, quiet=True)
    assert [(each.network, bool(each.error)) for each in race.results] == [
        ("resnet20", False),
        ("lenet5_modern", True),
        ("lenet5", True),
    ]
    rows = {row["network"]: row for row in rows_of(out)}
    assert tuple(rows["lenet5"]) == RACE_COLUMNS
    assert "at least 32" in rows["lenet5"]["error"]
    assert rows["lenet5"]["top1"] == ""
    assert (
        0 <= float(rows["resnet20"]["low"]) <= float(rows["resnet20"]["top1"]) <= float(rows["resnet20"]["high"]) <= 1
    )
    assert int(rows["resnet20"]["n"]) > 0
    page = (out / "race.md").read_text("utf-8")
    assert "recipe: smoke" in page and "input: 28x28x1" in page and "lenet5 failed: " in page
    for ending in ("svg", "png"):
        assert (out / f"race.{ending}").stat().st_size > 1000


def test_all_have_the_same_data_split_and_input(squares: Path, tmp_path: Path) -> None:
    race = zoo(race=squares, nets=["lenet5_modern", "resnet20"], recipe="smoke", out=tmp_path / "race", quiet=True)
    contracts = [
        json.loads((tmp_path / "race" / f"{each.network}-seed0" / "summary.json").read_text()) for each in race.results
    ]
    assert contracts[0]["fingerprint"] == contracts[1]["fingerprint"] == race.protocol["fingerprint"]
    splits = {(tmp_path / "race" / f"{each.network}-seed0" / "split.csv").read_bytes() for each in race.results}
    assert len(splits) == 1
    assert race.protocol["input"].startswith("32x32x1")
    assert race.results[0].macs == 416_520 - 84 * 8  # two classes instead of ten
    assert [each.year for each in race.results] == [1998, 2015]


def test_a_killed_race_goes_on_where_it_was(squares: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, trained = tmp_path / "race", []
    train = racing.train

    def watched(*arguments: object, **options: object) -> object:
        trained.append(options.get("net") or f"resumed {Path(str(options['resume'])).name}")
        if options.get("net") == "lenet5":
            raise Interrupted("stopped by you")
        return train(*arguments, **options)

    monkeypatch.setattr(racing, "train", watched)
    options = {
        "race": squares,
        "nets": "lenet5_modern,lenet5,resnet20",
        "recipe": "smoke",
        "out": out,
        "quiet": True,
    }
    with pytest.raises(Interrupted):
        zoo(**options)
    assert trained == ["lenet5_modern", "lenet5"]
    first = (out / "lenet5_modern-seed0" / "model.safetensors").read_bytes()
    trained.clear()
    monkeypatch.setattr(racing, "train", lambda *a, **o: (trained.append(o.get("net") or "read"), train(*a, **o))[1])
    race = zoo(**options)
    assert trained == ["read", "lenet5", "resnet20"]
    assert (out / "lenet5_modern-seed0" / "model.safetensors").read_bytes() == first
    assert not any(each.error for each in race.results)
    again = zoo(**options)
    assert again.results == race.results


def test_a_run_that_was_cut_off_is_resumed(squares: Path, tmp_path: Path) -> None:
    out = tmp_path / "race"
    options = {"race": squares, "nets": "lenet5_modern", "recipe": "smoke", "out": out, "quiet": True}
    before = zoo(**options).results[0]
    (out / "lenet5_modern-seed0" / "summary.json").unlink()
    after = zoo(**options).results[0]
    assert (after.top1, after.params) == (before.top1, before.params)
    shutil.rmtree(out / "lenet5_modern-seed0")
    (out / "lenet5_modern-seed0").mkdir()  # killed before it had anything
    assert zoo(**options).results[0].top1 == before.top1


def test_a_folder_belongs_to_one_protocol(squares: Path, tmp_path: Path) -> None:
    out = tmp_path / "race"
    options = {"race": squares, "nets": "lenet5_modern", "recipe": "smoke", "out": out, "quiet": True}
    zoo(**options)
    with pytest.raises(UsageError, match=r"another protocol \(epochs differ\)"):
        zoo(**options, epochs=3)
    (tmp_path / "mine").mkdir()
    with pytest.raises(UsageError, match="holds no race"):
        zoo(**{**options, "out": tmp_path / "mine"})


def test_the_verb_knows_the_options_of_a_race() -> None:
    own = {name for name, each in signature(racing.race_networks).parameters.items() if each.kind is each.KEYWORD_ONLY}
    assert own == set(RACING) <= set(signature(zoo).parameters)


def test_seeds_are_averaged(squares: Path, tmp_path: Path) -> None:
    out = tmp_path / "race"
    [result] = zoo(race=squares, nets="lenet5_modern", recipe="smoke", seeds=2, out=out, quiet=True).results
    tops = [
        json.loads((out / f"lenet5_modern-seed{seed}" / "summary.json").read_text())["test"]["top1"] for seed in (0, 1)
    ]
    assert result.top1 == pytest.approx(sum(tops) / 2)
    assert result.spread == pytest.approx(abs(tops[0] - tops[1]))
    assert result.runs == 2
    assert "points over 2" in (out / "race.md").read_text("utf-8")


def test_fewer_samples_leave_the_other_parts_whole(squares: Path) -> None:
    all_of_them = contest(squares, ("lenet5_modern",), {"recipe": "smoke"}).protocol["pictures"]
    fewer = contest(squares, ("lenet5_modern",), {"recipe": "smoke", "samples": 8}).protocol["pictures"]
    assert fewer == {**all_of_them, "train": 8}


def test_without_names_those_that_fit_take_part(squares: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from neocog.architectures import record

    asked = ("lenet5_modern", "keras_cifar", "alexnet", "vgg16", "yolo_v1", "resnet18")
    monkeypatch.setattr("neocog.verbs.contestants.records", lambda: tuple(record(name) for name in asked))
    found = contest(squares, None, {"recipe": "smoke"}).networks
    assert found == ("lenet5_modern", "keras_cifar"), "the others are for larger pictures"


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"nets": "lenet51"}, NetworkError, "Did you mean lenet5"),
        ({"recipe": "paper"}, UsageError, "another for each"),
        ({"seeds": 0}, UsageError, "seeds"),
        ({"task": "image"}, UsageError, "--task does not go with a race"),
        ({"epochs": 0}, UsageError, "epochs"),
        ({"samples": 1}, UsageError, "one for each of the 2 classes"),
    ],
)
def test_what_cannot_be_followed_leaves_nothing(
    squares: Path, tmp_path: Path, options: dict[str, object], kind: type[Exception], words: str
) -> None:
    given = {"nets": "lenet5_modern", "recipe": "smoke", "out": tmp_path / "race", "quiet": True, **options}
    with pytest.raises(kind, match=words):
        zoo(race=squares, **given)
    assert not (tmp_path / "race").exists()


def test_the_command_says_by_its_status_whether_some_failed(squares: Path, tmp_path: Path) -> None:
    common = ["--race", str(squares), "--recipe", "smoke", "--quiet", "--csv", "--out"]
    some = CliRunner().invoke(
        command, [*common, str(tmp_path / "a"), "--nets", "lenet5_modern,yolo_v1"], standalone_mode=False
    )
    assert some.return_value == 1
    assert [row["network"] for row in csv.DictReader(some.stdout.splitlines())] == ["lenet5_modern", "yolo_v1"]
    none = CliRunner().invoke(command, [*common, str(tmp_path / "b"), "--nets", "yolo_v1"], standalone_mode=False)
    assert none.return_value == 2
