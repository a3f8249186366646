"""Our definitions of networks against torchvision's: a training step and inference, in one process.

Ours lies with its channels last in memory, as `neocog train` and `neocog.load` have it; torchvision's is measured in
both layouts, and its faster one is what counts. Needs an interpreter that has Neocog's dependencies and torchvision.

    PYTHONPATH=src python benchmarks/zoo.py --out docs/benchmarks/zoo.md
"""

from __future__ import annotations

import argparse
import copy
import importlib
import itertools
import random
import statistics
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import harness
from neocog.cli.process import tune

tune()  # before torch is imported, as the command does

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

import neocog  # noqa: E402
from neocog.core.randomness import seed_everything  # noqa: E402
from neocog.nn.faster_steps import faster_steps  # noqa: E402
from neocog.nn.fold import folded  # noqa: E402
from peers.libraries import declare_operators  # noqa: E402


class Pair(NamedTuple):
    """Our name, torchvision's, the size of the pictures, and whether torchvision would add auxiliary heads."""

    ours: str
    theirs: str
    size: int = 224
    auxiliary: bool = False


# Without auxiliary heads: a batch norm of Inception-v3's takes no batch of one.
PAIRS = (
    Pair("resnet50", "resnet50"),
    Pair("mobilenet_v2", "mobilenet_v2"),
    Pair("densenet121", "densenet121"),
    Pair("googlenet_torchvision", "googlenet", auxiliary=True),
    Pair("inception_v3", "inception_v3", 299, auxiliary=True),
    Pair("shufflenet_v2_x1_0", "shufflenet_v2_x1_0"),
)
MODES = ("train", "infer")
LAYOUTS = {"contiguous": torch.contiguous_format, "channels last": torch.channels_last}


class Contestant(NamedTuple):
    """Something to be timed, and what it is called."""

    name: str
    step: Callable[[], object]


def contestants(pair: Pair, mode: str, batch: int, seed: int, stack: ExitStack) -> list[Contestant]:
    ours = neocog.create(pair.ours)
    without = {"aux_logits": False, "init_weights": False} if pair.auxiliary else {}
    theirs = getattr(torchvision_models(), pair.theirs)(weights=None, **without)
    counts = [sum(weight.numel() for weight in network.parameters()) for network in (ours, theirs)]
    if counts[0] != counts[1]:
        raise SystemExit(f"{pair.ours}: {counts[0]:,} parameters, torchvision's has {counts[1]:,}")
    found = [made("ours", ours, pair, mode, batch, "channels last", seed, stack)]
    found += [made(layout, theirs, pair, mode, batch, layout, seed) for layout in LAYOUTS]
    if mode == "infer":
        found.append(made("folded", folded(ours), pair, mode, batch, "channels last", seed))
    else:
        found.append(made("as written", ours, pair, mode, batch, "channels last", seed))
    return found


def torchvision_models() -> Any:
    declare_operators()
    return importlib.import_module("torchvision").models


def made(
    name: str,
    network: nn.Module,
    pair: Pair,
    mode: str,
    batch: int,
    layout: str,
    seed: int,
    stack: ExitStack | None = None,
) -> Contestant:
    """Returns a contestant; with ``stack`` it trains as `neocog train` has it until that ends."""
    own = copy.deepcopy(network).to(memory_format=LAYOUTS[layout])
    seed_everything(seed, pair.ours)
    inputs = torch.randn(batch, 3, pair.size, pair.size).contiguous(memory_format=LAYOUTS[layout])
    if mode == "infer":
        return Contestant(name, inference(own.eval(), inputs))
    if stack is not None:
        stack.enter_context(faster_steps(own))
    return Contestant(name, training(own.train(), inputs, torch.randint(0, 1000, (batch,))))


def inference(network: nn.Module, inputs: Tensor) -> Callable[[], object]:
    def step() -> object:
        with torch.inference_mode():
            return network(inputs)

    return step


def training(network: nn.Module, inputs: Tensor, targets: Tensor) -> Callable[[], object]:
    """Returns a step of SGD with momentum on one batch."""
    optimiser = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9, fused=True)

    def step() -> object:
        loss = functional.cross_entropy(network(inputs), targets)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        return loss

    return step


def measure(pair: Pair, mode: str, batch: int, options: argparse.Namespace) -> dict[str, list[float]]:
    """Returns each contestant's seconds a step, round by round; every one is warmed up by a step first."""
    with ExitStack() as stack:
        found = contestants(pair, mode, batch, options.seed, stack)
        for each in found:
            each.step()
        chance = random.Random(f"{options.seed} {pair.ours} {mode} {batch}")
        steps = {each.name: each.step for each in found}
        times = harness.shuffled(steps, options.repeats, options.seconds, chance)
    print(f"{pair.ours}, {mode}, batch {batch}", file=sys.stderr, flush=True)
    return times


def row(pair: Pair, mode: str, batch: int, times: dict[str, list[float]]) -> list[str]:
    best = min(LAYOUTS, key=lambda layout: statistics.median(times[layout]))
    ratios = [theirs / ours for theirs, ours in zip(times[best], times["ours"], strict=True)]
    other = "folded" if mode == "infer" else "as written"
    extra = f"{harness.paired_ratio(times[best], times[other]):.2f} {other}"
    rate = batch / statistics.median(times["ours"])
    return [pair.ours, mode, str(batch), f"{rate:.3g}", best, harness.spread(ratios).text(2), extra]


def page(rows: Sequence[Sequence[str]], options: argparse.Namespace) -> str:
    theirs = importlib.import_module("torchvision").__version__
    versions = {"neocog": neocog.__version__, "torch": torch.__version__, "torchvision": theirs}
    header = ["network", "mode", "batch", "our images/s", "torchvision's faster layout", "times torchvision", "and so"]
    how = (
        f"*times torchvision*: its seconds a step over ours, median (least to greatest) of {options.repeats} rounds in "
        "an order drawn anew in each, in one process; above 1 ours is faster. fp32, random pictures, SGD with momentum "
        "(fused) for a training step, no auxiliary heads. *folded*: our network with its batch norms folded into the "
        "convolutions (`neocog.nn.fold`), as `predict` and `test` have it; *as written*: without what `train` does to "
        "a network meanwhile, rectifiers in place (`neocog.nn.overwrite`) and gradients of weights as products of "
        f"matrices (`neocog.nn.weight_gradient`). Seed {options.seed}."
    )
    machine = harness.environment(torch.get_num_threads(), versions)
    command = f"    PYTHONPATH=src {harness.command({})}"
    return "\n\n".join(["# The networks' speed", command, how, machine, harness.table(header, rows)])


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--nets", nargs="+", choices=[pair.ours for pair in PAIRS])
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES)
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 32])
    parser.add_argument("--repeats", type=int, default=3, help="rounds")
    parser.add_argument("--seconds", type=float, default=1.0, help="least time of each measurement")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="also write the page here")
    return parser.parse_args()


def main() -> None:
    options = parse()
    rows: list[list[str]] = []
    chosen = [pair for pair in PAIRS if not options.nets or pair.ours in options.nets]
    for pair, mode, batch in itertools.product(chosen, options.modes, options.batches):
        rows.append(row(pair, mode, batch, measure(pair, mode, batch, options)))
        if options.out is not None:
            harness.write(page(rows, options), options.out)
    print(page(rows, options))


if __name__ == "__main__":
    main()
