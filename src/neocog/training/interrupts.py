"""Ctrl-C and SIGTERM as a wish that the loop grants between two steps, so that nothing is left half done."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from neocog.core.errors import TrainingError


class Interrupted(TrainingError):
    """Training was stopped by Ctrl-C or SIGTERM, after its state was written."""


class StopSignal:
    """While entered, the first Ctrl-C or SIGTERM sets ``wanted``; the second acts at once, as it would without this.

    Outside the main thread, where signals cannot be caught, it does nothing.
    """

    def __init__(self) -> None:
        self.wanted = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignal:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.wanted = True
        self._restore()

    def _restore(self) -> None:
        while self._before:
            number, handler = self._before.popitem()
            signal.signal(number, handler)
