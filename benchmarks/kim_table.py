"""Table 2 of Kim 2014 by `neocog train`: seven sets, four modes; ten folds where a set has no test part, else seeds.

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

MODES = ("rand", "static", "non-static", "multichannel")
FOLDS, SEEDS = 10, 3


class Corpus(NamedTuple):
    """A row of the table: where its data lie, how they are read, and what the paper has in each mode."""

    title: str
    sources: tuple[str, ...]  # the first that is there
    options: tuple[str, ...]
    folded: bool
    paper: tuple[float, float, float, float]


LATIN = ("--encoding", "latin-1")
PATIENCE = 5  # of SST, whose 150,000 phrases take an epoch of a minute; the best epoch is one of the first
TREES = ("--patience", str(PATIENCE), "--tokeniser", "kim-sst", "--trees")
SETS = {
    "mr": Corpus("MR", ("mr.all.txt", "mr.txt"), LATIN, True, (76.1, 81.0, 81.5, 81.1)),
    "sst1": Corpus("SST-1", ("sst_trees",), (*TREES, "fine"), False, (45.0, 45.5, 48.0, 47.4)),
    "sst2": Corpus("SST-2", ("sst_trees",), (*TREES, "binary"), False, (82.7, 86.8, 87.2, 88.1)),
    "subj": Corpus("Subj", ("subj.all.txt", "subj.txt", "subj.all"), LATIN, True, (89.6, 93.0, 93.4, 93.2)),
    "trec": Corpus("TREC", ("trec.train.txt", "TREC.train.all"), LATIN, False, (91.2, 92.8, 93.6, 92.2)),
    "cr": Corpus("CR", ("cr.all.txt", "cr.txt", "custrev.all"), LATIN, True, (79.8, 84.7, 84.3, 85.0)),
    "mpqa": Corpus("MPQA", ("mpqa.all.txt", "mpqa.txt", "mpqa.all"), LATIN, True, (83.4, 89.6, 89.5, 89.4)),
}


class Cell(NamedTuple):
    """One figure of the table; its runs are compared only with those of the same recipe and vectors."""

    name: str
    mode: str
    recipe: str
    vectors: str

    @property
    def paper(self) -> float:
        """The paper's figure, in per cent."""
        return SETS[self.name].paper[MODES.index(self.mode)]


class Outcome(NamedTuple):
    """One run, as the CSV has it: fractions right, the size of the test part, seconds of the whole process."""

    name: str
    mode: str
    recipe: str
    vectors: str
    run: str  # "fold 3 of 10", "seed 1"
    test: float
    val: float
    n: int
    seconds: float
    versions: str

    @property
    def cell(self) -> Cell:
        """What it is a run of."""
        return Cell(self.name, self.mode, self.recipe, self.vectors)


def source(name: str, folder: Path) -> Path | None:
    return next((folder / each for each in SETS[name].sources if (folder / each).exists()), None)


def cells_of(sets: Sequence[str], modes: Sequence[str], options: argparse.Namespace) -> list[Cell]:
    vectors = options.vectors.name if options.vectors else ""
    return [Cell(name, mode, options.recipe, "" if mode == "rand" else vectors) for name in sets for mode in modes]


def runs_of(name: str, options: argparse.Namespace) -> list[str]:
    if SETS[name].folded:
        return [f"fold {fold} of {FOLDS}" for fold in range(1, options.folds + 1)]
    return [f"seed {seed}" for seed in range(options.seeds)]


def train(cell: Cell, run: str, options: argparse.Namespace) -> Outcome:
    kind, number = run.split()[:2]
    words = [str(source(cell.name, options.data)), *SETS[cell.name].options, "--net", "kim_cnn"]
    words += ["--mode", cell.mode, "--recipe", cell.recipe]
    words += ["--vectors", str(options.vectors)] if cell.mode != "rand" else []
    words += ["--folds", str(FOLDS), "--fold", number] if kind == "fold" else ["--seed", number]
    summary, seconds = trained(words)
    test, versions = summary["test"], own_versions("neocog", "torch")
    named = " ".join(f"{package} {number}" for package, number in versions.items())
    return Outcome(*cell, run, test["top1"], summary["val"]["top1"], test["n"], seconds, named)


def remaining(todo: Sequence[tuple[Cell, str]], done: Sequence[Outcome]) -> float:
    """Returns the seconds that the rest may take: as runs of the same cell took, else of the same set, else all."""

    def one(cell: Cell) -> float:
        alike = (
            [each.seconds for each in done if each.cell == cell],
            [each.seconds for each in done if (each.name, each.recipe) == (cell.name, cell.recipe)],
            [each.seconds for each in done if each.recipe == cell.recipe],
        )
        return next((mean(seconds) for seconds in alike if seconds), 0.0)

    return sum(one(cell) for cell, _ in todo)


def figure(cell: Cell, outcomes: Sequence[Outcome]) -> list[str]:
    """Returns the row of a cell; what was not run says so."""
    own = [each for each in outcomes if each.cell == cell]
    head = [SETS[cell.name].title, cell.mode, f"{cell.paper:.1f}"]
    if not own:
        return [*head, "not run yet", "", "", "", "", ""]
    tests = [100 * each.test for each in own]
    spread = f"{mean(tests):.2f} ± {stdev(tests):.2f}" if len(tests) > 1 else f"{tests[0]:.2f} (one run)"
    seconds = sorted(each.seconds for each in own)
    wanted = FOLDS if SETS[cell.name].folded else max(SEEDS, len(own))
    return [
        *head,
        spread,
        f"{mean(tests) - cell.paper:+.2f}",
        f"{len(own)} of {wanted} {'folds' if SETS[cell.name].folded else 'seeds'}",
        " ".join(f"{value:.1f}" for value in tests),
        f"{sum(each.n for each in own) if SETS[cell.name].folded else own[0].n:,}",
        f"{seconds[len(seconds) // 2]:.0f} ({seconds[0]:.0f} to {seconds[-1]:.0f})",
    ]


METHOD = f"""MR, Subj, CR and MPQA: {FOLDS} folds, the split seed and the seed 0. SST-1, SST-2 and TREC: the official
test part, the seeds 0, 1, 2; SST trains on all phrases of its training trees. Where there is no dev part a tenth of
what trains is. The epoch is the best on the dev part: of 25; SST stops when {PATIENCE} brought none. The
test part is measured once a run. Mean and sample standard deviation over the runs; n are the sentences tested, of all
folds together or in the one test part; seconds are of the whole process beside other work, of some runs halted
meanwhile, median (range). TREC is lower-case. Batches are of similar lengths, those of SST-1 drawn at random
(`docs/decisions/0010`)."""


def page(cells: Sequence[Cell], outcomes: Sequence[Outcome], options: argparse.Namespace) -> str:
    others = sorted({each.versions for each in outcomes if each.cell in cells})
    header = ["set", "mode", "paper %", "test top-1 %, mean ± sd", "difference", "runs", "by run", "n", "seconds a run"]
    vectors = f"word2vec's of 300 numbers in all modes but rand; here {options.vectors.name}" if options.vectors else ""
    machine = environment(take_cores(0), own_versions("neocog", "torch"))
    return "\n\n".join(
        [
            "# Kim 2014, table 2",
            f"`kim_cnn`, recipe `{options.recipe}`. {METHOD}",
            *(
                [
                    f"The paper's vectors are {vectors}, scaled to word2vec's variance (`docs/decisions/0009`). "
                    "In rand they have 300 numbers here too."
                ]
                if vectors
                else []
            ),
            machine + (f" Runs by {'; '.join(others)}." if others else ""),
            table(header, [figure(cell, outcomes) for cell in cells]),
            f"Made by `{command({'--data': 'TEXTS', '--vectors': 'VECTORS', '--out': 'FILE'})}`.",
        ]
    )


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of mr.all.txt, trec.train.txt, sst_trees, ...")
    parser.add_argument("--vectors", type=Path, help="what `neocog train --vectors` takes; rand does without")
    parser.add_argument("--sets", nargs="+", choices=tuple(SETS), default=list(SETS))
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--folds", type=int, default=FOLDS, choices=range(1, FOLDS + 1), help="so many of the ten")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--recipe", default="paper", choices=("paper", "fast", "smoke"))
    parser.add_argument("--out", type=Path, required=True, help="the page; its CSV lies beside it")
    parser.add_argument("--resume", action="store_true", help="run only what the CSV lacks")
    options = parser.parse_args()
    lacking = [name for name in options.sets if source(name, options.data) is None]
    if lacking:
        print(f"not in {options.data}, left out: {', '.join(lacking)}", file=sys.stderr)
        options.sets = [name for name in options.sets if name not in lacking]
    if options.vectors is None and set(options.modes) != {"rand"}:
        parser.error("--vectors FILE, or --modes rand")
    if options.out.with_suffix(".csv").exists() and not options.resume:
        parser.error(f"{options.out.with_suffix('.csv')} is there already: --resume goes on with it, or remove it")
    return options


def main() -> None:
    options = parsed()
    file = options.out.with_suffix(".csv")
    cells = cells_of(list(SETS), MODES, options)
    asked = cells_of(options.sets, options.modes, options)
    done = read(file, Outcome)
    finished = {(each.cell, each.run) for each in done}
    todo = [(cell, run) for cell in asked for run in runs_of(cell.name, options) if (cell, run) not in finished]
    for place, (cell, run) in enumerate(todo, 1):
        outcome = train(cell, run, options)
        append(outcome, file)
        done.append(outcome)
        write(page(cells, done, options), options.out)
        print(
            f"{place}/{len(todo)} {cell.name} {cell.mode} {run}: {100 * outcome.test:.2f} % (paper {cell.paper}) in "
            f"{outcome.seconds:.0f} s; about {remaining(todo[place:], done) / 60:.0f} min to go",
            file=sys.stderr,
            flush=True,
        )
    write(page(cells, done, options), options.out)
    print(options.out.read_text())


if __name__ == "__main__":
    main()
