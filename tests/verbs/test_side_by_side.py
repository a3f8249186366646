"""Processes side by side: how many at once, what a failure leaves, and what Ctrl-C does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import neocog
from neocog.core.errors import NeocogError, TrainingError
from neocog.verbs import side_by_side as module
from neocog.verbs.side_by_side import side_by_side


@pytest.fixture
def counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In place of ``neocog`` a program that writes into a log when it begins and ends; ``fail`` and ``wait`` do so."""
    program = tmp_path / "program.py"
    program.write_text(
        "import os, sys, time\n"
        f"log = open({str(tmp_path / 'log')!r}, 'a', buffering=1)\n"
        "name = sys.argv[-1]\n"
        "log.write(f'begin {name} {os.environ[\"OMP_NUM_THREADS\"]}\\n')\n"
        "time.sleep(30 if name == 'wait' else 0.3)\n"
        "if name == 'fail':\n"
        "    sys.exit('neocog: it cannot be followed')\n"
        "log.write(f'end {name}\\n')\n"
    )
    launcher = tmp_path / "python"
    launcher.write_text(f'#!/bin/sh\nexec {sys.executable} {program} "$@"\n')
    launcher.chmod(0o755)
    monkeypatch.setattr(module.sys, "executable", str(launcher))
    return tmp_path / "log"


def test_at_most_so_many_run_at_once_and_each_is_told(counted: Path) -> None:
    told: list[int] = []
    side_by_side([["a"], ["b"], ["c"], ["d"], ["e"]], 2, 3, told.append)
    assert sorted(told) == [0, 1, 2, 3, 4]
    running = most = 0
    for line in counted.read_text().splitlines():
        running += 1 if line.startswith("begin") else -1
        most = max(most, running)
    assert most == 2
    assert "begin a 3" in counted.read_text()


def test_the_first_failure_stops_the_others_and_says_its_line(counted: Path) -> None:
    with pytest.raises(TrainingError, match=r"^it cannot be followed$"):
        side_by_side([["fail"], ["wait"], ["a"]], 2, 1, lambda _: None)
    assert "end wait" not in counted.read_text()
    assert "begin a" not in counted.read_text()


def test_ctrl_c_stops_all(counted: Path) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        side_by_side([["a"], ["wait"]], 2, 1, interrupt)
    assert "end wait" not in counted.read_text()


def test_what_cannot_be_followed_leaves_no_folder(tmp_path: Path) -> None:
    texts = tmp_path / "x.txt"
    texts.write_text("".join(f"{'pos' if n % 3 else 'neg'} film {n}\n" for n in range(30)))
    with pytest.raises(NeocogError, match="resnet18"):
        neocog.train(texts, folds=2, net="resnet18", out=str(tmp_path / "out"), device="cpu", quiet=True)
    assert not (tmp_path / "out").exists()
