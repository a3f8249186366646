"""Trainings side by side, each in a process and on cores of its own: small networks cannot use more than one core well.

A training step of a sentence network takes longer on two cores than on one (`docs/benchmarks/kim-speed.md`), so that
two folds at a time, a core each, are done in less than half the time.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import IO

from neocog.core.errors import TrainingError

POLL = 0.05  # seconds between two looks at who has finished


@dataclass
class _Process:
    place: int
    popen: subprocess.Popen[bytes]
    errors: IO[bytes]

    def reason(self) -> str:
        """Returns the last line that the process wrote about its end."""
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1].removeprefix("neocog: ") if lines else f"the process ended with {self.popen.returncode}"


def side_by_side(
    commands: Sequence[Sequence[str]], at_once: int, threads: int, finished: Callable[[int], None]
) -> None:
    """Runs ``neocog`` with each list of words in a process of its own, ``at_once`` at a time, ``threads`` threads each.

    ``finished`` is told the place of each command as it ends. Raises TrainingError, with the line that the process
    wrote, as soon as one fails; it, Ctrl-C and SIGTERM stop the others, which leave what can be resumed.
    """
    waiting, running = list(enumerate(commands)), list[_Process]()
    with _terminated_as_interrupted():
        try:
            while waiting or running:
                while waiting and len(running) < at_once:
                    running.append(_started(*waiting.pop(0), threads))
                for process in [each for each in running if each.popen.poll() is not None]:
                    running.remove(process)
                    with process.errors:
                        if process.popen.returncode:
                            raise TrainingError(process.reason())
                    finished(process.place)
                time.sleep(POLL)
        finally:
            _stop(running)


def _stop(running: Sequence[_Process]) -> None:
    """Has the processes write what they have, and waits for that."""
    for process in running:
        process.popen.send_signal(signal.SIGTERM)
    for process in running:
        process.popen.wait()
        process.errors.close()


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Has SIGTERM raise KeyboardInterrupt, so that no process is left to train on by itself."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield  # signals cannot be caught here
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _started(place: int, words: Sequence[str], threads: int) -> _Process:
    errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed when its process has ended
    own = {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    command = [sys.executable, "-m", "neocog", *words]
    env = {**os.environ, **own}
    popen = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=errors)  # noqa: S603 - our own words
    return _Process(place, popen, errors)
