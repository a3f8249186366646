"""Tags of words by `neocog train`: chunks of CoNLL-2000 and parts of speech of the English Web Treebank.

Each run is a fresh process. Its test part is measured once, at its end, by the weights that were best on its dev part.
A run is a line of the CSV beside the page as soon as it has finished; `--resume` goes on behind those.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import NamedTuple

from harness import command, environment, own_versions, table, take_cores, write
from records import append, read, trained


class Corpus(NamedTuple):
    """A set of sentences: its folder under ``--data``, the figure that counts, and what the paper reached."""

    title: str
    folder: str
    figure: str
    paper: str


SETS = {
    "chunks": Corpus(
        "CoNLL-2000, F1 of chunks",
        "conll2000_chunking",
        "f1",
        "90.33 by sentences, 89.13 by words; 94.32 with language models and parts of speech as a feature",
    ),
    "pos": Corpus(
        "EWT, parts of speech right",
        "ud_english_ewt",
        "accuracy",
        "of the Wall Street Journal 96.37 by sentences, 96.31 by words; 97.29 with language models and suffixes",
    ),
}
NETWORKS = ("collobert_window", "collobert_sentence")


class Outcome(NamedTuple):
    """One run, as the CSV has it."""

    data: str
    net: str
    likelihood: str
    vectors: str
    seed: int
    test: float
    val: float
    tags: float
    versions: str

    @property
    def cell(self) -> tuple[str, str, str, str]:
        """What it is a run of."""
        return self.data, self.net, self.likelihood, self.vectors


def train(cell: tuple[str, str, str, str], seed: int, options: argparse.Namespace) -> Outcome:
    name, net, likelihood, vectors = cell
    words = [str(options.data / SETS[name].folder), "--net", net, "--likelihood", likelihood, "--seed", str(seed)]
    words += ["--vectors", str(options.vectors)] if vectors else []
    summary, _ = trained(words)
    figure, versions = SETS[name].figure, own_versions("neocog", "torch")
    named = " ".join(f"{package} {number}" for package, number in versions.items())
    test, val = summary["test"], summary["val"]
    return Outcome(*cell, seed, test[figure], val[figure], test["accuracy"], named)


def row(cell: tuple[str, str, str, str], outcomes: Sequence[Outcome]) -> list[str]:
    own = [each for each in outcomes if each.cell == cell]
    name, net, likelihood, vectors = cell
    head = [SETS[name].title, net, likelihood, vectors or "random"]
    tests = [100 * each.test for each in own]
    spread = f"{mean(tests):.2f} ± {stdev(tests):.2f}" if len(tests) > 1 else f"{tests[0]:.2f} (one run)"
    tags = f"{100 * mean(each.tags for each in own):.2f}"
    return [*head, spread, " ".join(f"{value:.2f}" for value in tests), tags]


METHOD = """Recipe `fast`; the epoch is the best on the dev part (of CoNLL-2000 a tenth of what trains); the official
test part is measured once a run. F1 as conlleval counts it. Tags of chunks are learned as BIOES."""


def page(outcomes: Sequence[Outcome]) -> str:
    header = ["data", "network", "likelihood", "vectors", "test %, mean ± sd", "by seed", "tags right %"]
    cells = list(dict.fromkeys(each.cell for each in outcomes))
    papers = [
        f"- {corpus.title}. Collobert et al. 2011: {corpus.paper} (their tables 4, 9 and 10)."
        for corpus in SETS.values()
    ]
    return "\n\n".join(
        [
            "# Tagging: Collobert's networks",
            METHOD,
            environment(take_cores(0), own_versions("neocog", "torch")),
            table(header, [row(cell, outcomes) for cell in cells]),
            "\n".join(papers),
            f"Made by `{command({'--data': 'FOLDER', '--vectors': 'VECTORS', '--out': 'FILE'})}`.",
        ]
    )


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, required=True, help="holds conll2000_chunking and ud_english_ewt")
    parser.add_argument("--vectors", type=Path, help="what `neocog train --vectors` takes; random vectors without")
    parser.add_argument("--sets", nargs="+", choices=tuple(SETS), default=list(SETS))
    parser.add_argument("--nets", nargs="+", choices=NETWORKS, default=["collobert_window"])
    parser.add_argument("--likelihoods", nargs="+", choices=("sentence", "word"), default=["sentence"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, required=True, help="the page; its CSV lies beside it")
    parser.add_argument("--resume", action="store_true", help="run only what the CSV lacks")
    options = parser.parse_args()
    if options.out.with_suffix(".csv").exists() and not options.resume:
        parser.error(f"{options.out.with_suffix('.csv')} is there already: --resume goes on with it, or remove it")
    return options


def main() -> None:
    options = parsed()
    file = options.out.with_suffix(".csv")
    done = read(file, Outcome)
    finished = {(each.cell, each.seed) for each in done}
    vectors = options.vectors.name if options.vectors else ""
    cells = [(data, net, how, vectors) for data in options.sets for net in options.nets for how in options.likelihoods]
    todo = [(cell, seed) for cell in cells for seed in range(options.seeds) if (cell, seed) not in finished]
    for place, (cell, seed) in enumerate(todo, 1):
        outcome = train(cell, seed, options)
        append(outcome, file)
        done.append(outcome)
        write(page(done), options.out)
        said = f"{place}/{len(todo)} {' '.join(cell[:3])} seed {seed}: {100 * outcome.test:.2f} %"
        print(said, file=sys.stderr, flush=True)
    write(page(done), options.out)
    print(page(done))


if __name__ == "__main__":
    main()
