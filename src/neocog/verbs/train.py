"""``train``: data and options in, a run folder with model file, metrics and report out; or a run taken up again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from neocog.core import device as devices
from neocog.core import runfolder
from neocog.core.errors import DataError, NeocogError, UsageError
from neocog.core.runfolder import RunFolder
from neocog.data.dataset import DataSet
from neocog.data.split import split_table
from neocog.report.charts import save_rate_search
from neocog.tasks import deciding, kinds, timing
from neocog.tasks.kinds import Kind, Place
from neocog.tasks.options import TrainOptions, make_options
from neocog.tasks.outcome import summarise, write_model
from neocog.tasks.plan import Plan
from neocog.tasks.run import Run, read_run
from neocog.tasks.run_report import Leftovers, rate_search, write_report
from neocog.tasks.ways import Trained, train_network
from neocog.training.distributed import World, expected, joined
from neocog.training.lr_finder import RangeTest, find_learning_rate
from neocog.training.progress import Progress, progress_for
from neocog.verbs.folds import begun, continue_folds, cross_validate

# Examples of each class in the report, for so many classes.
EXAMPLES, MOST_CLASSES = 6, 40


@dataclass(frozen=True)
class Job:
    """One run in the making: what was asked, what was read, who takes part and where it computes."""

    options: TrainOptions
    kind: Kind
    data: DataSet[Any]
    device: torch.device
    world: World
    progress: Progress
    began: float

    @property
    def place(self) -> Place:
        """Which process this is of how many."""
        return Place(self.world.rank, self.world.size, self.options.workers)


def train(data: str | Path | None = None, *, resume: str | Path | None = None, **options: Any) -> Run:
    """Trains a network and returns the run; the options are those of `neocog.tasks.options.TrainOptions`.

    ``data`` is a folder of class folders, a CSV/TSV of path and label, an .npz or .zip, or a known set's name; None is
    the handwritten digits. ``resume`` is the folder of an interrupted run, or of
    a cross-validation, and goes with no other option but ``quiet``.
    With ``folds`` there is a run for each fold, and what is returned is a `neocog.verbs.folds.CrossValidation`.

    Raises NeocogError, one line, for whatever cannot be followed; Interrupted after Ctrl-C.
    """
    if resume is not None:
        return _resume(Path(resume), data, options)
    chosen = make_options(data, options)
    if chosen.folds is not None and chosen.fold is None:
        given = {name: value for name, value in options.items() if name != "folds"}
        return cross_validate(data, chosen.folds, given)
    with _job(chosen) as job:
        return _start(job)


@contextmanager
def _job(options: TrainOptions) -> Iterator[Job]:
    """Joins the processes, reads the data and says what they are."""
    began = time.monotonic()
    device = devices.choose(options.device, local_rank=expected().local_rank)
    with joined(device) as world:
        progress = progress_for(quiet=options.quiet or not world.main)
        kind = kinds.find(options)
        data = kind.read(options)
        for line in kind.describe(data):
            progress.say(line)
        yield Job(options, kind, data, device, world, progress, began)


def _start(job: Job) -> Run:
    """Decides everything, makes the folder, and trains."""
    plan, search = job.world.share(_decide(job) if job.world.main else None)
    for line in plan.decisions:
        job.progress.say(line)
    folder = _make_folder(job, plan)
    try:
        if search is not None and job.world.main:
            save_rate_search(rate_search(search), folder.path / "learning_rate.svg")
        return _finish(job, plan, folder, search)
    except (NeocogError, KeyboardInterrupt):
        if job.world.main and not folder.checkpoint.exists() and not folder.model.exists():
            folder.discard()  # it holds nothing that could be continued
        raise


def _resume(path: Path, data: Any, options: dict[str, Any]) -> Run:
    """Takes up a run where its folder has it, with the options and the plan that it began with."""
    stray = sorted(set(options) - {"quiet"})
    if data is not None or stray:
        given = f"--{stray[0].replace('_', '-')}" if stray else repr(str(data))
        raise UsageError(f"--resume continues a run as it began and takes no other option; got {given}")
    if begun(path):
        return continue_folds(path, quiet=bool(options.get("quiet")))
    folder = runfolder.reopen(path)
    if (path / "summary.json").exists():
        return read_run(path)  # the summary is written last: there is nothing left to do
    config = folder.read_config()
    began_with = make_options(config.get("options", {}).pop("data", None), config.get("options", {}))
    with _job(replace(began_with, quiet=bool(options.get("quiet")))) as job:
        plan = Plan.from_config(config.get("plan", {}))
        if deciding.fingerprint(job.data) != plan.fingerprint:
            raise DataError(
                f"{job.data.source}: the files or labels are not those that {path} began with, so the run cannot be "
                "continued exactly; put them back, or train anew"
            )
        return _finish(job, plan, folder)


def _decide(job: Job) -> tuple[Plan, RangeTest | None]:
    """Returns the plan, its learning rate found and its epochs cut to the time where the options say so."""
    plan, options = deciding.decide(job.kind, job.data, job.options), job.options
    search = None
    may_finetune = plan.transfer == "features" and options.transfer is None and options.minutes is not None
    if plan.transfer == "features" and not may_finetune:
        return plan, search
    if may_finetune:
        plan = deciding.decide(job.kind, job.data, replace(options, transfer="finetune"))
    work, network = job.kind.work(job.data, plan, job.place), deciding.build(plan)
    job.kind.fill(network, job.data, plan)
    if options.lr == "find":
        search = find_learning_rate(
            network, work.task, work.train, plan.recipe, phase=plan.phases[0], device=job.device
        )
        plan = deciding.with_rate(plan, network, search.suggestion, everything=options.everything)
    cost = timing.measure(plan, network, work, job.device)
    plan = replace(plan, decisions=(*plan.decisions, timing.describe(plan, cost)))
    if options.minutes is None or timing.fits(plan, cost, options.minutes):
        return plan, search
    if may_finetune:
        line = f"{plan.decisions[-1]} of fine-tuning, more than {options.minutes:g} minutes: frozen features instead"
        frozen = deciding.decide(job.kind, job.data, options)
        return replace(frozen, decisions=(*frozen.decisions, line)), search
    return timing.within(plan, cost, options.minutes), search


def _make_folder(job: Job, plan: Plan) -> RunFolder:
    """Makes the run folder with its configuration and the split; only the main process does."""
    path = None
    if job.world.main:
        config = {"options": job.options.to_config(), "plan": plan.to_config()}
        made = runfolder.create(job.options.out, network=plan.net, data=job.data.source, config=config)
        made.write_split(split_table(job.data))
        for line in (*job.kind.describe(job.data), *plan.decisions):
            made.log("note", text=line)
    path = job.world.share(made.path if job.world.main else None)
    return made if job.world.main else RunFolder(path)


def _finish(job: Job, plan: Plan, folder: RunFolder, search: RangeTest | None = None) -> Run:
    """Trains what is left of the plan, writes the model file, measures it, and writes summary and report."""
    work = job.kind.work(job.data, plan, job.place)
    network = deciding.build(plan)
    if not folder.checkpoint.exists():
        job.kind.fill(network, job.data, plan)
    trained = train_network(
        plan, network, work, folder, job.options, device=job.device, world=job.world, progress=job.progress
    )
    run = _write(job, plan, folder, trained, search) if job.world.main else None
    job.world.share(None)  # nobody leaves before the files are written
    return run if run is not None else read_run(folder.path)


def _write(job: Job, plan: Plan, folder: RunFolder, trained: Trained, search: RangeTest | None) -> Run:
    measured = write_model(folder, job.kind, plan, job.data, job.options, trained.state)
    seconds = time.monotonic() - job.began
    summary = summarise(job.kind, plan, job.data, measured, seconds=seconds)
    run = Run(folder.path, summary, measured.results)
    write_report(folder, job.kind, plan, job.data, run, _leftovers(job, trained, search))
    folder.write_summary(summary)  # last: where it is, the run is whole
    folder.log("finished", **measured.metrics()["test"])
    return run


def _leftovers(job: Job, trained: Trained, search: RangeTest | None) -> Leftovers:
    """Returns what the report shows beside the results: histories, notes, samples of each class."""
    train = job.data.parts["train"]
    shown = {
        name: [place for place, other in enumerate(train.labels) if other == label][:EXAMPLES]
        for label, name in enumerate(job.data.classes[:MOST_CLASSES])
    }
    return Leftovers(
        options=job.options,
        history=trained.history,
        notes=trained.notes,
        search=None if search is None else rate_search(search),
        examples={name: list(job.kind.pictures(train, some).values()) for name, some in shown.items()},
    )
