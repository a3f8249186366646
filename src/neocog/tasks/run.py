"""A finished run, as `neocog.train` returns it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from neocog.core.errors import DataError
from neocog.core.own import is_own
from neocog.tasks.model import Model, load
from neocog.tasks.result import Result


@dataclass(frozen=True)
class Run:
    """What training left: ``folder`` with its files and the ``summary`` as written.

    ``results`` are the answers on the parts that were kept out of training; empty where the run was not trained by
    this process but read from its folder.
    """

    folder: Path
    summary: Mapping[str, Any]
    results: Mapping[str, Result] = field(default_factory=dict)

    @cached_property
    def model(self) -> Model:
        """The model as its file holds it; of a network of the user's own, the code is imported."""
        return load(self.folder / "model.safetensors", net=self.summary["network"])

    @property
    def metrics(self) -> Mapping[str, float]:
        """The metrics on the test part, as fractions."""
        return {name: value for name, value in self.summary["test"].items() if name != "n"}

    def verdict(self) -> str:
        """Returns e.g. ``98.6 % of 360 held-out test samples right (95 % interval 96.8 to 99.4 %)``."""
        return str(self.summary["verdict"])

    def text(self) -> str:
        """Returns the final summary: the verdict, where the files lie, what to do next."""
        model = self.folder / "model.safetensors"
        own = f" --net {shlex.quote(self.summary['network'])}" if is_own(self.summary["network"]) else ""
        quoted = shlex.quote(str(model)) + own
        what = "pictures" if self.summary["task"].startswith("image") else "texts"
        megabytes = model.stat().st_size / 1e6
        writes = ((f"neocog generate {quoted}", "writes text"),) if "language" in self.summary["task"] else ()
        next_steps = (
            *writes,
            (f"neocog predict {quoted} {what.upper()}", f"answers for your own {what}"),
            (f"neocog test {quoted} DATA", "measures it on other data"),
            (f"neocog zoo {self.summary['network']}", "the network layer by layer"),
        )
        width = max(len(command) for command, _ in next_steps)
        return "\n".join(
            (
                f"{self.summary['network']} on {self.summary['data']}: {self.verdict()}",
                f"  model   {model}  ({self.summary['parameters']:,} parameters, {megabytes:.1f} MB)",
                f"  report  {self.folder / 'report.html'}",
                f"  took    {self.summary['seconds']:.0f} s",
                "Next:",
                *(f"  {command:{width}}  {does}" for command, does in next_steps),
            )
        )


def read_run(folder: Path) -> Run:
    """Reads a finished run from its folder; raises DataError when its summary is missing or damaged."""
    path = folder / "summary.json"
    try:
        return Run(folder, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as a finished run's summary ({error}).") from error
