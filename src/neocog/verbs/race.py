"""A race: several networks trained under one protocol, so that what differs between the results is the network."""

from __future__ import annotations

import csv
import json
import math
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from neocog.core.errors import DataError, NeocogError, UsageError
from neocog.core.files import write_text
from neocog.core.layers import count_macs
from neocog.core.runfolder import RUNS
from neocog.report.race import Finish, protocol_lines, race_page, save_race
from neocog.tasks.run import Run
from neocog.tasks.run_report import input_shape
from neocog.training.interrupts import Interrupted
from neocog.training.progress import Progress, progress_for
from neocog.verbs.contestants import Contest, contest
from neocog.verbs.train import train

PROTOCOL = "protocol.json"


@dataclass(frozen=True)
class Race:
    """A finished race: ``folder`` with its files, the ``protocol`` that all networks were trained under, the results.

    ``results`` has a row for each network in the order of the table, those that failed with their ``error``.
    """

    folder: Path
    protocol: Mapping[str, Any]
    results: tuple[Finish, ...]

    def text(self) -> str:
        """Returns the table and where the files lie."""
        return race_page(self.protocol, self.results)


def race_networks(
    data: str | Path,
    *,
    nets: str | Sequence[str] | None = None,
    epochs: int | None = None,
    minutes: float | None = None,
    seeds: int = 1,
    samples: int | None = None,
    size: int | None = None,
    recipe: str | None = None,
    root: str | Path | None = None,
    out: str | Path | None = None,
    quiet: bool = False,
) -> Race:
    """Trains networks on the same data, split, preprocessing, recipe and augmentation, and compares what comes out.

    ``nets`` are names, also in one text with commas; those made for pictures of that size unless told. ``epochs`` are
    the recipe's unless told; ``minutes`` is the time that each network may train, ``epochs`` at most. Each is trained
    with ``seeds`` seeds from 0. ``samples`` keeps so many training pictures of all; ``size`` is the side of the input
    of all. ``out`` is the folder to make, or that of a race that was killed: what is finished there is kept, what was
    begun is resumed. A network that fails has its error in its row, and the race goes on.

    Raises UsageError for options that cannot be followed and for a folder of another race; DataError for the data.
    """
    progress = progress_for(quiet=quiet)
    options = {"samples": samples, "size": size, "recipe": recipe, "root": root, "epochs": epochs, "minutes": minutes}
    planned = contest(data, _names(nets), {name: value for name, value in options.items() if value is not None})
    if seeds < 1:
        raise UsageError(f"--seeds must be 1 or more; got {seeds}")
    folder = Path(out) if out is not None else RUNS / f"{time.strftime('%Y-%m-%d_%H%M%S')}_race"
    protocol = {**planned.protocol, "seeds": list(range(seeds)), "networks": list(planned.networks)}
    _claim(folder, protocol)
    for line in (*planned.lines, *protocol_lines(protocol)):
        progress.say(line)
    results = []
    for place, name in enumerate(planned.networks, 1):
        progress.say(f"{name} ({place} of {len(planned.networks)})")
        results.append(_finish(folder, planned, name, seeds, progress))
        _write(folder, protocol, results)
    if any(not result.error for result in results):
        for ending in ("svg", "png"):
            save_race(protocol, results, folder / f"race.{ending}")
    return Race(folder, protocol, tuple(results))


def _names(nets: str | Sequence[str] | None) -> tuple[str, ...] | None:
    if nets is None:
        return None
    names = [name.strip() for name in (nets.split(",") if isinstance(nets, str) else nets)]
    return tuple(dict.fromkeys(name for name in names if name))


def _claim(folder: Path, protocol: Mapping[str, Any]) -> None:
    """Makes the race's folder, or makes sure that the one that is there is this race's.

    Networks may be added to a race, since each is trained by itself; everything else must be as it was.
    """
    path = folder / PROTOCOL
    if folder.exists() and not path.exists():
        raise UsageError(f"{folder} exists already and holds no race; choose another --out.")
    if path.exists():
        before = _read_json(path)
        changed = [key for key, value in protocol.items() if key != "networks" and before.get(key) != _plain(value)]
        if changed:
            raise UsageError(
                f"{folder} holds a race with another protocol ({', '.join(changed)} differ); choose another --out."
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{folder}: the race's folder cannot be made ({error.strerror}); choose another --out."
        ) from error
    write_text(path, json.dumps(protocol, indent=2, ensure_ascii=False) + "\n")


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}); choose another --out.") from error


def _finish(folder: Path, planned: Contest, name: str, seeds: int, progress: Progress) -> Finish:
    """Trains one network with each seed, and returns its row; what goes wrong becomes the row's error."""
    known: dict[str, Any] = {"network": name, "year": planned.years.get(name)}
    try:
        runs = [
            _run(folder / f"{name.replace(':', '-')}-seed{seed}", planned, name, seed, progress)
            for seed in range(seeds)
        ]
        return _row(runs, known)
    except Interrupted:
        raise
    except Exception as error:  # noqa: BLE001 - whatever one network does, the others are still to run
        reason = " ".join(str(error).split()) or type(error).__name__
        line = reason if isinstance(error, NeocogError) else f"{type(error).__name__}: {reason}"
        progress.say(f"{name} failed: {line}")
        return Finish(**known, error=line)


def _run(path: Path, planned: Contest, name: str, seed: int, progress: Progress) -> Run:
    """Trains, resumes what was begun, or reads what is finished."""
    if (path / "config.toml").is_file():
        return train(resume=path, quiet=True)
    if path.exists():  # killed before it had anything
        shutil.rmtree(path)
    run = train(planned.data, net=name, seed=seed, out=path, quiet=True, **planned.options)
    progress.say(f"  {run.verdict()}, {run.summary['seconds']:.0f} s")
    return run


def _row(runs: Sequence[Run], known: Mapping[str, Any]) -> Finish:
    shape = input_shape(runs[0].model.contract.preprocessing)
    n = runs[0].summary["test"]["n"]
    top1 = [run.summary["test"]["top1"] for run in runs]
    lows, highs = zip(*(run.summary["test_intervals"]["top1"] for run in runs), strict=True)
    return Finish(
        **known,
        params=runs[0].summary["parameters"],
        macs=count_macs(runs[0].model.network, shape),
        epochs=len(_history(runs[0])),
        seconds=mean(_training_seconds(run) for run in runs),
        top1=mean(top1),
        low=mean(lows),
        high=mean(highs),
        spread=max(top1) - min(top1),
        n=n,
        runs=len(runs),
    )


def _history(run: Run) -> list[dict[str, str]]:
    with (run.folder / "metrics.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _training_seconds(run: Run) -> float:
    """Returns the seconds in the training loop, its validation included; reading and reports are not the network's."""
    rows = _history(run)
    return float(rows[-1]["seconds"]) if rows else math.nan


def _write(folder: Path, protocol: Mapping[str, Any], results: Sequence[Finish]) -> None:
    """Writes the table of what is known so far, so that a killed race has one too."""
    columns = list(Finish.__dataclass_fields__)
    rows = [[_cell(getattr(result, column)) for column in columns] for result in results]
    write_text(folder / "race.csv", "\n".join(_lines([columns, *rows])) + "\n")
    write_text(folder / "race.md", race_page(protocol, results, picture="race.svg"))


def _lines(rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    import io

    for row in rows:
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(row)
        yield text.getvalue()


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:.6g}" if isinstance(value, float) else value
