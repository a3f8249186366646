"""`neocog.train`: what a run leaves, what a seed fixes, what is refused and what is left behind then."""

from __future__ import annotations

import csv
import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from colours import paint

import neocog
from neocog.core.errors import DataError, NeocogError, NetworkError, ResourceError, UsageError
from neocog.tasks.options import TrainOptions, make_options
from neocog.tasks.plan import Plan


def squares(path: Path, *, count: int = 24, classes: int = 2, seed: int = 0) -> Path:
    """Writes an .npz of 12x12 grey pictures: class k is a bright row at height 3k + 2 on noise."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    pictures = generator.integers(0, 60, (count, 12, 12)).astype(np.uint8)
    for place, label in enumerate(labels):
        pictures[place, 3 * label + 1 : 3 * label + 4] += 150
    np.savez(path, x=pictures, y=labels)
    return path


def weights_of(run_folder: Path) -> dict[str, torch.Tensor]:
    return dict(neocog.load(run_folder / "model.safetensors").network.state_dict())


def test_a_run_leaves_what_the_design_says(tmp_path: Path) -> None:
    data, out = squares(tmp_path / "rows.npz"), tmp_path / "run"
    run = neocog.train(data, recipe="smoke", out=out, quiet=True)
    assert {path.name for path in out.iterdir()} == {
        "model.safetensors",
        "last.ckpt",
        "config.toml",
        "metrics.csv",
        "split.csv",
        "summary.json",
        "report.html",
        "log.jsonl",
    }
    summary = json.loads((out / "summary.json").read_text())
    assert summary["task"] == "image classification"
    rows = csv.DictReader((out / "split.csv").read_text().splitlines())
    assert summary["test"]["n"] == sum(row["part"] == "test" for row in rows)
    assert run.summary == summary
    assert 0 <= summary["test"]["top1"] <= 1
    assert run.model.classes == ("0", "1")


def test_rows_of_light_are_learned_perfectly(tmp_path: Path) -> None:
    data = squares(tmp_path / "rows.npz", count=120, classes=3)
    run = neocog.train(data, net="lenet5_modern", epochs=12, lr=0.003, out=tmp_path / "run", quiet=True, shift=0)
    assert run.metrics["top1"] == 1.0
    assert neocog.test(run.folder / "model.safetensors", data, part="test").metrics["top1"] == 1.0


def test_a_seed_fixes_the_weights_and_another_changes_them(tmp_path: Path) -> None:
    data = squares(tmp_path / "rows.npz")
    for name, seed, workers in (("a", 3, 0), ("b", 3, 2), ("c", 4, 0)):
        neocog.train(data, recipe="smoke", seed=seed, workers=workers, out=tmp_path / name, quiet=True)
    first, same, other = (weights_of(tmp_path / name) for name in "abc")
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)
    splits = [(tmp_path / name / "split.csv").read_bytes() for name in "abc"]
    assert splits[0] == splits[1] == splits[2], "the split has a seed of its own"


def test_the_configuration_trains_the_same_again(tmp_path: Path) -> None:
    data = squares(tmp_path / "rows.npz")
    neocog.train(data, recipe="smoke", mixup=0.2, flip=True, out=tmp_path / "a", quiet=True)
    config = tomllib.loads((tmp_path / "a" / "config.toml").read_text())
    options = dict(config["options"])
    neocog.train(options.pop("data"), **options, out=tmp_path / "b", quiet=True)
    first, again = weights_of(tmp_path / "a"), weights_of(tmp_path / "b")
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert Plan.from_config(config["plan"]).recipe.mixup == 0.2


def test_the_test_part_is_never_trained_on(tmp_path: Path) -> None:
    """Changing the pictures of the test part must not change one bit of the weights."""
    folder = tmp_path / "pictures"
    for part in ("train", "val", "test"):
        for colour in ("red", "blue"):
            for place in range(6):
                paint(folder / part / colour / f"{place}.png", colour, 100 + 20 * place)
    neocog.train(folder, recipe="smoke", net="keras_cifar", out=tmp_path / "a", quiet=True)
    for path in sorted((folder / "test" / "red").iterdir()):
        path.write_bytes((folder / "test" / "blue" / path.name).read_bytes())
    neocog.train(folder, recipe="smoke", net="keras_cifar", out=tmp_path / "b", quiet=True)
    first, again = weights_of(tmp_path / "a"), weights_of(tmp_path / "b")
    assert all(torch.equal(first[name], again[name]) for name in first)


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"net": "resnet81"}, NetworkError, "resnet18"),
        ({"net": "lenet5", "size": 8}, NetworkError, "at least 32"),
        ({"epoch": 3}, UsageError, "epochs"),
        ({"recipe": "slow"}, UsageError, "fast"),
        ({"recipe": "paper", "net": "lenet5_modern"}, UsageError, "paper"),
        ({"epochs": 0}, UsageError, "epochs"),
        ({"lr": "quick"}, UsageError, "find"),
        ({"lr": -1.0}, UsageError, "positive"),
        ({"transfer": "finetune"}, UsageError, "weights"),
        ({"device": "tpu"}, UsageError, "cuda"),
        ({"task": "detection"}, UsageError, "image classification"),
        ({"batch": 1, "net": "resnet18"}, NeocogError, "batch"),
    ],
)
def test_what_cannot_be_followed_is_refused_and_leaves_nothing(
    tmp_path: Path, options: dict[str, object], kind: type[Exception], words: str
) -> None:
    data, out = squares(tmp_path / "rows.npz"), tmp_path / "deep" / "run"
    with pytest.raises(kind, match=words):
        neocog.train(data, **{"recipe": "smoke", "out": out, "quiet": True, **options})
    assert not (tmp_path / "deep").exists()


def test_one_class_and_missing_data_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    paint(tmp_path / "one" / "red" / "a.png", "red")
    for data, words in ((tmp_path / "nowhere", "nowhere"), (tmp_path / "empty", "empty"), (tmp_path / "one", "class")):
        with pytest.raises(DataError, match=words):
            neocog.train(data, out=tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()


def test_a_run_folder_is_never_overwritten(tmp_path: Path) -> None:
    data, out = squares(tmp_path / "rows.npz"), tmp_path / "run"
    out.mkdir()
    (out / "precious").write_text("mine")
    with pytest.raises(UsageError, match="exists"):
        neocog.train(data, recipe="smoke", out=out, quiet=True)
    assert [path.name for path in out.iterdir()] == ["precious"]


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    data = squares(tmp_path / "rows.npz")
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ResourceError, match="cannot be made"):
        neocog.train(data, recipe="smoke", out=tmp_path / "file" / "run", quiet=True)


def test_resuming_takes_no_other_option_and_only_a_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no other option"):
        neocog.train(resume=tmp_path, epochs=3)
    with pytest.raises(UsageError, match=r"config\.toml"):
        neocog.train(resume=tmp_path)


def test_resuming_a_finished_run_changes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "run"
    neocog.train(squares(tmp_path / "rows.npz"), recipe="smoke", out=out, quiet=True)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    again = neocog.train(resume=out, quiet=True)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert again.summary == json.loads(before["summary.json"])


def test_resuming_with_other_data_is_refused(tmp_path: Path) -> None:
    data, out = squares(tmp_path / "rows.npz"), tmp_path / "run"
    neocog.train(data, recipe="smoke", out=out, quiet=True)
    (out / "summary.json").unlink()
    squares(data, count=26)
    with pytest.raises(DataError, match="continued exactly"):
        neocog.train(resume=out, quiet=True)


def test_options_come_back_from_their_configuration() -> None:
    options = make_options("photos", {"epochs": 3, "flip": False, "lr": 0.01, "out": "x", "everything": True})
    config = options.to_config()
    assert config == {"data": "photos", "epochs": 3, "flip": False, "lr": "0.01", "everything": True}
    again = make_options(config.pop("data"), config)
    assert again == TrainOptions(**{**vars(options), "out": None})
