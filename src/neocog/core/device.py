"""Where a run computes, and how much memory it takes there."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

import torch

from neocog.core.errors import UsageError


def choose(name: str | None = None, *, local_rank: int = 0) -> torch.device:
    """Returns the device called ``cpu``, ``cuda`` or ``cuda:N``; without a name a GPU when there is one.

    ``local_rank`` is the process's number on this machine: under ``torchrun`` each takes its own GPU.

    Raises UsageError when there is no such device.
    """
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name is None:
        name = "cuda" if found else "cpu"
    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda") or (number and not number.isdigit()) or (kind == "cpu" and number):
        raise UsageError(f"--device takes cpu, cuda or cuda:N; got {name!r}")
    if kind == "cpu":
        return torch.device("cpu")
    index = int(number) if number else local_rank
    if index >= found:
        raise UsageError(f"--device {name}: this machine has {found} usable GPU(s); use cpu or another number.")
    return torch.device("cuda", index)


def make_repeatable(device: torch.device) -> None:
    """Makes a GPU's arithmetic the same each time: without it a resumed run could differ in the last bits."""
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
        torch.use_deterministic_algorithms(True, warn_only=True)


def reset_peak_memory(device: torch.device) -> None:
    """Starts a new measurement for `peak_memory`, where the system can."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return  # then the peak is that of the whole process so far


def peak_memory(device: torch.device) -> int:
    """Returns the most bytes held since the last reset: the GPU's allocations, or the process's resident memory."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        status = Path("/proc/self/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
