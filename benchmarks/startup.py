"""How long a command line takes to answer: ``neocog --help`` and ``import neocog`` against Python alone and torch.

Wall time of whole fresh processes, in turns, after one round that fills the disk cache and is not counted.

    python benchmarks/startup.py --out docs/benchmarks/startup.md
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import harness

WAYS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "python -c 'import neocog'": [sys.executable, "-c", "import neocog"],
    "neocog --help": [str(Path(sys.executable).parent / "neocog"), "--help"],
    "neocog train --help": [str(Path(sys.executable).parent / "neocog"), "train", "--help"],
    "python -c 'import torch'": [sys.executable, "-c", "import torch"],
}
PYTHON, HELP, TORCH = "python -c pass", "neocog --help", "python -c 'import torch'"
GOAL_MS = 150


def milliseconds(name: str) -> float:
    start = time.perf_counter()
    subprocess.run(WAYS[name], check=True, capture_output=True)
    return 1000 * (time.perf_counter() - start)


def loaded_torch(name: str) -> str:
    """Returns whether the process imports torch, as Python itself tells."""
    told = subprocess.run(
        WAYS[name], check=True, capture_output=True, text=True, env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}
    )
    modules = {line.rsplit("|", 1)[-1].strip() for line in told.stderr.splitlines()}
    return "yes" if "torch" in modules else "no"


def page(times: dict[str, list[float]], repeats: int) -> str:
    spreads = {name: harness.spread(own) for name, own in times.items()}
    rows = [
        [
            f"`{name}`",
            spreads[name].text(),
            f"{harness.paired_ratio(own, times[PYTHON]):.1f}",
            f"{harness.paired_ratio(own, times[TORCH]):.2f}",
            loaded_torch(name),
        ]
        for name, own in times.items()
    ]
    header = ["command", "ms", "times Python alone", "times import torch", "imports torch"]
    median = spreads[HELP].median
    verdict = f"`{HELP}` takes {median:.0f} ms, the goal is {GOAL_MS}: {'met' if median < GOAL_MS else 'missed'}."
    how = f"Median (least to greatest) of {repeats} fresh processes each, in turns, wall time."
    machine = harness.environment(len(os.sched_getaffinity(0)), harness.own_versions("neocog", "click", "torch"))
    return "\n\n".join(
        ["# Starting up", f"    {harness.command({})}", how, machine, harness.table(header, rows), verdict]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--out", type=Path, help="also write the page here")
    options = parser.parse_args()
    harness.interleaved(list(WAYS), milliseconds, 1)
    times = harness.interleaved(list(WAYS), milliseconds, options.repeats)
    harness.publish(page(times, options.repeats), options.out)


if __name__ == "__main__":
    main()
