"""Run folders are made once, whole, and never overwritten."""

from __future__ import annotations

import csv
import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neocog.core import runfolder, toml
from neocog.core.errors import DataError, ResourceError, UsageError

KEYS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8)
PLAIN = st.one_of(
    st.booleans(),
    st.integers(-(2**62), 2**62),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=12),
)
VALUES = st.recursive(
    PLAIN, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)), max_leaves=12
)


def make(path: Path | None, **config: Any) -> runfolder.RunFolder:
    return runfolder.create(path, network="lenet5", data="digits", config=config)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_toml_reads_back_what_was_written(values: dict[str, Any]) -> None:
    assert tomllib.loads(toml.dumps(values)) == values


def test_toml_is_laid_out_for_people() -> None:
    values = {"seed": 1, "recipe": {"betas": (0.9, 0.999)}, "phases": [{"name": "head"}, {"name": "all"}]}
    tables = ["seed = 1", "[recipe]\nbetas = [0.9, 0.999]", '[[phases]]\nname = "head"', '[[phases]]\nname = "all"']
    assert toml.dumps(values) == "\n\n".join(tables) + "\n"


@pytest.mark.parametrize("value", [None, b"bytes", object(), [None]])
def test_toml_refuses_what_it_cannot_hold(value: Any) -> None:
    with pytest.raises(TypeError, match="TOML holds"):
        toml.dumps({"a": value})


def test_out_is_made_exactly(tmp_path: Path) -> None:
    run = make(tmp_path / "new" / "run", seed=3)
    assert run.path == tmp_path / "new" / "run"
    assert run.read_config() == {"seed": 3}


def test_without_out_the_name_says_when_what_and_on_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runs = [runfolder.create(None, network="resnet18", data="/data/My Photos!.zip", config={}) for _ in range(3)]
    assert len({run.path for run in runs}) == 3
    assert all(run.path.parent == Path("runs") and "_resnet18_My-Photos" in run.path.name for run in runs)


def test_an_existing_folder_is_refused(tmp_path: Path) -> None:
    run = make(tmp_path / "run")
    before = run.path.stat().st_mtime_ns
    with pytest.raises(UsageError, match="exists already and is never overwritten; choose another --out"):
        make(run.path, seed=1)
    run.checkpoint.touch()
    with pytest.raises(UsageError, match=f"--resume {run.path}"):
        make(run.path)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="exists already"):
        make(tmp_path / "file")
    assert run.read_config() == {}
    assert before <= run.path.stat().st_mtime_ns


def test_a_folder_below_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ResourceError, match="cannot be made"):
        make(tmp_path / "file" / "run")


def test_an_unwritable_folder_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, text: str) -> None:
        raise ResourceError(f"{path}: may not be written")

    monkeypatch.setattr(runfolder, "write_text", refuse)
    with pytest.raises(ResourceError):
        make(tmp_path / "a" / "b" / "run")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_parent_is_one_clear_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ResourceError, match="cannot be made"):
        make(tmp_path / "run")
    tmp_path.chmod(0o700)


def test_discard_takes_only_what_was_made(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    run = make(tmp_path / "mine" / "deep" / "run")
    run.log("begun")
    run.discard()
    assert list((tmp_path / "mine").iterdir()) == []
    kept = make(tmp_path / "kept")
    runfolder.reopen(kept.path).discard()
    assert kept.path.is_dir()


def test_reopen_wants_a_run_folder_and_sweeps_it(tmp_path: Path) -> None:
    run = make(tmp_path / "run")
    (run.path / ".last.ckpt.12-34.tmp").touch()
    assert runfolder.reopen(run.path).path == run.path
    assert [entry.name for entry in run.path.iterdir()] == ["config.toml"]
    with pytest.raises(UsageError, match="got nothing"):
        runfolder.reopen(tmp_path / "none")
    with pytest.raises(UsageError, match="no config"):
        runfolder.reopen(tmp_path)


def test_a_damaged_configuration_is_one_clear_line(tmp_path: Path) -> None:
    run = make(tmp_path / "run")
    (run.path / "config.toml").write_text("seed = ")
    with pytest.raises(DataError, match="cannot be read as a run's configuration"):
        run.read_config()


def test_files_hold_what_they_say(tmp_path: Path) -> None:
    run = make(tmp_path / "run")
    run.write_metrics([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.1 + 0.2, "val_top1": 0.9}])
    rows = list(csv.DictReader((run.path / "metrics.csv").read_text().splitlines()))
    assert rows[0] == {"epoch": "1", "loss": "0.5", "val_top1": ""}
    assert float(rows[1]["loss"]) == 0.1 + 0.2
    run.write_split([("a,b.jpg", "cat", "train")])
    assert (run.path / "split.csv").read_text() == 'path,label,part\n"a,b.jpg",cat,train\n'
    run.write_summary({"test": {"top1": 0.5}})
    assert json.loads((run.path / "summary.json").read_text()) == {"test": {"top1": 0.5}}
    run.log("note", text="é")
    run.log("end")
    lines = [json.loads(line) for line in (run.path / "log.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["note", "end"]
    assert lines[0]["text"] == "é"
