"""How long Kim's network trains on a set of sentences: Neocog's loop, and the same network in Keras 3 on torch and JAX.

Mode non-static, the paper's recipe: AdaDelta, batches of 50, dropout of a half, class weights of norm 3 at most. A fold
is a round: each way trains on it in a fresh process, in turns, and is tested on what was left out. All have the same
words, the same vectors to start from and the same number of epochs; nothing is evaluated in between. Neocog makes its
batches of sentences of similar length, as its users get them; Keras pads all to the longest, as its users do.

    python benchmarks/kim_speed.py --data MR --vectors VECTORS --keras-python PYTHON --out docs/benchmarks/kim-speed.md
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple

import torch

import harness
from neocog import architectures
from neocog.data.dataset import DataSet, Part
from neocog.data.folds import with_fold
from neocog.data.text_open import open_texts
from neocog.data.text_rows import Reading
from neocog.nn.tables import table
from neocog.tasks.options import TrainOptions
from neocog.tasks.text_words import Words, fill_tables
from peers.sentences import Answer, Orders, Sentences, read_answer, save

HERE = Path(__file__).parent
FOLDS = 10
GOAL = 3.0


class Way(NamedTuple):
    """One contestant: the peer's module, and the Keras backend where it is one."""

    title: str
    peer: str
    backend: str = ""


WAYS = {
    "neocog": Way("Neocog", "neocog_kim"),
    "keras-torch": Way("Keras 3 on torch", "keras_kim", "torch"),
    "keras-jax": Way("Keras 3 on JAX", "keras_kim", "jax"),
}
# As the command ``neocog`` starts its own process.
NEOCOG = "from neocog.cli.process import tune; tune(); from peers.neocog_kim import main; main()"


def prepare(data: DataSet[str], fold: int, options: argparse.Namespace, folder: Path) -> None:
    """Writes a fold's sentences, and the vectors of the words of its training part."""
    parts = with_fold(data, fold, FOLDS, seed=options.seed)
    words = Words(parts, TrainOptions(vectors=str(options.vectors), words=0, tokeniser="kim"))
    numbers = words.preprocessing(architectures.record("kim_cnn"))
    assert words.vectors is not None
    torch.manual_seed(options.seed)
    start = table(len(numbers.words), words.vectors.dimension)
    fill_tables([start], numbers.words, words.vectors, scaled=True)

    def tokens(part: Part[str]) -> list[str]:
        return [" ".join(numbers.tokens(part.items.read(place))) for place in range(len(part))]

    train, test = parts.parts["train"], parts.parts["test"]
    vectors = start.weight.detach().numpy()
    labels = [list(part.labels) for part in (train, test)]
    save(folder, Sentences(list(numbers.words), tokens(train), labels[0], tokens(test), labels[1], vectors))


def run(way: Way, orders: Orders, keras: str | None, threads: int) -> Answer:
    """Runs one peer in a fresh process."""
    start = ["-m", f"peers.{way.peer}"] if way.backend else ["-c", NEOCOG]
    command = [str(keras if way.backend else sys.executable), *start, json.dumps(asdict(orders))]
    settings = {"OMP_NUM_THREADS": str(threads), "KERAS_BACKEND": way.backend}
    environment = {**os.environ, **settings, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{way.title} failed:\n{done.stderr[-3000:]}")
    return read_answer(done.stdout)


def trained(name: str, orders: Sequence[Orders], keras: str | None) -> list[Answer]:
    """Returns the answers for some folds: of Keras one after the other on all cores, of Neocog side by side.

    What trains beside others took its share of the time.
    """
    cores, way = len(os.sched_getaffinity(0)), WAYS[name]
    if way.backend:
        return [run(way, each, keras, cores) for each in orders]
    with ThreadPoolExecutor(len(orders)) as pool:
        answers = list(pool.map(lambda each: run(way, each, keras, max(1, cores // len(orders))), orders))
    return [replace(each, wall=[seconds / len(orders) for seconds in each.wall]) for each in answers]


def measure(ways: Sequence[str], options: argparse.Namespace) -> Iterator[dict[str, list[Answer]]]:
    """Yields the answers so far, by way, after as many folds as there are cores."""
    data = open_texts(options.data, reading=Reading(options.encoding), for_training=False)
    found: dict[str, list[Answer]] = {way: [] for way in ways}
    together = len(os.sched_getaffinity(0))
    for turn, first in enumerate(range(1, options.folds + 1, together)):
        folds = range(first, min(first + together, options.folds + 1))
        with tempfile.TemporaryDirectory() as folder:
            orders = []
            for fold in folds:
                own = Path(folder) / str(fold)
                own.mkdir()
                prepare(data, fold, options, own)
                orders.append(Orders(str(own), options.epochs, options.batch, options.seed))
            start = turn % len(ways)
            for way in (*ways[start:], *ways[:start]):
                answers = trained(way, orders, options.keras_python)
                found[way] += answers
                said = ", ".join(f"{sum(each.wall):.1f} s, test top-1 {each.accuracy:.4f}" for each in answers)
                print(f"folds {folds.start} to {folds.stop - 1}, {way}: {said}", file=sys.stderr, flush=True)
        sizes = {answers[-1].params for answers in found.values()}
        if len(sizes) > 1:
            raise SystemExit(f"the networks differ, they have {sorted(sizes)} parameters")
        yield found


def whole(answer: Answer) -> float:
    """Returns the seconds of a fold, with whatever comes before the first epoch's first step."""
    return sum(answer.wall)


def epoch(answer: Answer) -> float:
    """Returns the seconds of an epoch after the first, in which JAX compiles; of the first where there is no other."""
    return median(answer.wall[1:] or answer.wall)


def cpu_epoch(answer: Answer) -> float:
    return median(answer.cpu[1:] or answer.cpu)


def row(way: str, found: dict[str, list[Answer]]) -> list[str]:
    """Returns a way's row of the table; the ratios say how many times as long it takes as Neocog."""
    if not found.get(way):
        return [WAYS[way].title, *["not measured"] * 7]
    answers, ours = found[way], found["neocog"]
    seconds = [harness.spread(map(figure, answers)).text(2) for figure in (epoch, cpu_epoch)]
    ratios = [
        f"{harness.paired_ratio(list(map(figure, answers)), list(map(figure, ours))):.2f}"
        for figure in (epoch, cpu_epoch, whole)
    ]
    right = 100 * mean(answer.accuracy for answer in answers)
    return [WAYS[way].title, *seconds, f"{sum(map(whole, answers)):.0f}", *ratios, f"{right:.1f} %"]


def verdicts(found: dict[str, list[Answer]]) -> list[str]:
    lines = []
    for way, answers in found.items():
        if way == "neocog" or not answers:
            continue
        reached = harness.paired_ratio(list(map(epoch, answers)), list(map(epoch, found["neocog"])))
        verdict = "met" if reached >= GOAL else "missed"
        lines.append(f"- {WAYS[way].title}: {reached:.2f} times as long an epoch, the goal is {GOAL:g}: {verdict}.")
    return lines


def page(found: dict[str, list[Answer]], options: argparse.Namespace) -> str:
    done = len(found["neocog"])
    versions = {name: number for answers in found.values() for name, number in answers[-1].versions.items()}
    how = (
        f"{done} of {FOLDS} folds (--split-seed {options.seed}), {options.epochs} epochs each, batches of "
        f"{options.batch}; {found['neocog'][0].params:,} parameters. Median (least to greatest) of the folds. An epoch "
        "is one after the first, in which JAX compiles; s in all: all epochs of all folds, from the call that trains. "
        "Ratios are medians of the folds' own ratios to Neocog. The accuracy is that of the last epoch's weights, mean "
        "over the folds. Neocog: batches by length; as many folds at a time as there are cores, a core each, as "
        "`neocog train --folds` trains them, and each took its share of the time. Keras: every sentence padded to the "
        "longest; a fold at a time on all cores."
    )
    header = ["way", "s an epoch", "CPU s an epoch", "s in all", "times Neocog", "by CPU time", "in all", "test top-1"]
    places = {"--data": "MR", "--vectors": "VECTORS", "--keras-python": "PYTHON_WITH_KERAS"}
    machine = harness.environment(len(os.sched_getaffinity(0)), versions)
    table = harness.table(header, [row(way, found) for way in WAYS])
    blocks = ["# Training on sentences", f"    {harness.command(places)}", how, machine, table]
    return "\n\n".join([*blocks, "\n".join(verdicts(found))]).rstrip()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, required=True, help="file of `label text` lines, e.g. mr.all.txt")
    parser.add_argument("--encoding", default="latin-1", help="of that file")
    parser.add_argument("--vectors", type=Path, required=True, help="word vectors, e.g. glove.6B.100d.txt.gz")
    parser.add_argument("--keras-python", help="interpreter with keras, torch and jax")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--folds", type=int, default=FOLDS, help=f"how many of the {FOLDS} folds")
    parser.add_argument("--epochs", type=int, default=5, help="of each fold; the paper's recipe has 25")
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--threads", type=int, default=0, help="cores to keep to; all unless told")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="also write the page here")
    return parser.parse_args()


def main() -> None:
    options = parse()
    harness.take_cores(options.threads)
    ways = [key for key in WAYS if key in {*options.ways, "neocog"} and (options.keras_python or not WAYS[key].backend)]
    found: dict[str, list[Answer]] = {}
    for found in measure(ways, options):
        if options.out is not None:  # what is known so far outlives a run that is cut short
            harness.write(page(found, options), options.out)
    print(page(found, options))


if __name__ == "__main__":
    main()
