"""Cross-validation: one training a fold, each in its own run folder, and what they have on average."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neocog.core.errors import ResourceError, UsageError
from neocog.core.files import write_text
from neocog.tasks.run import Run


@dataclass(frozen=True)
class CrossValidation(Run):
    """The runs of all folds, in order; ``folder`` holds them, ``summary`` is what ``folds.json`` holds."""

    runs: tuple[Run, ...] = ()

    @property
    def accuracies(self) -> list[float]:
        """The figure that matters most, in [0, 1], on each fold: of classes the share of right answers."""
        return [run.summary["test"][run.summary["chosen_by"]] for run in self.runs]

    def verdict(self) -> str:
        """Returns e.g. ``81.0 % right on average over 10 folds, spread 1.2``."""
        test, name = self.summary["test"], self.summary["chosen_by"]
        mean, spread = 100 * test[name], 100 * test[f"{name}_spread"]
        over = f"on average over {len(self.runs)} folds, spread {spread:.1f}"
        if name == "top1":
            return f"{mean:.1f} % of {test['n']:,} samples right {over}"
        return f"{name.replace('_', ' ')} {mean:.1f} % in {test['n']:,} samples {over}"

    def text(self) -> str:
        """Returns the figures for a person."""
        each = " ".join(f"{100 * value:.1f}" for value in self.accuracies)
        name = f"{self.summary['network']} on {self.summary['data']}"
        return f"{name}: {self.verdict()}\n  folds   {each}\n  runs    {self.folder}"


def joined(runs: Sequence[Run]) -> dict[str, Any]:
    """Returns the figures of all folds, their mean and their spread (the sample standard deviation)."""
    first = runs[0].summary
    name = first["chosen_by"]
    found = [run.summary["test"][name] for run in runs]
    return {
        **{key: first[key] for key in ("task", "network", "recipe", "seed", "data", "classes", "chosen_by")},
        "folds": [{"folder": run.folder.name, **run.summary["test"]} for run in runs],
        "test": {
            name: statistics.fmean(found),
            f"{name}_spread": statistics.stdev(found),
            "n": sum(run.summary["test"]["n"] for run in runs),
        },
        "seconds": sum(run.summary["seconds"] for run in runs),
    }


def cross_validate(data: str | Path | None, folds: int, options: dict[str, Any]) -> CrossValidation:
    """Trains once a fold and tests on it; the other folds train, and a part of them validates.

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
    runs = [
        train(data, **options, folds=folds, fold=fold, out=folder / f"fold-{fold:02d}") for fold in range(1, folds + 1)
    ]
    summary = joined(runs)
    write_text(folder / "folds.json", json.dumps(summary, indent=1) + "\n")
    return CrossValidation(folder, summary, runs=tuple(runs))
