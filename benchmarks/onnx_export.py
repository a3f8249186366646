"""Every network as ONNX, run by ONNX Runtime, against torch: the largest difference relative to the largest logit.

python benchmarks/onnx_export.py --out docs/benchmarks/onnx.md

Needs the extra ``deploy``.
"""

from __future__ import annotations

import argparse
import copy
import inspect
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn

import harness
from neocog.architectures import create, networks, record
from neocog.core.errors import NeocogError
from neocog.core.randomness import generator, seed_everything
from neocog.deploy.onnx import to_onnx

BATCH = 3  # another than the one it is traced with
STEADY, MOST_TIMES = 1e-5, 5


def disturb(network: nn.Module, shape: Sequence[int], seed: int) -> None:
    """Gives every batch norm scales and statistics as training would: fresh ones hide a mistake."""
    numbers = generator(seed, "norms")
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for module in norms:
        nn.init.uniform_(module.weight, 0.5, 1.5, generator=numbers)
        nn.init.uniform_(module.bias, -0.2, 0.2, generator=numbers)
        module.get_buffer("running_mean").uniform_(-0.1, 0.1, generator=numbers)
        module.get_buffer("running_var").uniform_(0.5, 1.5, generator=numbers)
    for _ in range(MOST_TIMES):
        if steady(network, shape):
            return
        for module in norms:  # hundreds of blocks, each a little louder than the one before it
            module.get_buffer("running_var").mul_(4)


def steady(network: nn.Module, shape: Sequence[int]) -> bool:
    """Tells whether torch's own fp32 agrees with its fp64: else rounding alone makes any two programs differ."""
    inputs = torch.randn(1, *shape, generator=generator(0, "steady"))
    with torch.inference_mode():
        found, exact = network(inputs), copy.deepcopy(network).double()(inputs.double())
    return bool((found - exact).abs().max() <= STEADY * exact.abs().max())


def shape_for(name: str, side: int) -> tuple[int, ...]:
    """Returns the published input, or one of ``side`` pixels where the network takes any."""
    entry = record(name)
    if len(entry.input) < 3 or "size" in inspect.signature(entry.build).parameters:
        return entry.input
    return (entry.input[0], *(min(size, side) for size in entry.input[1:]))


def difference(name: str, shape: Sequence[int], seed: int) -> float:
    seed_everything(seed, name)
    network = create(name).eval()
    disturb(network, shape, seed)
    # ONNX Runtime 1.31's Pad_Fusion merges a zero padding into the max pooling behind it, which pads with -infinity.
    session = onnxruntime.InferenceSession(to_onnx(network, shape), disabled_optimizers=["Pad_Fusion"])
    inputs = torch.randn(BATCH, *shape)
    (found,) = session.run(["logits"], {"input": inputs.numpy()})
    with torch.inference_mode():
        expected = network(inputs).numpy()
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def row(name: str, options: argparse.Namespace) -> list[str]:
    shape = shape_for(name, options.side)
    try:
        found = f"{difference(name, shape, options.seed):.1e}"
    except (NeocogError, RuntimeError) as error:
        found = " ".join(str(error).split())[:120]
    print(f"{name}: {found}", file=sys.stderr, flush=True)
    return [name, "x".join(map(str, shape)), found]


def page(rows: Sequence[Sequence[str]], options: argparse.Namespace) -> str:
    versions = harness.own_versions("torch", "onnx", "onnxscript", "onnxruntime")
    machine = harness.environment(torch.get_num_threads(), versions)
    how = f"Random weights and batch-norm statistics, a batch of {BATCH}, seed {options.seed}, in evaluation mode."
    table = harness.table(["network", "input", "relative difference"], rows)
    return "\n\n".join(["# Networks as ONNX", f"    {harness.command({})}", how, machine, table])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    known = [name for name in networks() if record(name).text is None]  # those over tokens are not exported yet
    parser.add_argument("--nets", nargs="+", choices=known, default=known, metavar="NAME")
    parser.add_argument("--side", type=int, default=128, help="pixels, where a network takes any")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="also write the page here")
    options = parser.parse_args()
    rows: list[list[str]] = []
    for name in options.nets:
        rows.append(row(name, options))
        if options.out is not None:
            harness.write(page(rows, options), options.out)
    print(page(rows, options))


if __name__ == "__main__":
    main()
