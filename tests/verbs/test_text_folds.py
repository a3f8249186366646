"""Cross-validation: every sample is tested once, by a model that has not seen it."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time

import pytest

import neocog
from neocog.core.errors import DataError, NeocogError, UsageError
from neocog.data.folds import with_fold
from neocog.data.text_open import open_texts
from neocog.training.interrupts import Interrupted
from neocog.verbs import folds
from neocog.verbs import train as training


def films(path, count=60):
    path.write_text("".join(f"{'pos' if n % 3 else 'neg'} film {n // 2 if n < 8 else n}\n" for n in range(count)))
    return path


def test_folds_are_stratified_hold_each_sample_once_and_keep_copies_together(tmp_path):
    data = open_texts(films(tmp_path / "x.txt"), for_training=False)
    made = [with_fold(data, fold, 5) for fold in range(1, 6)]
    names = [name for each in made for name in each.parts["test"].items.names]
    assert sorted(names) == sorted(data.parts["train"].items.names)
    for each in made:
        tested = set(each.parts["test"].items.texts)
        assert not tested & set(each.parts["train"].items.texts)
        assert len(each.parts["test"]) + len(each.parts["train"]) == 60
        assert 2 <= each.parts["test"].labels.count(0) <= 6
    assert with_fold(data, 1, 5, seed=1).parts["test"].items.names != made[0].parts["test"].items.names
    with pytest.raises(UsageError, match="fold 6"):
        with_fold(data, 6, 5)
    with pytest.raises(DataError, match="too few for 61 folds"):
        with_fold(data, 1, 61)
    with pytest.raises(DataError, match="has the parts train, test"):
        with_fold(made[0], 1, 5)


@pytest.mark.parametrize("at_once", [1, 2])
def test_folds_that_cannot_begin_leave_no_folder(tmp_path, monkeypatch, at_once):
    monkeypatch.setattr(folds, "cores", lambda: at_once)
    with pytest.raises(NeocogError, match="too few for 61 folds"):
        neocog.train(films(tmp_path / "x.txt"), folds=61, recipe="smoke", out=tmp_path / "out", quiet=True)
    assert not (tmp_path / "out").exists()


def test_a_run_a_fold_and_their_mean(tmp_path):
    data, out = films(tmp_path / "x.txt"), tmp_path / "out"
    found = neocog.train(data, folds=3, recipe="smoke", dimension=4, out=out, quiet=True, device="cpu")
    summary = json.loads((out / "folds.json").read_text())
    assert summary["test"]["n"] == 60
    assert summary["test"]["top1"] == pytest.approx(sum(each["top1"] for each in summary["folds"]) / 3)
    assert "over 3 folds, spread" in found.text()
    tables = [csv.DictReader((each / "split.csv").read_text().splitlines()) for each in sorted(out.glob("fold-*"))]
    tested = [row for table in tables for row in table if row["part"] == "test"]
    assert len({next(iter(row.values())) for row in tested}) == 60
    again = neocog.test(out / "fold-02" / "model.safetensors", data, device="cpu")
    assert again.samples == summary["folds"][1]["n"]
    assert again.metrics["top1"] == summary["folds"][1]["top1"]
    assert not again.warnings
    with pytest.raises(UsageError, match="already"):
        neocog.train(data, folds=3, recipe="smoke", out=out, quiet=True)


def test_a_test_knows_what_a_part_of_the_samples_was_trained_on(tmp_path):
    data = films(tmp_path / "x.txt")
    options = {"recipe": "smoke", "dimension": 4, "quiet": True, "device": "cpu"}
    few = neocog.train(data, samples=20, out=tmp_path / "few", **options)
    kept = neocog.test(few.folder / "model.safetensors", data, device="cpu")
    assert (kept.samples, kept.warnings) == (few.summary["test"]["n"], ())
    whole = neocog.test(few.folder / "model.safetensors", data, part="all", device="cpu")
    assert f"trained on {few.summary['samples']['train']} of these 60 samples" in whole.warnings[0]


def test_data_of_the_same_name_that_differ_are_warned_of(tmp_path):
    data = films(tmp_path / "x.txt")
    options = {"recipe": "smoke", "dimension": 4, "quiet": True, "device": "cpu"}
    run = neocog.train(data, exclude=["x.txt:9"], out=tmp_path / "run", **options)
    model = run.folder / "model.safetensors"
    found = neocog.test(model, data, device="cpu")
    assert found.samples == 60
    assert "trained on data called x.txt that are not quite these" in found.warnings[0]
    assert not neocog.test(model, data, exclude=["x.txt:9"], device="cpu").warnings
    other = films(tmp_path / "y.txt")
    assert not neocog.test(model, other, device="cpu").warnings


def figures(folder):
    summary = json.loads((folder / "folds.json").read_text())
    return summary["test"], summary["folds"]


def test_a_cross_validation_goes_on_where_it_was_interrupted(tmp_path, monkeypatch):
    data = films(tmp_path / "x.txt")
    monkeypatch.setattr(folds, "cores", lambda: 1)
    options = {"folds": 3, "recipe": "smoke", "dimension": 4, "quiet": True, "device": "cpu"}
    whole = neocog.train(data, out=tmp_path / "whole", **options)
    write_model = training.write_model

    def interrupted(folder, *rest):
        if folder.path.name == "fold-02":
            raise KeyboardInterrupt
        return write_model(folder, *rest)

    monkeypatch.setattr(training, "write_model", interrupted)
    out = tmp_path / "out"
    with pytest.raises(Interrupted, match=f"--resume {out}"):
        neocog.train(data, out=out, **options)
    monkeypatch.undo()
    monkeypatch.setattr(folds, "cores", lambda: 1)
    first = (out / "fold-01" / "model.safetensors").stat().st_mtime_ns
    (out / "fold-03").mkdir()  # killed before it had its configuration
    found = neocog.train(resume=out, quiet=True)
    assert figures(out) == figures(whole.folder)
    assert (out / "fold-01" / "model.safetensors").stat().st_mtime_ns == first
    assert found.text().replace(str(out), "") == whole.text().replace(str(whole.folder), "")
    with pytest.raises(UsageError, match=f"--resume {out}"):
        neocog.train(data, out=out, **options)
    with pytest.raises(UsageError, match="takes no other option"):
        neocog.train(resume=out, epochs=3)


def test_what_was_interrupted_before_a_fold_began_leaves_nothing_to_continue(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(folds, "_one_by_one", interrupted)
    monkeypatch.setattr(folds, "_together", interrupted)
    with pytest.raises(Interrupted, match="nothing was kept"):
        neocog.train(films(tmp_path / "x.txt"), folds=3, out=tmp_path / "out", quiet=True, device="cpu")
    assert not (tmp_path / "out").exists()


def test_a_terminated_cross_validation_leaves_no_process_and_goes_on(tmp_path):
    data, out = films(tmp_path / "x.txt"), tmp_path / "out"
    words = [sys.executable, "-m", "neocog", "train", str(data), "--folds", "3", "--recipe", "smoke", "--device", "cpu"]
    with subprocess.Popen([*words, "--epochs", "40", "--out", str(out)], stderr=subprocess.PIPE, text=True) as process:
        while not any(out.glob("fold-*/last.ckpt")) and process.poll() is None:
            time.sleep(0.05)
        process.terminate()
        said = process.communicate(timeout=120)[1]
    if process.returncode:  # it may just have ended
        assert process.returncode == 2
        assert f"--resume {out}" in said.splitlines()[-1]
        assert "Traceback" not in said
    neocog.train(resume=out, quiet=True)
    test, each = figures(out)
    assert test["n"] == 60
    assert len(each) == 3
