"""What recomputation in the backward pass saves of DenseNet's memory in training, and what it costs in time.

Every figure is of a fresh process that trains one network for a few steps, in turns.

    python benchmarks/densenet_memory.py --out docs/benchmarks/densenet-memory.md
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import harness

WAYS = {"kept": False, "recomputed": True}


class Cost(NamedTuple):
    """Of one process: the most memory it ever held, what the steps added to that, the processor's seconds a step."""

    peak: float
    added: float
    seconds: float


def train(options: argparse.Namespace) -> Cost:
    """Trains in this process; memory in MiB, of the process as the system counts it."""
    from neocog.cli.process import tune

    tune()
    import torch
    from torch.nn import functional

    import neocog
    from neocog.core.randomness import seed_everything

    seed_everything(0)
    network = neocog.create(options.network, recompute=WAYS[options.way])
    network.train().to(memory_format=torch.channels_last)
    inputs = torch.randn(options.batch, 3, options.size, options.size).contiguous(memory_format=torch.channels_last)
    targets = torch.randint(0, 10, (options.batch,))
    optimiser = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9)
    before, times = peak(), []
    for _ in range(options.steps):
        began = time.process_time()
        functional.cross_entropy(network(inputs), targets).backward()
        optimiser.step()
        optimiser.zero_grad()
        times.append(time.process_time() - began)
    return Cost(peak(), peak() - before, min(times))


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def threads() -> int:
    return int(os.environ.get("OMP_NUM_THREADS", "0")) or len(os.sched_getaffinity(0))


def measured(way: str, options: argparse.Namespace) -> Cost:
    words = ["--network", options.network, "--batch", options.batch, "--size", options.size, "--steps", options.steps]
    command = [sys.executable, str(Path(__file__)), "--way", way, *map(str, words)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return Cost(*json.loads(told))


def page(costs: dict[str, list[Cost]], options: argparse.Namespace) -> str:
    rows = [
        [
            way,
            harness.spread(cost.peak for cost in own).text(),
            harness.spread(cost.added for cost in own).text(),
            harness.spread(cost.seconds for cost in own).text(2),
        ]
        for way, own in costs.items()
    ]
    header = [
        "what the layers make is",
        "peak of the process, MiB",
        "of it the training, MiB",
        "processor seconds a step",
    ]
    return "\n\n".join(
        [
            "# DenseNet's memory in training",
            f"    {harness.command({})}",
            f"`{options.network}`, batch {options.batch} at {options.size}x{options.size}, fp32, channels last, SGD "
            f"with momentum; {options.steps} steps in a fresh process, the fastest of which counts. Median (least to "
            f"greatest) of {options.repeats} processes each, in turns. *Kept* is the network as it is built, "
            "*recomputed* with `recompute=True`; weights, gradients, the optimiser's state and the libraries are in "
            "the peak of both, what the libraries and the weights take before the first step is not in the training's.",
            harness.environment(threads(), harness.own_versions("neocog", "torch")),
            harness.table(header, rows),
            verdict(costs["kept"], costs["recomputed"]),
        ]
    )


def verdict(kept: Sequence[Cost], recomputed: Sequence[Cost]) -> str:
    memory = harness.paired_ratio([cost.added for cost in recomputed], [cost.added for cost in kept])
    seconds = harness.paired_ratio([cost.seconds for cost in recomputed], [cost.seconds for cost in kept])
    return f"Recomputed, training takes {memory:.2f} of the memory and {seconds:.2f} of the processor's time."


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--network", default="densenet121")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help="also write the page here")
    return parser.parse_args()


def main() -> None:
    options = parse()
    if options.way:
        print(json.dumps(train(options)))
        return
    costs = harness.interleaved(list(WAYS), lambda way: measured(way, options), options.repeats)
    harness.publish(page(costs, options), options.out)


if __name__ == "__main__":
    main()
