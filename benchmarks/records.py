"""Runs of `neocog train` and the CSV beside a page that holds one a line, so that a benchmark can be taken up again."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_type_hints

Record = TypeVar("Record", bound=NamedTuple)


def trained(words: Sequence[str]) -> tuple[dict[str, Any], float]:
    """Returns the summary of a training in a fresh process, and the seconds of the whole process, to a tenth."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        call = [sys.executable, "-m", "neocog", "train", *words, "--quiet", "--out", str(out)]
        began = time.monotonic()
        subprocess.run(call, check=True)
        seconds = time.monotonic() - began
        return json.loads((out / "summary.json").read_text()), round(seconds, 1)


def read(file: Path, kind: type[Record]) -> list[Record]:
    """Returns the records of a file, each field as its annotation says; none where there is no file."""
    if not file.exists():
        return []
    kinds = get_type_hints(kind)
    with file.open(newline="", encoding="utf-8") as stream:
        return [kind(*(kinds[field](row[field]) for field in kind._fields)) for row in csv.DictReader(stream)]


def append(record: NamedTuple, file: Path) -> None:
    """Adds a line, under a header where the file is new; the line is whole or not there."""
    new = not file.exists()
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows([record._fields, record] if new else [record])
