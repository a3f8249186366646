"""`neocog predict`: what lies on stdout, on stderr, and in the exit status."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from colours import paint

from neocog.cli import main

HEADER = "input,label,probability,error"


@dataclass(frozen=True)
class Done:
    """What a command left."""

    returncode: int
    stdout: bytes
    stderr: bytes


Run = Callable[..., Done]


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command line in this process, which spares importing torch each time."""

    def run(*arguments: str | Path, stdin: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = main.run(["predict", *map(os.fspath, arguments)])
        return Done(status, *capfdbinary.readouterr())

    return run


def rows(output: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(output.decode("utf-8", "surrogateescape"), newline="")))


def test_csv_holds_one_row_an_input_in_order(run: Run, painted: Path, model_file: Path) -> None:
    done = run(model_file, "photos/b.png", "photos", "--csv", "no.png", "-", stdin=b"photos/a.png\n")
    assert done.returncode == 1
    assert done.stdout.decode().splitlines()[0] == HEADER
    read = rows(done.stdout)
    assert [row[0] for row in read[1:]] == [
        "photos/b.png",
        *("photos/a.png", "photos/b.png", "photos/broken.png", "photos/deep/g.JPG"),
        "no.png",
        "photos/a.png",
    ]
    for row in read[1:]:
        assert len(row) == 4
        assert bool(row[3]) == (row[0] in ("photos/broken.png", "no.png"))
        assert bool(row[3]) == (row[1] == row[2] == "")
        assert row[3] or (row[1] in ("red", "green", "blue") and 1 / 3 <= float(row[2]) <= 1)
    assert read[1] == read[3]
    assert b"2 of 7 inputs refused" in done.stderr


def test_awkward_names_come_back_as_they_were(run: Run, painted: Path, model_file: Path) -> None:
    names = ["a,b.png", 'q"q.png', "line\nbreak.png", "return\r.png", "ä 漢.png", "=1+1.png", "tab\t.png"]
    names.append(os.fsdecode(b"raw \xff.png"))
    for name in names:
        paint(Path("odd") / name, "red")
    expected = sorted(f"odd/{name}" for name in names)
    done = run(model_file, "odd", "--csv")
    assert done.returncode == 0
    assert [row[0] for row in rows(done.stdout)[1:]] == expected
    done = run(model_file, "odd", "--jsonl")
    assert [json.loads(line)["input"] for line in done.stdout.splitlines()] == expected
    table = run(model_file, "odd").stdout.splitlines()
    assert len(table) == len(names) + 1


def test_top(run: Run, painted: Path, model_file: Path) -> None:
    done = run(model_file, "photos/a.png", "no.png", "--csv", "--top", "2")
    header, answer, refused = rows(done.stdout)
    assert header == ["input", "label", "probability", "label_2", "probability_2", "error"]
    assert float(answer[2]) >= float(answer[4])
    assert refused[:5] == ["no.png", "", "", "", ""]
    done = run(model_file, "photos/a.png", "--csv", "--top", "9")
    assert done.returncode == 0
    assert len(rows(done.stdout)[0]) == 8  # three classes, no more
    assert b"knows 3 classes" in done.stderr


def test_json_lines(run: Run, painted: Path, model_file: Path) -> None:
    done = run(model_file, "photos/a.png", "no.png", "--jsonl", "--top", "3")
    answer, refused = map(json.loads, done.stdout.splitlines())
    assert answer["label"] == answer["labels"][0]
    assert answer["probability"] == answer["probabilities"][0]
    assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-6)
    assert answer["error"] is None
    assert refused == {
        **{"input": "no.png", "label": "", "probability": None, "labels": [], "probabilities": []},
        "error": "there is no such file",
    }


@pytest.mark.parametrize("arguments", [["photos/*.gif"], [], ["-"], ["photos/a.png", "--top", "0"], ["--nonsense"]])
def test_nothing_done_is_two(run: Run, painted: Path, model_file: Path, arguments: Sequence[str]) -> None:
    done = run(model_file, *arguments)
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr.startswith(b"neocog: ")
    assert done.stderr.count(b"\n") == 1


def test_a_bad_model_is_two(run: Run, painted: Path) -> None:
    done = run("photos/a.png", "photos")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"got a PNG picture" in done.stderr


def test_a_reader_that_leaves_is_no_error(painted: Path, model_file: Path) -> None:
    command = [sys.executable, "-m", "neocog", "predict", str(model_file), "-", "--jsonl", "--batch", "8"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.close()
        _, errors = process.communicate(b"photos/a.png\nphotos/broken.png\n" * 200, timeout=120)
    assert (process.returncode, errors) == (0, b"")
