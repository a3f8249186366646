"""Work spread over threads; Pillow, torch and the hashes let go of the interpreter lock where the time goes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

R = TypeVar("R")


def cores() -> int:
    """Returns the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_threads(function: Callable[[int], R], indices: Iterable[int], workers: int | None = None) -> list[R]:
    """Returns the function's results in the order of the indices; its first exception is raised."""
    with ThreadPoolExecutor(workers or cores(), "neocog") as pool:
        return list(pool.map(function, indices))
