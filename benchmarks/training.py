"""Training images a second, and what comes of them: Neocog's loop, a plain PyTorch loop, Keras 3 on torch and JAX.

All train the same network from the same pictures in memory with the same optimiser, each in a fresh process on the same
cores, in turns. The first steps warm up and are not counted. ``--keras-python`` is an interpreter with keras, torch and
jax; without it those rows say so.

    python benchmarks/training.py --data FOLDER --keras-python PYTHON --out docs/benchmarks/training.md
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import harness
from neocog.core.recipe import Augmentation
from neocog.data.dataset import Part
from neocog.data.open import open_pictures
from neocog.data.preprocess import PicturePreprocessing
from neocog.tasks.picture_sources import held, mean_and_std
from peers.measuring import Answer, Orders, Pictures, read_answer, save_pictures

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """A network at a size, how it is trained, on how many training pictures, and for how many epochs to an accuracy.

    ``warm`` steps are not counted. At 0 epochs the accuracy is not measured unless ``--epochs`` asks for it.
    """

    network: str
    size: int
    batch: int
    optimiser: str
    learning_rate: float
    momentum: float
    pictures: int
    warm: int
    epochs: int


CASES = {
    "keras_cifar-32": Case("keras_cifar", 32, 64, "adam", 1e-3, 0.0, 10_000, 10, 3),
    "resnet18-64": Case("resnet18", 64, 32, "sgd", 0.02, 0.9, 4096, 4, 0),
    "resnet18-224": Case("resnet18", 224, 16, "sgd", 0.02, 0.9, 512, 2, 0),
}


class Way(NamedTuple):
    """One contestant: the peer's module, its variant, and the Keras backend where it is one."""

    title: str
    peer: str
    variant: str
    backend: str = ""


# As the command ``neocog`` starts its own process.
NEOCOG = "from neocog.cli.process import tune; tune(); from peers.neocog_loop import main; main()"
# Keras has its default order of axes, with which it was also the faster on torch, and on JAX no slower.
WAYS = {
    "auto": Way("Neocog, precision auto", "neocog_loop", "auto"),
    "fp32": Way("Neocog, fp32", "neocog_loop", "fp32"),
    "plain": Way("plain PyTorch, DataLoader", "torch_loop", "loader"),
    "slices": Way("plain PyTorch, sliced tensors", "torch_loop", "slices"),
    "keras-torch": Way("Keras 3 on torch", "keras_fit", "channels_last", "torch"),
    "keras-jax": Way("Keras 3 on JAX", "keras_fit", "channels_last", "jax"),
}


class Goal(NamedTuple):
    """Images a second of ``ours`` over the faster of ``theirs``."""

    ours: str
    theirs: tuple[str, ...]
    times: float
    text: str


BF16_GOALS = (
    Goal("auto", ("plain",), 1.5, "Neocog over the plain loop where there is bf16"),
    Goal("auto", ("keras-torch", "keras-jax"), 2.0, "Neocog over the faster Keras where there is bf16"),
)
FP32_GOAL = Goal("fp32", ("plain",), 1.1, "Neocog in fp32 over the plain loop")


def prepare(source: str, case: Case, folder: Path) -> None:
    """Writes a case's pictures, resized once for all."""
    data = open_pictures(source, for_training=False)
    numbers = PicturePreprocessing((case.size, case.size), 0, "bilinear", (0.5,) * 3, (0.5,) * 3, 3)
    train, test = (_some(data.parts["train"], case.pictures), data.parts["test"])
    if case.epochs == 0:
        test = _some(test, 1)
    mean, std = mean_and_std(train, numbers)
    whole = [(held(part, numbers, Augmentation()).pictures.numpy(), np.array(part.labels)) for part in (train, test)]
    save_pictures(folder, Pictures(*whole[0], *whole[1], np.float32(mean), np.float32(std)))  # type: ignore[arg-type]


def _some(part: Part[Any], count: int) -> Part[Any]:
    """Returns ``count`` samples spread evenly over the part, so that every class has its share."""
    count = min(count, len(part))
    return part.subset([index * len(part) // count for index in range(count)])


def run(way: Way, orders: Orders, keras: str | None) -> Answer:
    """Runs one peer in a fresh process."""
    python = keras if way.backend else sys.executable
    compiled = str(Path(orders.data) / "compiled")  # XLA compiles resnet18 for minutes: once a case, not once a round
    settings = {
        "OMP_NUM_THREADS": str(len(os.sched_getaffinity(0))),
        "KERAS_BACKEND": way.backend,
        "JAX_COMPILATION_CACHE_DIR": compiled,
    }
    start = ["-c", NEOCOG] if way.peer == "neocog_loop" else ["-m", f"peers.{way.peer}"]
    command = [str(python), *start, json.dumps(asdict(replace(orders, variant=way.variant)))]
    environment = {**os.environ, **settings, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{way.title} failed:\n{done.stderr[-3000:]}")
    return read_answer(done.stdout)


class Measured(NamedTuple):
    """A case's answers by way: of each round's speed, and of each seed's accuracy."""

    speed: dict[str, list[Answer]]
    accuracy: dict[str, list[Answer]]


def measure(name: str, case: Case, ways: Sequence[str], options: argparse.Namespace) -> Iterator[Measured]:
    """Yields what is known of a case: after the speeds, and again after each accuracy."""
    print(name, file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        prepare(options.data, case, Path(folder))
        common = {key: value for key, value in asdict(case).items() if key not in ("pictures", "epochs")}
        speed = Orders(
            **common, data=folder, variant="", device=options.device, seed=options.seed, seconds=options.seconds
        )
        rounds = harness.interleaved(ways, lambda way: run(WAYS[way], speed, options.keras_python), options.repeats)
        sizes = {answers[0].params for answers in rounds.values()}
        if len(sizes) > 1:
            raise SystemExit(f"{name}: the networks differ, they have {sorted(sizes)} parameters")
        measured = Measured(rounds, {way: [] for way in ways})
        yield measured
        seeds = range(options.seed, options.seed + options.seeds) if case.epochs else range(0)
        for seed, way in itertools.product(seeds, ways):
            answer = run(WAYS[way], replace(speed, epochs=case.epochs, seed=seed), options.keras_python)
            measured.accuracy[way].append(answer)
            print(f"seed {seed}, {way}: test top-1 {answer.accuracy:.4f}", file=sys.stderr, flush=True)
            yield measured


def ratio(measured: Measured, ours: str, theirs: str, figure: str = "images_per_second") -> float:
    first, second = ([getattr(answer, figure) for answer in measured.speed[way]] for way in (ours, theirs))
    return harness.paired_ratio(first, second)


def row(key: str, measured: Measured) -> list[str]:
    """Returns a way's row of the table."""
    way = WAYS[key]
    if key not in measured.speed:
        return [way.title, *["not measured"] * 6]
    answers = measured.speed[key]
    precision = f" ({answers[0].precision})" if key == "auto" else ""
    figures = ("images_per_second", "images_per_cpu_second")
    ratios = [f"{ratio(measured, key, 'plain', figure):.2f}" for figure in figures]
    ours = [f"{ratio(measured, own, key):.2f}" for own in ("auto", "fp32")]
    speed = harness.spread(answer.images_per_second for answer in answers).text()
    return [way.title + precision, speed, *ratios, *ours, accuracy_text(measured.accuracy[key])]


def accuracy_text(answers: Sequence[Answer]) -> str:
    reached = [100 * answer.accuracy for answer in answers if answer.accuracy is not None]
    if len(reached) > 1:
        return harness.spread(reached).text(1) + " %"
    return f"{reached[0]:.1f} %" if reached else "not measured"


def section(name: str, case: Case, measured: Measured, options: argparse.Namespace) -> str:
    """Returns a case's table and what it says of the goals."""
    header = ["way", "images/s", "times plain", "by CPU time", "Neocog auto is", "Neocog fp32 is", "test top-1"]
    momentum = f", momentum {case.momentum:g}" if case.momentum else ""
    trained = f"; accuracy after {case.epochs} epochs, {options.seeds} seed(s)" if case.epochs else ""
    params = next(iter(measured.speed.values()))[0].params
    facts = (
        f"{params:,} parameters, batch {case.batch}, {case.optimiser} at {case.learning_rate:g}{momentum}, "
        f"{case.pictures:,} pictures of {case.size}x{case.size}{trained}."
    )
    lines = [f"- {line}" for line in verdicts(measured)]
    table = harness.table(header, [row(key, measured) for key in WAYS])
    return "\n".join([f"## {name}", "", facts, "", table, "", *lines])


def verdicts(measured: Measured) -> list[str]:
    own = measured.speed["auto"][0].precision
    goals = (*(BF16_GOALS if own != "fp32" else ()), FP32_GOAL)
    lines = []
    for goal in goals:
        reached = [ratio(measured, goal.ours, way) for way in goal.theirs if way in measured.speed]
        if reached:
            verdict = "met" if min(reached) >= goal.times else "missed"
            lines.append(f"{goal.text}: {min(reached):.2f} times, the goal is {goal.times:g}: {verdict}.")
    return lines


def page(results: dict[str, Measured], cases: dict[str, Case], options: argparse.Namespace) -> str:
    versions: dict[str, str] = {}
    for measured in results.values():
        for answers in measured.speed.values():
            versions |= answers[0].versions
    how = (
        f"Median (least to greatest) of {options.repeats} rounds, in turns, each in a fresh process that is timed for "
        f"at least {options.seconds:g} s after its warm-up. Ratios are medians of the rounds' own ratios, by wall time "
        f"unless said otherwise; seed {options.seed}, device {options.device}. The pictures of the plain loops and of "
        "Keras are normalised floats in memory beforehand; Neocog holds bytes and normalises at each step. "
        "No augmentation. A test top-1 of 2,000 pictures is known to about 2 points either way."
    )
    command = harness.command({"--data": "CIFAR10_JPEG", "--keras-python": "PYTHON_WITH_KERAS"})
    parts = [section(name, cases[name], measured, options) for name, measured in results.items()]
    machine = harness.environment(len(os.sched_getaffinity(0)), versions)
    return "\n\n".join(["# The training loop", f"    {command}", how, machine, *parts])


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--data", required=True, help="folder with train.zip and test.zip of class/NAME.jpg")
    parser.add_argument("--keras-python", help="interpreter with keras, torch and jax")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--repeats", type=int, default=3, help="rounds")
    parser.add_argument("--seconds", type=float, default=4.0, help="time of each measurement")
    parser.add_argument("--epochs", type=int, help="epochs before the accuracy, in place of each case's own; 0: none")
    parser.add_argument("--seeds", type=int, default=1, help="runs for the accuracy")
    parser.add_argument("--threads", type=int, default=0, help="cores to keep to; all unless told")
    parser.add_argument("--device", default="cpu", help="cpu or cuda; on cuda without Keras")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="also write the page here")
    return parser.parse_args()


def main() -> None:
    options = parse()
    harness.take_cores(options.threads)
    keras = options.keras_python and options.device == "cpu"
    # What is compared with is always measured.
    ways = [key for key in WAYS if key in {*options.ways, "auto", "fp32", "plain"} and (keras or not WAYS[key].backend)]
    epochs = {} if options.epochs is None else {"epochs": options.epochs}
    cases = {name: replace(CASES[name], **epochs) for name in options.cases}
    results: dict[str, Measured] = {}
    for name, case in cases.items():
        for measured in measure(name, case, ways, options):
            results[name] = measured
            if options.out is not None:  # what is known so far outlives a run that is cut short
                harness.write(page(results, cases, options), options.out)
    print(page(results, cases, options))


if __name__ == "__main__":
    main()
