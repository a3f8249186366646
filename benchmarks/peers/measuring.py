"""What every peer of the training benchmark shares: its orders, its data, its clock and its answer.

Runs in any environment that has NumPy. A peer is started as ``python -m peers.NAME ORDERS`` and answers with one line
of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST_STEPS = 3
ENDLESS = 10**6  # epochs of a run that the clock ends


@dataclass(frozen=True)
class Orders:
    """What a peer is to do: train for ``epochs`` and say the accuracy, or, at 0 epochs, say the speed.

    The speed is that of the steps after the first ``warm`` ones, for ``seconds`` and at least three steps.
    ``variant`` is the peer's own: Neocog's precision, or how the plain loop gets its batches.
    """

    network: str
    size: int
    batch: int
    optimiser: str
    learning_rate: float
    momentum: float
    data: str
    variant: str
    device: str = "cpu"
    seed: int = 0
    warm: int = 5
    seconds: float = 4.0
    epochs: int = 0
    epsilon: float = 1e-7


@dataclass(frozen=True)
class Pictures:
    """Pictures uint8 (N, 3, size, size) and labels int64 (N,) of both parts; mean and std (3,) of values in [0, 1]."""

    train: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    mean: NDArray[np.float32]
    std: NDArray[np.float32]

    def normalised(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns float32 (N, 3, size, size)."""
        mean, std = (numbers.astype(np.float32).reshape(1, 3, 1, 1) for numbers in (self.mean, self.std))
        values: NDArray[np.float32] = (pictures.astype(np.float32) / 255 - mean) / std
        return values


@dataclass(frozen=True)
class Answer:
    """What a peer says: images a second of wall and of CPU time, or the test accuracy; what it is and how large."""

    params: int
    versions: dict[str, str]
    images_per_second: float = 0.0
    images_per_cpu_second: float = 0.0
    accuracy: float | None = None
    precision: str = "fp32"


class Enough(Exception):
    """The clock has measured what it was asked for: the way out of a loop that was told to run for ever."""


class Stopwatch:
    """Times the steps after the warm ones; the device is waited for at both ends and nowhere between."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._steps = 0
        self._start = self._taken = (0.0, 0.0)  # wall and CPU seconds

    def step(self, wait: Callable[[], object]) -> bool:
        """Counts a finished step; returns whether enough was measured."""
        if self._taken[0]:  # Keras hands steps over by a thread, which can run ahead of the end
            return True
        self._steps += 1
        timed = self._steps - self._orders.warm
        if timed == 0:
            wait()
            self._start = _now()
        if timed < LEAST_STEPS or _now()[0] - self._start[0] < self._orders.seconds:
            return False
        wait()
        wall, cpu = _now()
        self._taken = (wall - self._start[0], cpu - self._start[1])
        return True

    def rates(self) -> dict[str, float]:
        """Returns the speeds for an `Answer`."""
        images = (self._steps - self._orders.warm) * self._orders.batch
        return {"images_per_second": images / self._taken[0], "images_per_cpu_second": images / self._taken[1]}


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def orders() -> Orders:
    return Orders(**json.loads(sys.argv[1]))


def pictures(orders: Orders) -> Pictures:
    folder = Path(orders.data)
    return Pictures(**{name: np.load(folder / f"{name}.npy") for name in Pictures.__dataclass_fields__})


def save_pictures(folder: Path, pictures: Pictures) -> None:
    for name in Pictures.__dataclass_fields__:
        np.save(folder / f"{name}.npy", getattr(pictures, name))


def answer(given: Answer) -> None:
    """Ends the peer's output with its answer."""
    print(json.dumps(asdict(given)))


def read_answer(output: str) -> Answer:
    found: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
    return Answer(**found)
