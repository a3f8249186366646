"""The report of a run: which sections it has, filled from what the run left."""

from __future__ import annotations

import math
import platform
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import nn

from neocog.core.layers import count_macs, count_parameters, layer_table
from neocog.core.own import is_own
from neocog.core.runfolder import RunFolder
from neocog.core.version import __version__
from neocog.data.dataset import DataSet
from neocog.data.split import counts
from neocog.report.charts import RateSearch
from neocog.report.dataset import DataSummary, data_section
from neocog.report.history import Epoch, History, history_section, rate_search_section
from neocog.report.mistakes import Shown
from neocog.report.network import LayerRow, NetworkTable, filters_section, network_section
from neocog.report.page import Page, Section
from neocog.report.running import commands_section, facts_section, settings_section
from neocog.tasks.kinds import Kind
from neocog.tasks.options import TrainOptions
from neocog.tasks.plan import Plan
from neocog.tasks.run import Run
from neocog.training.lr_finder import RangeTest


@dataclass(frozen=True)
class Leftovers:
    """What the report says beside the run's results.

    ``options`` as given; ``history`` a row an epoch; ``notes`` lines about training; ``search`` the learning-rate range
    test, if there was one; ``examples`` some training samples a class.
    """

    options: TrainOptions
    history: Sequence[Mapping[str, Any]]
    notes: Sequence[str]
    search: RateSearch | None = None
    examples: Mapping[str, Sequence[Shown]] = field(default_factory=dict)


def write_report(folder: RunFolder, kind: Kind, plan: Plan, data: DataSet[Any], run: Run, left: Leftovers) -> None:
    """Writes ``report.html``; raises ResourceError where it cannot be written."""
    result = run.results["test"]
    sections = [
        *([history_section(_history(left.history, *kind.chosen_by))] if left.history else []),
        *([rate_search_section(left.search)] if left.search else []),
        *(kind.sections(result, data.parts["test"]) if result.samples else []),
        _network(plan, run.model.network),
        *_filters(run.model.network),
        data_section(DataSummary(data.source, data.classes, counts(data), notes=data.notes, examples=left.examples)),
        settings_section("How it was trained", _settings(plan), lead=" ".join(_sentence(note) for note in left.notes)),
        commands_section(_commands(folder, left.options)),
        facts_section("Made with", _versions()),
    ]
    facts = [
        ("Network", plan.net),
        ("Transfer", plan.transfer),
        ("Parameters", f"{run.summary['parameters']:,}"),
        ("Time", f"{run.summary['seconds']:.0f} s"),
    ]
    page = Page(f"{plan.net} on {data.source}", sections, verdict=_sentence(run.verdict()), facts=facts)
    page.write(folder.report)


def _history(rows: Sequence[Mapping[str, Any]], metric: str, title: str) -> History:
    epochs = [
        Epoch(
            number=row["epoch"],
            train_loss=row["train_loss"],
            val_loss=row.get("val_loss", math.nan),
            metric=row.get(f"val_{metric}", math.nan),
            learning_rate=row["lr"],
            phase=row["phase"],
        )
        for row in rows
    ]
    rated = [epoch for epoch in epochs if math.isfinite(epoch.metric)]
    best = max(rated, key=lambda epoch: (epoch.metric, -epoch.number)).number if rated else None
    return History(epochs, title, best)


def _network(plan: Plan, network: nn.Module) -> Section:
    shape = input_shape(plan.preprocessing)
    rows = [
        LayerRow(
            layer=row.name,
            kind=row.kind,
            output=row.output_shape,
            kernel=_times(row.kernel),
            stride=_times(row.stride),
            params=row.params,
            macs=row.macs,
            receptive_field=_times(row.receptive_field),
        )
        for row in layer_table(network, shape)
    ]
    table = NetworkTable(plan.net, shape, rows, count_parameters(network), count_macs(network, shape))
    return network_section(table)


def input_shape(preprocessing: Mapping[str, Any]) -> tuple[int, ...]:
    """Returns the shape of one input, from the numbers in a contract: (C, H, W), or of texts (words, tokens, ...)."""
    if "words" in preprocessing:
        usual = preprocessing["usual"]
        return (len(preprocessing["words"]), *(usual if isinstance(usual, (list, tuple)) else (usual,)))
    return (preprocessing["channels"], *preprocessing["size"])


def _filters(network: nn.Module) -> list[Section]:
    """Returns the pictures of the first convolution's kernels, if there is one."""
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Conv2d):
            return [filters_section(name, layer.weight.detach().float().cpu().numpy())]
    return []


def _settings(plan: Plan) -> list[tuple[str, str]]:
    recipe = asdict(plan.recipe)
    augmentation = recipe.pop("augmentation")
    plain = {
        "seed": plan.seed,
        "weights": plan.weights,
        **recipe,
        **{f"augment: {k}": v for k, v in augmentation.items()},
    }
    trains = plan.transfer != "features"  # frozen features take no steps, so a recipe would say nothing
    numbers = plain if trains else {"seed": plan.seed, "weights": plan.weights}
    shown = {
        **numbers,
        **{f"input: {key}": value for key, value in plan.preprocessing.items() if key not in ("kind", "words")},
    }
    return [(name.replace("_", " "), _value(value)) for name, value in shown.items() if value not in (None, "")]


def _value(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(_value(entry) for entry in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _commands(folder: RunFolder, options: TrainOptions) -> list[tuple[str, str]]:
    own = f" --net {shlex.quote(options.net)}" if options.net and is_own(options.net) else ""
    model = shlex.quote(str(folder.model)) + own
    return [
        ("Train the same again", run_again(options)),
        ("Measure it on other data", f"neocog test {model} DATA"),
        ("Answer for your own inputs", f"neocog predict {model} INPUT..."),
    ]


def rate_search(search: RangeTest) -> RateSearch:
    """Returns a range test as its chart takes it."""
    return RateSearch(search.rates, search.losses, search.suggestion)


def run_again(options: TrainOptions) -> str:
    """Returns the command that trains the same again, but for the folder."""
    return shlex.join(["neocog", *options.to_words()])


def _versions() -> list[tuple[str, str]]:
    threads = torch.get_num_threads()
    return [
        ("Neocog", __version__),
        ("PyTorch", torch.__version__),
        ("Python", platform.python_version()),
        ("System", f"{platform.system()} {platform.machine()}, {threads} threads"),
    ]


def _times(sizes: Sequence[int] | None) -> str:
    if not sizes:
        return ""
    return str(sizes[0]) if len(set(sizes)) == 1 and len(sizes) == 1 else "x".join(str(size) for size in sizes)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."
