"""What `neocog.cli.process.tune` is worth: `neocog train` with it, without, and with other ways to wait, in turns."""

from __future__ import annotations

import argparse
import os
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from harness import environment, interleaved, own_versions, paired_ratio, publish, spread, table, take_cores

# `neocog.cli.main.main` tunes the process and calls `run`; `run` alone is the same without.
PLAIN = "import sys; from neocog.cli.main import run; sys.exit(run(sys.argv[1:]))"
TUNED = "from neocog.cli.main import main; main()"


class Way(NamedTuple):
    """How a process starts: a program, and what its environment says of waiting threads."""

    program: str
    environ: dict[str, str]


WAYS = {
    "as the system has it": Way(PLAIN, {}),
    "memory kept, threads wait asleep": Way(TUNED, {"OMP_WAIT_POLICY": "PASSIVE"}),
    "memory kept, threads wait in a loop": Way(TUNED, {"OMP_WAIT_POLICY": "ACTIVE"}),
    "tuned": Way(TUNED, {}),
}


class Cost(NamedTuple):
    """Seconds of a whole process: on the clock, of the processor in the program, of the processor in the system."""

    wall: float
    user: float
    system: float


def run(way: str, words: list[str]) -> Cost:
    program, own = WAYS[way]
    with tempfile.TemporaryDirectory() as folder:
        call = [sys.executable, "-c", program, "train", *words, "--quiet", "--out", str(Path(folder) / "run")]
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        subprocess.run(call, check=True, env={**os.environ, **own, "NEOCOG_CACHE": folder})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        wall = time.monotonic() - began
    return Cost(wall, after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime)


def case(title: str, words: str, rounds: int) -> str:
    """Returns the section of one training: each way's seconds, and its clock's against the tuned one's."""
    costs = interleaved(list(WAYS), lambda way: run(way, shlex.split(words)), rounds)
    tuned = [cost.wall for cost in costs["tuned"]]
    rows = [
        [
            way,
            *(spread(getattr(cost, kind) for cost in found).text(1) for kind in Cost._fields),
            f"{paired_ratio([cost.wall for cost in found], tuned):.2f}",
        ]
        for way, found in costs.items()
    ]
    found = table(["process", "wall s", "user s", "system s", "times tuned"], rows)
    named = " ".join(Path(word).name for word in shlex.split(words))
    return f"## {title}\n\n`neocog train {named}`: median (least to greatest) of {rounds} rounds.\n\n{found}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--case", nargs=2, action="append", required=True, metavar=("TITLE", "WORDS"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    page = [
        "# How waiting threads and freed memory are treated",
        environment(take_cores(0), own_versions("neocog", "torch")),
        *(case(title, words, options.rounds) for title, words in options.case),
        f"Made by `python benchmarks/process.py --case TITLE WORDS ... --rounds {options.rounds} --out FILE`.",
    ]
    publish("\n\n".join(page), options.out)


if __name__ == "__main__":
    main()
