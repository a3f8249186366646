"""How long the answers for 10,000 sentences take once the model is loaded, beside the time of its network alone.

The sentences are those of the test part over and over, the words of each shuffled anew, so that no two are the same and
the lengths are as they are. Ways, in turns in one process: from a file with a sentence a line, as `neocog predict` has
it; from strings; the words looked up, without the network; the network on the very tensors that the first way gave it.

    python benchmarks/predict_texts.py --data TEXTS --encoding latin-1 --out docs/benchmarks/predict-texts.md
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from neocog.cli.process import tune

tune()  # as the command does, before torch is loaded

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402

import harness  # noqa: E402
import neocog  # noqa: E402
from neocog.data.text_open import open_texts  # noqa: E402
from neocog.data.text_rows import Reading  # noqa: E402
from neocog.tasks.model import Model, load  # noqa: E402
from neocog.tasks.text_prediction import TextPredictor  # noqa: E402

GOAL = 2.0  # seconds
SENTENCES = 10_000
TITLES = {
    "file": "from a file, as the command",
    "strings": "from strings",
    "words": "words to numbers alone",
    "network": "network alone",
}


def shuffled(options: argparse.Namespace) -> list[str]:
    """Returns as many sentences as are asked for, none of which is one of the data set but by chance."""
    data = open_texts(options.data, reading=Reading(options.encoding))
    part = data.parts["test"]
    own = [part.items.read(place).split() for place in range(len(part))]
    draw = random.Random(options.seed)
    chosen = [own[place % len(own)] for place in range(options.sentences)]
    return [" ".join(draw.sample(words, len(words))) for words in chosen]


def trained(options: argparse.Namespace, folder: Path) -> Path:
    """Trains a model for seconds: how good it is does not change how long it takes."""
    net = {"net": options.net, "dimension": options.dimension, "recipe": "smoke", "encoding": options.encoding}
    run = neocog.train(options.data, out=folder / "run", quiet=True, seed=options.seed, device="cpu", **net)
    return run.folder / "model.safetensors"


def captured(network: nn.Module, answer: Callable[[], object]) -> list[Tensor]:
    """Returns the tensors that the network is given while ``answer`` runs."""
    taken: list[Tensor] = []
    hook = network.register_forward_pre_hook(lambda _, given: taken.append(given[0].clone()))
    try:
        answer()
    finally:
        hook.remove()
    return taken


def ways(model: Model, predictor: TextPredictor, sentences: list[str], file: Path) -> Mapping[str, Callable[[], int]]:
    """Returns what is timed, by name; each returns how many sentences it dealt with."""
    tensors = captured(model.network, lambda: model.predict(sentences))

    def network() -> int:
        with torch.inference_mode():
            return sum(len(model.network(each)) for each in tensors)

    return {
        "file": lambda: sum(each.error is None for each in neocog.predict(model, file)),
        "strings": lambda: sum(each.error is None for each in model.predict(sentences)),
        "words": lambda: len([predictor.read(each) for each in sentences]),
        "network": network,
    }


def seconds(run: Callable[[], int], expected: int) -> float:
    """Returns the wall time of one call; ends the benchmark where a sentence was refused."""
    start = time.perf_counter()
    done = run()
    taken = time.perf_counter() - start
    if done != expected:
        raise SystemExit(f"{expected - done} of {expected} sentences were not answered")
    return taken


def measure(options: argparse.Namespace) -> tuple[Model, dict[str, list[float]]]:
    """Returns the model and the seconds of each round, by way; the first call of each is not counted."""
    with tempfile.TemporaryDirectory() as folder:
        path = options.model or trained(options, Path(folder))
        model = load(path, "cpu", fold=True)
        if not isinstance(model.predictor, TextPredictor):
            raise SystemExit(f"{path} is for {model.contract.task}; this benchmark takes models of texts")
        sentences = shuffled(options)
        file = Path(folder) / "sentences.txt"
        file.write_text("".join(f"{each}\n" for each in sentences), encoding="utf-8")
        timed = ways(model, model.predictor, sentences, file)
        for run in timed.values():
            seconds(run, len(sentences))
        found = harness.interleaved(list(timed), lambda way: seconds(timed[way], len(sentences)), options.repeats)
        return model, found


def page(model: Model, found: Mapping[str, list[float]], options: argparse.Namespace) -> str:
    """Returns the page."""
    alone, count = found["network"], options.sentences
    rows = []
    for way, taken in found.items():
        spread = harness.spread(taken)
        ratio = f"{harness.paired_ratio(taken, alone):.2f}"
        rows.append([TITLES[way], spread.text(3), f"{count / spread.median:,.0f}", ratio])
    reached = harness.spread(found["file"]).median
    how = (
        f"{model.contract.network}, {sum(each.numel() for each in model.network.parameters()):,} parameters; {count:,} "
        f"sentences: those of the test part, over and over, each with its words shuffled. {options.repeats} rounds in "
        "turns after one that is not counted; median (least to greatest) of the seconds; loading the model is not in "
        "them. The ratio is the median of the rounds' own. The network alone runs on the tensors that it is given when "
        "the sentences are predicted."
    )
    places = {"--data": "TEXTS", "--model": "MODEL", "--out": "PAGE"}
    machine = harness.environment(torch.get_num_threads(), harness.own_versions("torch"))
    header = ["way", "s", "sentences a second", "times the network alone"]
    verdict = f"The goal is under {GOAL:g} s from a file: {reached:.2f} s, {'met' if reached < GOAL else 'missed'}."
    table = harness.table(header, rows)
    return "\n\n".join(["# Predicting sentences", f"    {harness.command(places)}", how, machine, table, verdict])


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, required=True, help="labelled texts, e.g. trec.train.txt")
    parser.add_argument("--encoding", default="utf-8", help="of that file, e.g. latin-1")
    parser.add_argument("--model", type=Path, help="model file of texts; one is trained for seconds unless told")
    parser.add_argument("--net", default="kim_cnn", help="the network of the model that is trained here")
    parser.add_argument("--dimension", type=int, default=300, help="of its word vectors")
    parser.add_argument("--sentences", type=int, default=SENTENCES)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=0, help="cores to keep to; all unless told")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="also write the page here")
    return parser.parse_args()


def main() -> None:
    options = parse()
    torch.set_num_threads(harness.take_cores(options.threads))
    model, found = measure(options)
    harness.publish(page(model, found, options), options.out)


if __name__ == "__main__":
    main()
