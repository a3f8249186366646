"""Our explanations against captum's, in turns, in one process, after a check that both give the same.

PYTHONPATH=src python benchmarks/explain.py --out docs/benchmarks/explain.md
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import harness
from neocog.cli.process import tune

tune()  # before torch is imported, as the command does

import torch  # noqa: E402
from captum import attr  # noqa: E402
from torch import Tensor, nn  # noqa: E402

import neocog  # noqa: E402
from neocog import explain  # noqa: E402
from neocog.core.randomness import seed_everything  # noqa: E402
from neocog.explain.layers import last_maps  # noqa: E402

STEPS, SAMPLES = 32, 16
# How many changed inputs a pass takes: for captum its setting, for us our default.
TOGETHER = 16


class Net(NamedTuple):
    """A network of the zoo and the shape of its inputs; its activations are modules of their own, as captum needs."""

    name: str
    shape: tuple[int, int, int]


NETS = (Net("lenet5_modern", (1, 32, 32)), Net("resnet18", (3, 224, 224)))


class Case(NamedTuple):
    """What is explained."""

    network: nn.Module
    inputs: Tensor
    target: Tensor
    layer: str


class Method(NamedTuple):
    """One method as both have it; ``same`` is how near the results should be, None where they draw random numbers."""

    ours: Callable[[Case], Tensor]
    theirs: Callable[[Case], Tensor]
    same: float | None = 1e-4


def layer(case: Case) -> nn.Module:
    return case.network.get_submodule(case.layer)


def windows(case: Case) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Returns the window and the stride that are ours unless told, as captum takes them."""
    channels, *sides = case.inputs.shape[1:]
    sixth, twelfth = ([max(round(side / part), 1) for side in sides] for part in (6, 12))
    return (channels, *sixth), (channels, *twelfth)


def their_occlusion(case: Case) -> Tensor:
    window, stride = windows(case)
    return attr.Occlusion(case.network).attribute(
        case.inputs, window, stride, baselines=0.0, target=case.target, perturbations_per_eval=TOGETHER
    )[:, 0]


def their_cam(case: Case) -> Tensor:
    heat = attr.LayerGradCam(case.network, layer(case)).attribute(case.inputs, case.target, relu_attributions=True)
    return attr.LayerAttribution.interpolate(heat, case.inputs.shape[2:], "bilinear")[:, 0]


def their_smooth(case: Case) -> Tensor:
    spread = 0.15 * float(case.inputs.amax() - case.inputs.amin())
    return attr.NoiseTunnel(attr.Saliency(case.network)).attribute(
        case.inputs, nt_type="smoothgrad", nt_samples=SAMPLES, stdevs=spread, target=case.target, abs=False
    )


METHODS: dict[str, Method] = {
    "saliency": Method(
        lambda case: explain.saliency(case.network, case.inputs, target=case.target),
        lambda case: attr.Saliency(case.network).attribute(case.inputs, case.target).amax(1),
    ),
    "gradient_times_input": Method(
        lambda case: explain.gradient_times_input(case.network, case.inputs, target=case.target),
        lambda case: attr.InputXGradient(case.network).attribute(case.inputs, case.target),
    ),
    "smoothgrad": Method(
        lambda case: explain.smoothgrad(case.network, case.inputs, target=case.target, samples=SAMPLES),
        their_smooth,
        same=None,
    ),
    "integrated_gradients": Method(
        lambda case: explain.integrated_gradients(case.network, case.inputs, target=case.target, steps=STEPS),
        lambda case: attr.IntegratedGradients(case.network).attribute(
            case.inputs, target=case.target, n_steps=STEPS, internal_batch_size=TOGETHER
        ),
        same=None,  # where their points lie between the baseline and the input is not the same
    ),
    "guided_backpropagation": Method(
        lambda case: explain.guided_backpropagation(case.network, case.inputs, target=case.target),
        lambda case: attr.GuidedBackprop(case.network).attribute(case.inputs, case.target),
    ),
    "grad_cam": Method(
        lambda case: explain.grad_cam(case.network, case.inputs, target=case.target, layer=case.layer),
        their_cam,
    ),
    "occlusion": Method(
        lambda case: explain.occlusion(case.network, case.inputs, target=case.target, fill=0.0),
        their_occlusion,
    ),
    "feature_maps": Method(
        lambda case: explain.feature_maps(case.network, case.inputs, layer=case.layer),
        lambda case: attr.LayerActivation(case.network, layer(case)).attribute(case.inputs),
    ),
}


def case_of(net: Net, batch: int, seed: int) -> Case:
    seed_everything(seed, net.name)
    network = neocog.create(net.name).eval()
    inputs = torch.rand(batch, *net.shape)
    with torch.no_grad():
        target = network(inputs).argmax(1)
    return Case(network, inputs, target, last_maps(network, inputs))


def differ(method: Method, case: Case) -> float:
    """Returns the greatest difference of the results, as a share of the greatest value."""
    ours, theirs = method.ours(case).detach(), method.theirs(case).detach()
    return float((ours - theirs).abs().amax() / theirs.abs().amax().clamp(min=1e-12))


def row(net: Net, batch: int, name: str, options: argparse.Namespace) -> list[str]:
    """Returns a line of the table; both have run once before they are timed."""
    method, case = METHODS[name], case_of(net, batch, options.seed)
    difference = differ(method, case)
    if method.same is not None and difference > method.same:
        raise SystemExit(f"{name} on {net.name}: ours differs from captum's by {difference:.1e} of the greatest value")
    steps = {"ours": method.ours, "captum": method.theirs}
    times = harness.interleaved(
        list(steps), lambda each: harness.seconds(lambda: steps[each](case), options.seconds), options.repeats
    )
    ratios = [theirs / ours for theirs, ours in zip(times["captum"], times["ours"], strict=True)]
    agreed = "-" if method.same is None else f"{difference:.0e}"
    took = f"{1000 * statistics.median(times['ours']):.1f}"
    return [net.name, "x".join(map(str, net.shape)), name, str(batch), took, harness.spread(ratios).text(2), agreed]


def page(rows: Sequence[Sequence[str]], options: argparse.Namespace) -> str:
    versions = {"neocog": neocog.__version__, "torch": torch.__version__, **harness.own_versions("captum")}
    header = ["network", "input", "method", "batch", "ours, ms", "times captum", "difference"]
    how = (
        f"*times captum*: its seconds a run over ours, median (least to greatest) of {options.repeats} rounds in turns "
        "in one process; above 1 ours is faster. *difference*: the greatest between the two results, as a share of the "
        f"greatest value, checked before the timing. fp32, random pictures. Integrated gradients take {STEPS} steps, "
        f"SmoothGrad {SAMPLES} samples, occlusion a window of a sixth of each side at strides of a twelfth, {TOGETHER} "
        "changed inputs a pass; maps are those of the last layer with places. What a network has to be given for, "
        f"such as its layer, is found before. Seed {options.seed}."
    )
    machine = harness.environment(torch.get_num_threads(), versions)
    command = f"    PYTHONPATH=src {harness.command({})}"
    return "\n\n".join(["# Explanations beside captum's", command, how, machine, harness.table(header, rows)])


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--nets", nargs="+", choices=[net.name for net in NETS])
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 8])
    parser.add_argument("--repeats", type=int, default=5, help="rounds")
    parser.add_argument("--seconds", type=float, default=1.0, help="least time of each measurement")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="also write the page here")
    return parser.parse_args()


def main() -> None:
    options = parse()
    warnings.filterwarnings("ignore", module="captum")  # of hooks and of gradients that it sets
    rows: list[list[str]] = []
    nets = [net for net in NETS if not options.nets or net.name in options.nets]
    for net, batch, name in itertools.product(nets, options.batches, options.methods):
        print(f"{net.name}, batch {batch}, {name}", file=sys.stderr, flush=True)
        rows.append(row(net, batch, name, options))
        if options.out is not None:
            harness.write(page(rows, options), options.out)
    print(page(rows, options))


if __name__ == "__main__":
    main()
