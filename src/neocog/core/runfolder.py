"""A run folder: made once, never overwritten, and whole at every instant."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import shutil
import time
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from neocog.core import toml
from neocog.core.errors import DataError, ResourceError, UsageError
from neocog.core.files import remove_leftovers, why_not_written, write_text
from neocog.core.plain import plain

RUNS = Path("runs")


class RunFolder:
    """The files of one training run.

    ``path`` is the folder; ``model`` the best weights with their contract; ``checkpoint`` what a resumed run continues
    from; ``report`` the page. Every file but ``log.jsonl`` is replaced as a whole; the log grows a line at a time.
    """

    def __init__(self, path: Path, made: tuple[Path, ...] = ()) -> None:
        self.path = path
        self._made = made

    @property
    def model(self) -> Path:
        """The model file."""
        return self.path / "model.safetensors"

    @property
    def checkpoint(self) -> Path:
        """The state that ``--resume`` continues from."""
        return self.path / "last.ckpt"

    @property
    def report(self) -> Path:
        """The report page."""
        return self.path / "report.html"

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Writes ``config.toml``: enough to run the run again."""
        write_text(self.path / "config.toml", toml.dumps(config))

    def read_config(self) -> dict[str, Any]:
        """Returns what `write_config` wrote; raises DataError when it is missing or damaged."""
        path = self.path / "config.toml"
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise DataError(f"{path}: cannot be read as a run's configuration ({error}).") from error

    def write_metrics(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Writes ``metrics.csv``, one line a row; the columns are the rows' names in order of appearance."""
        columns = list(dict.fromkeys(name for row in rows for name in row))
        table = [[row.get(column, "") for column in columns] for row in rows]
        write_text(self.path / "metrics.csv", _csv([columns, *table]))

    def write_split(self, rows: Sequence[Sequence[str]]) -> None:
        """Writes ``split.csv``: which sample, of which class, is in which part; rows of (path, label, part)."""
        write_text(self.path / "split.csv", _csv([("path", "label", "part"), *rows]))

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Writes ``summary.json``; what has no meaning (NaN) is null."""
        write_text(self.path / "summary.json", json.dumps(plain(summary), indent=2, ensure_ascii=False) + "\n")

    def log(self, event: str, **fields: Any) -> None:
        """Appends one line to ``log.jsonl``: the time (UTC), the event's name and its fields.

        Raises ResourceError when it cannot be written.
        """
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        entry = {"time": moment, "event": event, **plain(fields)}
        line = json.dumps(entry, ensure_ascii=False, default=str) + "\n"
        path = self.path / "log.jsonl"
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            try:  # one call a line, so that a killed run leaves whole lines
                os.write(handle, line.encode("utf-8", errors="replace"))
            finally:
                os.close(handle)
        except OSError as error:
            raise ResourceError(why_not_written(path, error)) from error

    def discard(self) -> None:
        """Removes the folder, and the parents that were made for it: for a run that failed before it had anything.

        A folder that this process did not make stays.
        """
        if self.path in self._made:
            shutil.rmtree(self.path, ignore_errors=True)
        for parent in reversed(self._made):
            with contextlib.suppress(OSError):  # not empty: somebody else uses it too
                parent.rmdir()


def create(out: str | Path | None, *, network: str, data: str, config: Mapping[str, Any]) -> RunFolder:
    """Makes a new run folder with its ``config.toml``: exactly ``out``, or ``runs/TIME_NETWORK_DATA``.

    Raises UsageError when ``out`` exists and ResourceError when it cannot be made; nothing is left behind then.
    """
    path = Path(out) if out is not None else _default_path(network, data)
    if out is not None and (path.exists() or path.is_symlink()):
        raise UsageError(_exists(path))
    made: list[Path] = []
    try:
        for folder in (*reversed(path.parents), path):
            if not folder.exists() or folder == path:
                folder.mkdir()
                made.append(folder)
    except OSError as error:
        RunFolder(path, tuple(made)).discard()
        raise (UsageError(_exists(path)) if isinstance(error, FileExistsError) else _not_made(path, error)) from error
    run = RunFolder(path, tuple(made))
    try:
        run.write_config(config)
    except BaseException:
        run.discard()
        raise
    return run


def reopen(path: str | Path) -> RunFolder:
    """Returns an existing run folder, to resume or to read it, and sweeps what a killed process left half-written.

    Raises UsageError when it is not a run folder.
    """
    path = Path(path)
    if not path.is_dir():
        found = "a file" if path.exists() else "nothing"
        raise UsageError(f"{path}: expected a run folder that `neocog train` made, got {found}.")
    if not (path / "config.toml").is_file():
        raise UsageError(f"{path}: not a run folder, it has no config.toml; give the folder that `neocog train` made.")
    remove_leftovers(path)
    return RunFolder(path)


def _csv(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _default_path(network: str, data: str) -> Path:
    moment = datetime.now().strftime("%Y-%m-%d_%H%M%S")
    stem = "_".join([moment, _slug(network), _slug(Path(data).stem)])
    path, number = RUNS / stem, 2
    while path.exists():
        path, number = RUNS / f"{stem}-{number}", number + 1
    return path


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "-", text).strip("-.")[:40] or "run"


def _exists(path: Path) -> str:
    resume = f", or continue it with --resume {path}" if (path / "last.ckpt").is_file() else ""
    return f"{path} exists already and is never overwritten; choose another --out{resume}."


def _not_made(path: Path, error: OSError) -> ResourceError:
    reason = error.strerror or str(error)
    return ResourceError(f"{path}: the run folder cannot be made ({reason}); choose another with --out.")
