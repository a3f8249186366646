"""Transfer learning from cold: `neocog train DATA` by frozen features and by fine-tuning, fresh process and cache each.

The seed moves the order, the crops and the dropout of fine-tuning. Frozen features have nothing random in them, so
their accuracy is the same for every seed; their runs show the spread of the time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean, stdev
from typing import NamedTuple

from harness import command, environment, own_versions, publish, table, take_cores

WAYS = ("features", "finetune")


class Outcome(NamedTuple):
    """One run: fractions right, seconds from the start of the process to its end."""

    test: float
    val: float
    seconds: float


def run(data: str, way: str, seed: int) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        words = ["train", data, "--transfer", way, "--seed", str(seed), "--out", str(out), "--quiet"]
        began = time.monotonic()
        subprocess.run([sys.executable, "-m", "neocog", *words], check=True, env={**os.environ, "NEOCOG_CACHE": folder})
        seconds = time.monotonic() - began
        summary = json.loads((out / "summary.json").read_text())
    print(f"{way}, seed {seed}: {summary['test']['top1']:.4f} in {seconds:.0f} s", file=sys.stderr, flush=True)
    return Outcome(summary["test"]["top1"], summary["val"]["top1"], seconds)


def row(way: str, outcomes: list[Outcome]) -> list[str]:
    tests = [100 * each.test for each in outcomes]
    spread = f"{mean(tests):.2f} ± {stdev(tests) if len(tests) > 1 else 0:.2f}"
    seconds = sorted(each.seconds for each in outcomes)
    return [
        way,
        spread,
        ", ".join(f"{value:.2f}" for value in tests),
        f"{100 * mean(each.val for each in outcomes):.2f}",
        f"{seconds[len(seconds) // 2]:.0f} ({seconds[0]:.0f} to {seconds[-1]:.0f})",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--data", required=True, help="what `neocog train` takes")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    results = {way: [run(options.data, way, seed) for seed in range(options.seeds)] for way in options.ways}
    header = ["--transfer", "test top-1 %, mean ± sd", "by seed", "val top-1 %", "seconds, median (range)"]
    page = [
        f"# Transfer learning on {Path(options.data).name}",
        f"Fresh process and empty cache for each run, {options.seeds} seeds; seconds from the start of the process to "
        "its end, with decoding, training, measuring and the report.",
        environment(take_cores(0), own_versions("neocog", "torch")),
        table(header, [row(way, outcomes) for way, outcomes in results.items()]),
        f"Made by `{command({'--data': 'DATA', '--out': 'FILE'})}`.",
    ]
    publish("\n\n".join(page), options.out)


if __name__ == "__main__":
    main()
