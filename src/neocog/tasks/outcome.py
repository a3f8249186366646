"""What a run leaves: the model file with its contract, the measures on each part, the summary."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor

from neocog.core import modelfile
from neocog.core.contract import ModelContract
from neocog.core.runfolder import RunFolder
from neocog.core.version import __version__
from neocog.data.dataset import DataSet
from neocog.tasks.kinds import Kind
from neocog.tasks.model import Model, load
from neocog.tasks.options import TrainOptions
from neocog.tasks.plan import Plan
from neocog.tasks.result import Occasion, Result

MEASURED = ("val", "test")


@dataclass(frozen=True)
class Measured:
    """The model as its file holds it, and what it answered on each part that it was not trained on."""

    model: Model
    results: Mapping[str, Result]

    def metrics(self) -> dict[str, dict[str, float]]:
        """Returns the metrics by part under the field's names, fractions, with n samples."""
        return {name: {**result.metrics, "n": result.samples} for name, result in self.results.items()}


def write_model(
    folder: RunFolder, kind: Kind, plan: Plan, data: DataSet[Any], options: TrainOptions, state: Mapping[str, Tensor]
) -> Measured:
    """Writes the model file, reads it back, measures what was read, and writes it again with these metrics.

    What is measured is what a later ``neocog test`` measures: the file, not the network in memory, whose memory layout
    may add up in another order.
    """
    contract = ModelContract(
        network=plan.net,
        arguments=plan.arguments,
        task=plan.task,
        classes=data.classes,
        preprocessing=plan.preprocessing,
        training={
            "data": data.source,
            "fingerprint": plan.fingerprint,
            "split_seed": options.split_seed,
            **({} if options.fold is None else {"fold": [options.fold, options.folds]}),
            **({} if options.samples is None else {"samples": options.samples}),
            "seed": plan.seed,
            "weights": plan.weights,
            "transfer": plan.transfer,
            "recipe": asdict(plan.recipe),
            "neocog": __version__,
            "torch": torch.__version__,
        },
    )
    modelfile.save(folder.model, state, contract)
    model = load(folder.model, "cpu" if options.device == "cpu" else None, net=plan.net)
    results = {name: _measure(kind, model, data, name, options) for name in MEASURED if name in data.parts}
    measured = Measured(model, results)
    modelfile.save(folder.model, state, replace(contract, metrics=measured.metrics()))
    return measured


def _measure(kind: Kind, model: Model, data: DataSet[Any], name: str, options: TrainOptions) -> Result:
    occasion = Occasion(data.source, name, f"the {name} part of {data.source}, kept out of training")
    return kind.measure(model, data, data.parts[name], occasion, workers=options.workers)


def _verdict(result: Result) -> str:
    if not result.samples:
        return f"the test part holds no readable {result.what}, so nothing is known of the accuracy"
    return result.verdict("held-out test ")


def summarise(kind: Kind, plan: Plan, data: DataSet[Any], measured: Measured, *, seconds: float) -> dict[str, Any]:
    """Returns ``summary.json``: what was trained on what for how long, and the final metrics by part.

    ``chosen_by`` is the metric by which the best epoch was chosen and ``chosen_title`` its title; ``what`` is the word
    for what ``n`` counts.
    """
    intervals = {
        f"{name}_intervals": {key: list(ends) for key, ends in result.intervals.items()}
        for name, result in measured.results.items()
    }
    return {
        "task": plan.task,
        "network": plan.net,
        "parameters": sum(weight.numel() for weight in measured.model.network.parameters()),
        "transfer": plan.transfer,
        "recipe": plan.recipe.name,
        "seed": plan.seed,
        "data": data.source,
        "fingerprint": plan.fingerprint,
        "classes": list(data.classes),
        "samples": {name: len(part) for name, part in data.parts.items()},
        "seconds": round(seconds, 3),
        **measured.metrics(),
        **intervals,
        "chosen_by": kind.chosen_by[0],
        "chosen_title": kind.chosen_by[1],
        "what": measured.results["test"].what,
        "verdict": _verdict(measured.results["test"]),
        "versions": {"neocog": __version__, "torch": torch.__version__, "python": platform.python_version()},
    }
