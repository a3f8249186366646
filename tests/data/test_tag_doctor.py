"""The doctor of tagged sentences, on a set with one of each trouble."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from neocog.cli.check import command
from neocog.data.conll_open import open_tagged
from neocog.data.tag_doctor import examine

FIRST = "The B-NP\nold I-NP\ncat I-NP\nsees B-VP\nthe B-NP\ndog I-NP\n"
AGAIN = FIRST.replace("cat I-NP", "cat B-NP")
BROKEN = "It B-NP\nruns I-VP\n"
SHORT = "Thank B-VP\nyou B-NP\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    long = "".join(f"word{place} O\n" for place in range(70))
    (tmp_path / "train.txt").write_text("\n".join([FIRST, FIRST, AGAIN, BROKEN, SHORT, SHORT, long]))
    (tmp_path / "test.txt").write_text("\n".join([FIRST, "Now B-ADVP\n", SHORT]))
    return tmp_path


def test_each_trouble_is_found_and_named(folder: Path) -> None:
    found = [(each.kind, each.part, each.name, each.propose) for each in examine(open_tagged(folder))]
    assert ("conflict", "train", "train.txt:15", True) in found
    assert ("leak", "train", "train.txt:1", True) in found
    assert ("leak", "train", "train.txt:8", True) in found
    assert [(part, name) for kind, part, name, _ in found if kind == "ill-formed"] == [("train", "train.txt:22")]
    assert [name for kind, _, name, _ in found if kind == "long"] == ["train.txt:31"]
    details = {each.kind: each.detail for each in examine(open_tagged(folder))}
    assert details["ill-formed"] == "I-VP behind B-NP at 'runs', in IOB2"
    assert details["missing class"] == "B-ADVP"
    assert details["tiny class"] == "I-VP: 1 word"
    assert not any("train.txt:25" in each.name for each in examine(open_tagged(folder)))  # often said


def test_the_command_writes_the_list(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    done = CliRunner().invoke(command, [str(folder), "--out", "list.csv"])
    assert "ill-formed" in done.output
    assert 'train.txt:1,"conflict: ' in (folder.parent / "list.csv").read_text()
