"""What training says while it runs: a line that rewrites itself on a terminal, a line an epoch in a pipe."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any, Protocol, TextIO

from torch import Tensor

_REDRAW_SECONDS = 0.2
SHOWN = 3


class Progress(Protocol):
    """Hears of a run; called at every step, so it must cost nothing when it has nothing to show."""

    def start(self, done: int, total: int) -> None:
        """The run has ``total`` steps, of which ``done`` were taken before."""

    def step(self, done: int, epoch: str, loss: Tensor) -> None:
        """``done`` steps are taken; ``loss`` is the last one's, still on its device."""

    def epoch(self, row: Mapping[str, Any]) -> None:
        """An epoch has ended with this row of the history."""

    def say(self, line: str) -> None:
        """Something worth a line of its own."""

    def finish(self) -> None:
        """The run has ended, well or not."""


class Silent:
    """Says nothing."""

    def start(self, done: int, total: int) -> None:
        """Ignored."""

    def step(self, done: int, epoch: str, loss: Tensor) -> None:
        """Ignored."""

    def epoch(self, row: Mapping[str, Any]) -> None:
        """Ignored."""

    def say(self, line: str) -> None:
        """Ignored."""

    def finish(self) -> None:
        """Ignored."""


class Plain:
    """One line an epoch, for pipes and files."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def start(self, done: int, total: int) -> None:
        """Nothing to say yet."""

    def step(self, done: int, epoch: str, loss: Tensor) -> None:
        """Nothing to say yet."""

    def epoch(self, row: Mapping[str, Any]) -> None:
        """Writes the row."""
        self.say(describe(row))

    def say(self, line: str) -> None:
        """Writes the line."""
        self._stream.write(line + "\n")
        self._stream.flush()

    def finish(self) -> None:
        """Nothing is left open."""


class Live(Plain):
    """A line that shows epoch, loss, speed and time to go, above which the epochs' lines stay."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._total = self._first = 0
        self._began = self._drawn = 0.0
        self._width = 0

    def start(self, done: int, total: int) -> None:
        """Starts the clock."""
        self._first, self._total = done, total
        self._began = self._drawn = time.monotonic()

    def step(self, done: int, epoch: str, loss: Tensor) -> None:
        """Draws the line again, a few times a second."""
        now = time.monotonic()
        if now - self._drawn < _REDRAW_SECONDS:
            return
        self._drawn = now
        taken = max(done - self._first, 1)
        left = (now - self._began) / taken * (self._total - done)
        share = done / max(self._total, 1)
        self._draw(f"{epoch}  {_bar(share)} {share:4.0%}  loss {float(loss):.4f}  {clock(left)} to go")

    def say(self, line: str) -> None:
        """Writes the line above the live one."""
        self._draw("")
        super().say(line)

    def finish(self) -> None:
        """Clears the live line."""
        self._draw("")

    def _draw(self, text: str) -> None:
        if text or self._width:
            self._stream.write("\r" + text.ljust(self._width) + ("" if text else "\r"))
            self._stream.flush()
        self._width = len(text)


def progress_for(stream: TextIO | None = None, *, quiet: bool = False) -> Progress:
    """Returns what suits the stream, stderr unless told: live on a terminal, plain in a pipe."""
    stream = stream or sys.stderr
    if quiet:
        return Silent()
    return Live(stream) if stream.isatty() else Plain(stream)


def describe(row: Mapping[str, Any]) -> str:
    """Returns a row of the history as one line: the losses and the first metric; `metrics.csv` has them all."""
    shown = [name for name in row if name == "train_loss" or name.startswith("val_")][:SHOWN]
    metrics = [f"{name.replace('_', ' ')} {_number(row[name])}" for name in shown]
    phase = f"{row['phase']}: " if row.get("phase") else ""
    return f"{phase}epoch {row['epoch']}  " + "  ".join([*metrics, f"{clock(row['seconds'])}"])


def clock(seconds: float) -> str:
    """Returns a duration for people: ``42 s``, ``3 min 05 s``, ``2 h 10 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _bar(share: float, width: int = 20) -> str:
    full = round(share * width)
    return "#" * full + "." * (width - full)


def _number(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
