"""What `neocog.cli.process.tune` is worth: `neocog train DATA --transfer features` with it and without, in turns."""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from harness import command, environment, interleaved, own_versions, paired_ratio, publish, spread, table, take_cores

# `neocog.cli.main.main` tunes the process and calls `run`; `run` alone is the same without.
STARTS = {
    "as the system has it": "import sys; from neocog.cli.main import run; sys.exit(run(sys.argv[1:]))",
    "tuned": "from neocog.cli.main import main; main()",
}


class Cost(NamedTuple):
    """Seconds of a whole process: on the clock, of the processor in the program, of the processor in the system."""

    wall: float
    user: float
    system: float


def run(way: str, data: str) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        words = ["train", data, "--transfer", "features", "--quiet", "--out", str(Path(folder) / "run")]
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        environ = {**os.environ, "NEOCOG_CACHE": folder}
        subprocess.run([sys.executable, "-c", STARTS[way], *words], check=True, env=environ)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        wall = time.monotonic() - began
    return Cost(wall, after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--data", required=True, help="what `neocog train` takes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    costs = interleaved(list(STARTS), lambda way: run(way, options.data), options.rounds)
    rows = [
        [way, *(spread(getattr(cost, kind) for cost in found).text(1) for kind in Cost._fields)]
        for way, found in costs.items()
    ]
    plain, tuned = ([cost.wall for cost in costs[way]] for way in STARTS)
    page = [
        "# Threads that wait asleep, memory that is kept",
        environment(take_cores(0), own_versions("neocog", "torch")),
        table(["process", "wall s", "user s", "system s"], rows),
        f"Tuned, the same run takes {1 / paired_ratio(plain, tuned):.2f} of the time (n = {options.rounds} pairs).",
        f"Made by `{command({'--data': 'DATA', '--out': 'FILE'})}`.",
    ]
    publish("\n\n".join(page), options.out)


if __name__ == "__main__":
    main()
