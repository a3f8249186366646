"""What training needs to know of relations: how sentences and bags are read, what suits them, how they are judged."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from neocog import recipes
from neocog.core.errors import UsageError
from neocog.core.inputs import check_input
from neocog.core.recipe import Recipe
from neocog.core.registry import Record, Weights
from neocog.data.dataset import PARTS, DataSet, Part
from neocog.data.length_tells import lengths_to_sort_by
from neocog.data.relation_open import Sample, are_bags, marked, open_relations
from neocog.data.relation_preprocess import RelationPreprocessing
from neocog.data.relation_source import RelationSource
from neocog.data.split import fewer
from neocog.data.text_lines import ENCODING
from neocog.report.page import Section
from neocog.report.running import facts_section
from neocog.tasks import classified
from neocog.tasks.choice import Choice
from neocog.tasks.evaluation import TestResult
from neocog.tasks.kinds import Place, Work
from neocog.tasks.loading import keys, loaders
from neocog.tasks.model import Model
from neocog.tasks.option_checks import refuse_weights
from neocog.tasks.options import TrainOptions
from neocog.tasks.plan import Plan
from neocog.tasks.relation_classification import NAME, make_task, official, score_of
from neocog.tasks.relation_words import RelationWords
from neocog.tasks.result import Occasion
from neocog.training.features import unchanged

SHOWN_CHARACTERS = 300


class RelationKind:
    """`neocog.tasks.kinds.Kind` for sentences with two entities and for bags of them; one object serves one run."""

    name = NAME
    chosen_by = ("macro_f1", "macro F1 by the official rules")

    def __init__(self) -> None:
        self._options = TrainOptions()
        self._looked: RelationWords | None = None

    def read(self, options: TrainOptions) -> DataSet[Sample]:
        """Reads the data and splits them where parts are missing."""
        if options.data is None:
            raise UsageError("there are no sentences to train on: name a file or folder of sentences with relations")
        refuse_weights(options, "relations start from word vectors: give --vectors FILE, not --weights or --transfer")
        self._options = options
        data = open_relations(
            options.data,
            encoding=options.encoding or ENCODING,
            split_seed=options.split_seed,
            exclude=options.exclude,
        )
        return data if options.samples is None else fewer(data, options.samples, seed=options.split_seed)

    def stored(self, options: TrainOptions, exclude: str | Iterable[str] | None) -> DataSet[Sample]:
        """Reads the data as they are stored, for a test."""
        encoding = options.encoding or ENCODING
        return open_relations(options.data or "", encoding=encoding, exclude=exclude, for_training=False)

    def readable(self, data: DataSet[Sample]) -> DataSet[Sample]:
        """Returns the data: a sentence that was read can be read."""
        return data

    def look(self, data: DataSet[Sample]) -> RelationWords:
        """Returns what the run knows of words; looked at once."""
        if self._looked is None or self._looked.data is not data:
            self._looked = RelationWords(data, self._options)
        return self._looked

    def what(self, data: DataSet[Sample]) -> str:
        """Returns the word for the samples."""
        return "bags" if are_bags(data) else "sentences"

    def choose(self, data: DataSet[Sample]) -> Choice:
        """Returns the piecewise CNN; for bags the one that attends to their sentences."""
        if self.look(data).holds_bags:
            return Choice("pcnn_attention", "none", "of a bag it heeds the sentences that tell the relation")
        return Choice("pcnn", "none", "it looks before, between and behind the two entities")

    def recipe(self, name: str | None, record: Record, data: DataSet[Sample], *, pretrained: bool) -> Recipe:
        """Returns the recipe of that name; ours unless named."""
        del pretrained
        return recipes.find(name or "fast", record.name, samples=len(data.parts["train"]), relations=True)

    def preprocessing(
        self, data: DataSet[Sample], record: Record, weights: Weights | None, options: TrainOptions
    ) -> dict[str, Any]:
        """Returns tokeniser, words and the reach of distances, as the model file carries them."""
        del weights, options
        return self.look(data).preprocessing(record).to_contract()

    def describe_input(self, data: DataSet[Sample], preprocessing: Mapping[str, Any]) -> str:
        """Returns the line that says how the sentences meet the network's input, and what their vectors cover."""
        known, reach = len(preprocessing["words"]), preprocessing["reach"]
        lines = (
            f"input: tokens by {preprocessing['tokeniser']!r}, {known:,} words known, and their distances to both "
            f"entities, up to {reach}",
            *self.look(data).describe(),
        )
        return "; ".join(lines)

    def arguments(self, data: DataSet[Sample], preprocessing: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the arguments of the network's builder."""
        dimension = self.look(data).dimension
        sizes = {"classes": len(data.classes), "channels": len(preprocessing["words"])}
        return sizes if dimension is None else {**sizes, "dimension": dimension}

    def fitting(self, record: Record, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the arguments that the network's builder has."""
        has = inspect.signature(record.build).parameters
        return {name: value for name, value in arguments.items() if name in has}

    def check(self, network: nn.Module, preprocessing: Mapping[str, Any]) -> None:
        """Raises NetworkError when the network cannot take such sentences."""
        check_input(network, (len(preprocessing["words"]), *preprocessing["usual"]))

    def fill(self, network: nn.Module, data: DataSet[Sample], plan: Plan) -> None:
        """Puts the word vectors into a network that has not trained yet."""
        self.look(data).fill(network, tuple(plan.preprocessing["words"]))

    def work(self, data: DataSet[Sample], plan: Plan, place: Place) -> Work:
        """Returns the task and the loaders of a run."""
        numbers = RelationPreprocessing.from_contract(plan.preprocessing)
        sources = {name: RelationSource(part, numbers) for name, part in data.parts.items()}
        train = sources["train"]
        lengths = lengths_to_sort_by(train.lengths, train.labels)
        shuffled, plain = loaders(train, sources, place, seed=plan.seed, lengths=lengths)
        return Work(
            make_task(data.classes, plan.recipe, data.parts["train"].labels, bags=numbers.bags),
            shuffled,
            plain,
            keys(data),
            {name: torch.tensor(part.labels, dtype=torch.int64) for name, part in data.parts.items()},
            (unchanged,),
        )

    def measure(
        self,
        model: Model,
        data: DataSet[Sample],
        part: Part[Sample],
        occasion: Occasion,
        *,
        batch_size: int | None = None,
        workers: int | None = None,
    ) -> TestResult:
        """Returns what a model answers for a part of data, with the official figures."""
        made = classified.measured(model, data, part, occasion, batch_size=batch_size, workers=workers)
        return replace(made, official=official(made.answers, made.classes), what=self.what(data))

    def sections(self, result: TestResult, part: Part[Sample]) -> list[Section]:
        """Returns the official score of each relation, then confusion, classes, calibration and the worst mistakes."""
        score = score_of(result.answers, result.classes)
        found, what = ({} if score is None else score.by_relation), result.what
        rows = [
            (name, f"F1 {each.f1:.2%}, precision {each.precision:.2%}, recall {each.recall:.2%}, {each.gold:,} {what}")
            for name, each in found.items()
        ]
        own = [facts_section("Official score of each relation, its direction counted", rows)] if rows else []
        return [*own, *classified.sections(result, part, self.pictures)]

    def describe(self, data: DataSet[Sample]) -> tuple[str, ...]:
        """Returns the lines that say what the data are."""
        counts = ", ".join(f"{len(data.parts[name]):,} {name}" for name in PARTS if name in data.parts)
        what = "bags of sentences" if self.look(data).holds_bags else "sentences"
        return (f"{data.source}: {len(data.classes)} relations, {counts}; {what}", *data.notes)

    def pictures(self, part: Part[Sample], places: Sequence[int]) -> Mapping[int, str]:
        """Returns the beginnings of sentences with their marks for the report, by place."""
        return {place: marked(part.items.read(place))[:SHOWN_CHARACTERS] for place in places}
