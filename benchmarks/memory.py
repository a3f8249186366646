"""How near the memory that ``neocog zoo NAME`` counts comes to what a process really takes.

Each figure is of a fresh process that builds one network and takes two training steps, or answers two batches.

    python benchmarks/memory.py --out docs/benchmarks/memory.md
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import harness

CASES = (
    ("lenet5_modern", 512),
    ("keras_cifar", 256),
    ("resnet18", 16),
    ("mobilenet_v2", 16),
    ("densenet121", 8),
    ("vgg11", 8),
    ("googlenet", 16),
)
WAYS = ("training", "inference")
MIB = 2**20


class Taken(NamedTuple):
    """Bytes at the peak: what PyTorch's allocator had given out, and how far the resident memory had grown."""

    allocated: int
    resident: int


def measure(name: str, batch: int, way: str, precision: str) -> Taken:
    """Measures this process, which does nothing else; the resident memory first, since the profiler needs some too."""
    import torch

    from neocog.core.device import peak_memory, reset_peak_memory

    cpu = torch.device("cpu")
    use("lenet5_modern", 2, way, precision)  # what loads at the first use is not the network's
    reset_peak_memory(cpu)
    before = peak_memory(cpu)
    use(name, batch, way, precision)
    resident = peak_memory(cpu) - before
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        use(name, batch, way, precision)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profile.export_chrome_trace(str(path))
        events = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
    changes = sorted((event["ts"], event["args"]["Bytes"]) for event in events if event.get("name") == "[memory]")
    return Taken(max(accumulate(size for _, size in changes)), resident)


def use(name: str, batch: int, way: str, precision: str) -> None:
    """Builds the network and takes two training steps or answers two batches."""
    import torch

    import neocog
    from neocog.architectures import record

    network = neocog.create(name)
    inputs = torch.randn(batch, *record(name).input)
    if way == "training":
        step(network, inputs, precision)
        return
    network.eval()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        for _ in range(2):
            network(inputs)


def step(network: object, inputs: object, precision: str) -> None:
    """Takes two steps of AdamW, the second with the optimiser's state in place."""
    import torch

    optimiser = torch.optim.AdamW(network.parameters(), fused=True)
    for _ in range(2):
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            outputs = network(inputs)
        outputs.float().square().mean().backward()
        optimiser.step()


def counted(name: str, batch: int, way: str, precision: str) -> int:
    import neocog

    memory = neocog.zoo(name, batch=batch, precision=precision).memory
    return memory.training if way == "training" else memory.inference


def page(precisions: list[str]) -> str:
    rows = []
    for name, batch in CASES:
        for way in WAYS:
            for precision in precisions:
                words = [sys.executable, __file__, "--case", name, str(batch), way, precision]
                told = subprocess.run(words, check=True, capture_output=True, text=True)
                taken, expected = Taken(*map(int, told.stdout.split())), counted(name, batch, way, precision)
                amounts = [f"{size / MIB:.0f}" for size in (expected, *taken)]
                rows.append([name, str(batch), way, precision, *amounts, *(f"{size / expected:.2f}" for size in taken)])
                print(" ".join(rows[-1]), file=sys.stderr, flush=True)
    header = ["network", "batch", "way", "precision", "counted", "allocated", "resident"]
    header += ["allocated / counted", "resident / counted"]
    how = (
        "MiB, in torch's default layout. *Counted* is what `neocog zoo NAME --batch N` says; *allocated* the most that "
        "PyTorch's allocator had given out by its profiler's account; *resident* how far the memory of a fresh process "
        "grew, which includes what the libraries take for themselves: workspaces, weights and maps in an order of "
        "their own, freed memory that was not given back."
    )
    machine = harness.environment(len(os.sched_getaffinity(0)), harness.own_versions("neocog", "torch"))
    title = "# Memory, counted and measured"
    return "\n\n".join([title, f"    {harness.command({})}", how, machine, harness.table(header, rows)])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, help="also write the page here")
    parser.add_argument("--precisions", nargs="+", default=["fp32", "bf16"])
    parser.add_argument("--case", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        name, batch, way, precision = options.case
        print(*measure(name, int(batch), way, precision))
        return
    harness.publish(page(options.precisions), options.out)


if __name__ == "__main__":
    main()
