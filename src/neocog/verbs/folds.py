"""Cross-validation: one training a fold, each in its own run folder, and what they have on average."""

from __future__ import annotations

import json
import shutil
import statistics
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from neocog.core import device as devices
from neocog.core import toml
from neocog.core.errors import DataError, ResourceError, UsageError
from neocog.core.files import write_text
from neocog.core.plain import plain
from neocog.data.threads import cores
from neocog.tasks.options import TrainOptions, make_options
from neocog.tasks.result import number
from neocog.tasks.run import Run, read_run
from neocog.training.distributed import expected
from neocog.training.interrupts import Interrupted
from neocog.training.progress import progress_for
from neocog.verbs.side_by_side import side_by_side

BEGAN = "folds.toml"  # in the folder of a cross-validation: the options that it began with
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

    Raises UsageError where the folder is there already, Interrupted after Ctrl-C, and all that `neocog.train` raises.
    """
    folder = Path(options.pop("out", None) or Path("runs") / f"{Path(str(data)).stem}-{folds}-folds")
    chosen = make_options(data, {**options, "folds": folds})
    if folder.exists():
        again = f", or continue what it holds with --resume {folder}" if begun(folder) else ""
        raise UsageError(f"--out {folder}: there is something of that name already; give a new folder{again}.")
    try:
        folder.mkdir(parents=True)
        write_text(folder / BEGAN, toml.dumps(chosen.to_config()))
    except OSError as error:
        raise ResourceError(f"--out {folder} cannot be made: {error.strerror or error}") from error
    try:
        return _validated(folder, chosen, folds)
    finally:
        if not _holds_folds(folder):
            shutil.rmtree(folder)  # it holds nothing that could be continued


def begun(folder: Path) -> bool:
    """Tells whether a folder is that of a cross-validation."""
    return (folder / BEGAN).is_file()


def continue_folds(folder: Path, *, quiet: bool) -> CrossValidation:
    """Takes up a cross-validation that was interrupted: what is finished stays, a fold under way goes on.

    Raises DataError where the options that it began with cannot be read, and all that `cross_validate` raises.
    """
    try:
        began_with = tomllib.loads((folder / BEGAN).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"{folder / BEGAN}: cannot be read as the options of a cross-validation ({error})") from error
    chosen = make_options(began_with.pop("data", None), began_with)
    if chosen.folds is None:
        raise DataError(f"{folder / BEGAN}: says nothing of how many folds there are")
    return _validated(folder, replace(chosen, quiet=quiet), chosen.folds)


def _validated(folder: Path, chosen: TrainOptions, folds: int) -> CrossValidation:
    """Trains the folds that are not finished, and puts the figures of all together."""
    places = {fold: folder / f"fold-{fold:02d}" for fold in range(1, folds + 1)}
    at_once = min(folds, cores())
    try:
        if at_once > 1 and _on_cpu(chosen):
            _together(chosen, places, at_once)
        else:
            _one_by_one(chosen, places)
    except (KeyboardInterrupt, Interrupted) as error:
        further = f"continue with `neocog train --resume {folder}`" if _holds_folds(folder) else "nothing was kept"
        raise Interrupted(f"interrupted; {further}.") from error
    runs = tuple(read_run(out) for out in places.values())
    summary = joined(runs)
    write_text(folder / "folds.json", json.dumps(plain(summary), indent=1) + "\n")
    return CrossValidation(folder, summary, runs=runs)


def _holds_folds(folder: Path) -> bool:
    return any(each.name != BEGAN for each in folder.iterdir())


def _on_cpu(chosen: TrainOptions) -> bool:
    """Tells whether one process is to train on the CPU, rather than several or a GPU."""
    return expected().size == 1 and devices.choose(chosen.device).type == "cpu"


def _finished(out: Path) -> bool:
    return (out / "summary.json").exists()  # a run writes it last


def _resumable(out: Path) -> bool:
    """Tells whether a fold has begun; removes the folder of one that was killed before it had its configuration."""
    if (out / "config.toml").exists():
        return True
    shutil.rmtree(out, ignore_errors=True)
    return False


def _one_by_one(chosen: TrainOptions, places: dict[int, Path]) -> None:
    from neocog.verbs.train import train

    for fold, out in places.items():
        if _resumable(out):  # one that is finished is only read
            train(resume=out, quiet=chosen.quiet)
        else:
            options = {**chosen.to_config(), "quiet": chosen.quiet, "fold": fold, "out": out}
            train(options.pop("data", None), **options)


def _together(chosen: TrainOptions, places: dict[int, Path], at_once: int) -> None:
    """Trains the folds side by side, each in a process, and tells of each as it ends."""
    progress = progress_for(quiet=chosen.quiet)
    left = [fold for fold, out in places.items() if not _finished(out)]
    threads = max(1, cores() // at_once)
    done = f", {len(places) - len(left)} of them finished before" if len(left) < len(places) else ""
    each = "thread" if threads == 1 else "threads"
    progress.say(f"{len(places)} folds{done}, {at_once} at a time, {threads} {each} each")
    begin = chosen.to_words()
    commands = [
        ["train", "--resume", str(out), "--quiet"]
        if _resumable(out)
        else [*begin, "--fold", str(fold), "--out", str(out), "--quiet"]
        for fold, out in ((fold, places[fold]) for fold in left)
    ]

    def finished(place: int) -> None:
        run = read_run(places[left[place]])
        progress.say(f"fold {left[place]} of {len(places)}: {run.verdict()}, {run.summary['seconds']:.0f} s")

    side_by_side(commands, at_once, threads, finished)
