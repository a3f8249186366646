"""What the command says of its threads before torch is loaded; what the user has said stays."""

from __future__ import annotations

import os

import pytest

from neocog.cli.process import tune


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"):
        monkeypatch.setenv(name, "")  # so that it is put back afterwards
        monkeypatch.delenv(name)
    monkeypatch.setenv("MALLOC_ARENA_MAX", "4")  # which keeps the memory of this process as it is


def test_threads_wait_for_a_short_time() -> None:
    tune()
    assert 0 < int(os.environ["GOMP_SPINCOUNT"]) < 300_000  # what GNU's OpenMP would do
    assert 0 < int(os.environ["KMP_BLOCKTIME"]) < 200  # what LLVM's would do
    assert "OMP_WAIT_POLICY" not in os.environ


@pytest.mark.parametrize(("name", "value"), [("OMP_WAIT_POLICY", "ACTIVE"), ("GOMP_SPINCOUNT", "7")])
def test_what_the_user_has_set_stays(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    tune()
    assert os.environ[name] == value
    assert (name == "OMP_WAIT_POLICY") != ("GOMP_SPINCOUNT" in os.environ)
