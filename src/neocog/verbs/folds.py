"""Cross-validation: one training a fold, each in its own run folder, and what they have on average."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neocog.core import device as devices
from neocog.core.errors import ResourceError, UsageError
from neocog.core.files import write_text
from neocog.core.plain import plain
from neocog.data.threads import cores
from neocog.tasks.options import make_options
from neocog.tasks.result import number
from neocog.tasks.run import Run, read_run
from neocog.training.distributed import expected
from neocog.training.progress import progress_for
from neocog.verbs.side_by_side import side_by_side

_SHARED = ("task", "network", "recipe", "seed", "data", "classes", "chosen_by", "chosen_title", "what")


@dataclass(frozen=True)
class CrossValidation(Run):
    """The runs of all folds, in order; ``folder`` holds them, ``summary`` is what ``folds.json`` holds.

    A fold without the figure that matters most (F1, where a fold's test part has no span) counts in no mean.
    """

    runs: tuple[Run, ...] = ()

    @property
    def accuracies(self) -> list[float | None]:
        """The figure that matters most, in [0, 1], on each fold: of classes the share of right answers; or None."""
        return figures(self.runs, self.summary["chosen_by"])

    def verdict(self) -> str:
        """Returns e.g. ``81.0 % right on average over 10 folds, spread 1.2``."""
        test, name, title = (self.summary[key] for key in ("test", "chosen_by", "chosen_title"))
        known = sum(value is not None for value in self.accuracies)
        without = len(self.runs) - known
        if not known:
            return f"none of {without} folds has a figure ({title})"
        mean, spread = 100 * test[name], test[f"{name}_spread"]
        over = f"on average over {known} folds" + ("" if spread is None else f", spread {100 * spread:.1f}")
        over += f"; {without} without a figure left out" if without else ""
        if name == "top1":
            return f"{mean:.1f} % of {test['n']:,} {self.summary['what']} right {over}"
        return f"{title} {mean:.1f} % in {test['n']:,} {self.summary['what']} {over}"

    def text(self) -> str:
        """Returns the figures for a person."""
        each = " ".join("-" if value is None else f"{100 * value:.1f}" for value in self.accuracies)
        name = f"{self.summary['network']} on {self.summary['data']}"
        return f"{name}: {self.verdict()}\n  folds   {each}\n  runs    {self.folder}"


def figures(runs: Sequence[Run], name: str) -> list[float | None]:
    """Returns a figure of the test part of each run, None where it has no meaning there."""
    found = (run.summary["test"].get(name) for run in runs)
    return [None if value is None else number(value) for value in found]


def joined(runs: Sequence[Run]) -> dict[str, Any]:
    """Returns the figures of all folds, their mean and their spread (the sample standard deviation), None without."""
    first = runs[0].summary
    name = first["chosen_by"]
    found = [value for value in figures(runs, name) if value is not None]
    return {
        **{key: first[key] for key in _SHARED},
        "folds": [{"folder": run.folder.name, **run.summary["test"]} for run in runs],
        "test": {
            name: statistics.fmean(found) if found else None,
            f"{name}_spread": statistics.stdev(found) if len(found) > 1 else None,
            "n": sum(run.summary["test"]["n"] for run in runs),
        },
        "seconds": sum(run.summary["seconds"] for run in runs),
    }


def cross_validate(data: str | Path | None, folds: int, options: dict[str, Any]) -> CrossValidation:
    """Trains once a fold and tests on it; the other folds train, and a part of them validates.

    On a CPU as many folds train at a time as there are cores, a core each.

    Raises UsageError where the folder is there already, and all that `neocog.train` raises.
    """
    from neocog.verbs.train import train

    folder = Path(options.pop("out", None) or Path("runs") / f"{Path(str(data)).stem}-{folds}-folds")
    if folder.exists():
        raise UsageError(f"--out {folder}: there is something of that name already; give a new folder.")
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise ResourceError(f"--out {folder} cannot be made: {error.strerror or error}") from error
    places = {fold: folder / f"fold-{fold:02d}" for fold in range(1, folds + 1)}
    at_once = min(folds, cores())
    try:
        if at_once > 1 and _on_cpu(options):
            runs = _together(data, options, places, at_once)
        else:
            runs = [train(data, **options, folds=folds, fold=fold, out=out) for fold, out in places.items()]
    except BaseException:
        if not any(folder.iterdir()):
            folder.rmdir()  # it holds nothing that could be continued
        raise
    summary = joined(runs)
    write_text(folder / "folds.json", json.dumps(plain(summary), indent=1) + "\n")
    return CrossValidation(folder, summary, runs=tuple(runs))


def _on_cpu(options: dict[str, Any]) -> bool:
    """Tells whether one process is to train on the CPU, rather than several or a GPU."""
    given = options.get("device")
    return expected().size == 1 and devices.choose(None if given is None else str(given)).type == "cpu"


def _together(data: str | Path | None, options: dict[str, Any], places: dict[int, Path], at_once: int) -> list[Run]:
    """Trains the folds side by side, each in a process, and tells of each as it ends."""
    chosen = make_options(data, options)
    progress = progress_for(quiet=chosen.quiet)
    threads = max(1, cores() // at_once)
    progress.say(f"{len(places)} folds, {at_once} at a time, {threads} {'thread' if threads == 1 else 'threads'} each")
    folds = list(places)
    commands = [
        [*chosen.to_words(), "--folds", str(len(folds)), "--fold", str(fold), "--out", str(places[fold]), "--quiet"]
        for fold in folds
    ]

    def finished(place: int) -> None:
        run = read_run(places[folds[place]])
        progress.say(f"fold {folds[place]} of {len(folds)}: {run.verdict()}, {run.summary['seconds']:.0f} s")

    side_by_side(commands, at_once, threads, finished)
    return [read_run(out) for out in places.values()]
