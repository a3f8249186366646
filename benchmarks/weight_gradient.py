"""The gradient of a convolution's weights: `neocog.nn.weight_gradient` against torch's own, layer by layer.

Shapes are those of networks in the zoo. Both give the gradient in the layout of the weights, channels last.

    python benchmarks/weight_gradient.py --out docs/benchmarks/weight-gradient.md
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import harness
from neocog.cli.process import tune

tune()  # before torch is imported, as the command does

import torch  # noqa: E402
from torch import Tensor  # noqa: E402
from torch.nn import functional  # noqa: E402

from neocog.nn.weight_gradient import pays, weight_gradient  # noqa: E402


class Layer(NamedTuple):
    """A convolution: where it stands, its channels, the size of its input, kernel, stride and padding."""

    of: str
    inputs: int
    outputs: int
    size: int
    kernel: tuple[int, int] = (3, 3)
    stride: int = 1
    padding: tuple[int, int] = (1, 1)

    @property
    def title(self) -> str:
        """E.g. ``3x3/2, 64 to 128, 56x56``."""
        high, wide = self.kernel
        stride = f"/{self.stride}" if self.stride > 1 else ""
        return f"{high}x{wide}{stride}, {self.inputs} to {self.outputs}, {self.size}x{self.size}"


LAYERS = (
    Layer("VGG", 64, 64, 224),
    Layer("VGG", 64, 128, 112),
    Layer("VGG", 256, 256, 56),
    Layer("Inception-v3", 32, 64, 147),
    Layer("Inception-v3", 80, 192, 73, padding=(0, 0)),
    Layer("Inception-v3", 288, 384, 35, stride=2, padding=(0, 0)),
    Layer("Inception-v3", 192, 192, 17, (1, 7), padding=(0, 3)),
    Layer("Inception-v3", 448, 384, 8),
    Layer("GoogLeNet", 64, 192, 56),
    Layer("GoogLeNet", 128, 192, 28),
    Layer("GoogLeNet", 160, 320, 14),
    Layer("ResNet", 64, 64, 56),
    Layer("ResNet", 128, 128, 28),
    Layer("ResNet", 256, 256, 14),
    Layer("ResNet", 512, 512, 14, stride=2),
    Layer("ResNet", 512, 512, 7),
    Layer("Wide ResNet", 160, 160, 32),
    Layer("DenseNet", 128, 32, 28),
    Layer("CIFAR ResNet", 64, 64, 8),
)


def contestants(layer: Layer, batch: int, seed: int) -> tuple[dict[str, Callable[[], Tensor]], bool]:
    """Returns torch's gradient and ours, and whether training takes ours."""
    torch.manual_seed(seed)
    last, stride = torch.channels_last, (layer.stride, layer.stride)
    x = torch.randn(batch, layer.inputs, layer.size, layer.size).contiguous(memory_format=last)
    weight = torch.randn(layer.outputs, layer.inputs, *layer.kernel).contiguous(memory_format=last)
    dy = torch.randn_like(functional.conv2d(x, weight, None, stride, layer.padding))

    def torchs() -> Tensor:
        rest = (None, stride, layer.padding, (1, 1), False, (0, 0), 1, (False, True, False))
        found: Tensor = torch.ops.aten.convolution_backward(dy, x, weight, *rest)[1]
        return found.contiguous(memory_format=last)  # as autograd does for the optimiser

    def ours() -> Tensor:
        return weight_gradient(x, dy, layer.kernel, stride, layer.padding)

    difference = float((torchs() - ours()).norm() / ours().norm())
    if difference > 1e-4:
        raise SystemExit(f"{layer.title}: the gradients differ by {difference:.1e}")
    return {"torch": torchs, "ours": ours}, pays(weight, dy)


def cell(layer: Layer, batch: int, options: argparse.Namespace) -> str:
    steps, chosen = contestants(layer, batch, options.seed)
    chance = random.Random(f"{options.seed} {layer} {batch}")
    times = harness.shuffled(steps, options.repeats, options.seconds, chance)
    print(f"{layer.of}: {layer.title}, batch {batch}", file=sys.stderr, flush=True)
    ratios = [torchs / ours for torchs, ours in zip(times["torch"], times["ours"], strict=True)]
    return harness.spread(ratios).text(2) + ("" if chosen else " *not taken*")


def page(rows: Sequence[Sequence[str]], options: argparse.Namespace) -> str:
    how = (
        "torch's seconds over ours for the gradient of a convolution's weights, median (least to greatest) of "
        f"{options.repeats} rounds in an order drawn anew in each; above 1 ours is faster. *not taken*: training "
        f"leaves such a size to torch. fp32, channels last, random numbers. Seed {options.seed}."
    )
    machine = harness.environment(torch.get_num_threads(), harness.own_versions("neocog", "torch"))
    header = ["of", "layer", *(f"batch {batch}" for batch in options.batches)]
    command = f"    {harness.command({})}"
    return "\n\n".join(
        ["# The gradient of a convolution's weights", command, how, machine, harness.table(header, rows)]
    )


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 8, 32])
    parser.add_argument("--repeats", type=int, default=5, help="rounds")
    parser.add_argument("--seconds", type=float, default=0.1, help="least time of each measurement")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="also write the page here")
    return parser.parse_args()


def main() -> None:
    options = parse()
    rows = [[layer.of, layer.title, *(cell(layer, batch, options) for batch in options.batches)] for layer in LAYERS]
    harness.publish(page(rows, options), options.out)


if __name__ == "__main__":
    main()
