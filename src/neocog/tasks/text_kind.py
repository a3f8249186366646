"""What training needs to know of texts in classes: how they are read, what suits them, which batches they make."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
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
from neocog.data.split import fewer
from neocog.data.text_lines import ENCODING
from neocog.data.text_open import open_texts
from neocog.data.text_preprocess import TextPreprocessing
from neocog.data.text_rows import Reading
from neocog.data.text_source import TextSource
from neocog.report.page import Section
from neocog.tasks import classified
from neocog.tasks.choice import Choice
from neocog.tasks.evaluation import TestResult
from neocog.tasks.kinds import Place, Work
from neocog.tasks.loading import keys, loaders
from neocog.tasks.model import Model
from neocog.tasks.option_checks import fold_of, refuse_weights
from neocog.tasks.options import TrainOptions
from neocog.tasks.plan import Plan
from neocog.tasks.result import Occasion
from neocog.tasks.text_classification import NAME, make_task
from neocog.tasks.text_words import Words
from neocog.training.features import unchanged

SHOWN_CHARACTERS = 300
MOST_STRANGE = 0.05  # of the characters, of which nothing is said


class TextClassificationKind:
    """`neocog.tasks.kinds.Kind` for texts in classes; one object serves one run."""

    name = NAME
    chosen_by = classified.CHOSEN_BY

    def __init__(self) -> None:
        self._options = TrainOptions()
        self._looked: Words | None = None

    def read(self, options: TrainOptions) -> DataSet[str]:
        """Reads the data and splits them where parts are missing."""
        if options.data is None:
            raise UsageError("there are no texts to train on: name a file or folder of labelled texts")
        refuse_weights(options, "texts start from word vectors: give --vectors FILE, not --weights or --transfer")
        self._options = options
        data = open_texts(
            options.data,
            reading=_reading(options),
            split_seed=options.split_seed,
            exclude=options.exclude,
            fold=fold_of(options),
        )
        return data if options.samples is None else fewer(data, options.samples, seed=options.split_seed)

    def stored(self, options: TrainOptions, exclude: str | Iterable[str] | None) -> DataSet[str]:
        """Reads the data as they are stored, for a test."""
        return open_texts(options.data or "", reading=_reading(options), exclude=exclude, for_training=False)

    def readable(self, data: DataSet[str]) -> DataSet[str]:
        """Returns the data: a text that was read can be read."""
        return data

    def look(self, data: DataSet[str]) -> Words:
        """Returns what the run knows of words; looked at once."""
        if self._looked is None or self._looked.data is not data:
            self._looked = Words(data, self._options)
        return self._looked

    def what(self, data: DataSet[str]) -> str:
        """Returns the word for the samples."""
        del data
        return "samples"

    def choose(self, data: DataSet[str]) -> Choice:
        """Returns Kim's network, which suits sentences and is quick."""
        longest = max(self.look(data).lengths, default=0)
        return Choice("kim_cnn", "none", f"texts of up to {longest:,} words suit filters over words")

    def recipe(self, name: str | None, record: Record, data: DataSet[str], *, pretrained: bool) -> Recipe:
        """Returns the recipe of that name; ours unless named."""
        del pretrained
        return recipes.find(name or "fast", record.name, samples=len(data.parts["train"]), text=True)

    def preprocessing(
        self, data: DataSet[str], record: Record, weights: Weights | None, options: TrainOptions
    ) -> dict[str, Any]:
        """Returns tokeniser, words and lengths, as the model file carries them."""
        del weights
        if record.text is None:
            raise UsageError(f"{record.name} takes no texts")
        if options.mode in ("static", "non-static", "multichannel") and options.vectors is None:
            raise UsageError(f"--mode {options.mode} starts from given word vectors; name their file by --vectors")
        if options.mode == "rand" and options.vectors is not None:
            raise UsageError("--mode rand draws its word vectors; leave --vectors out, or choose another mode")
        return self.look(data).preprocessing(record).to_contract()

    def describe_input(self, data: DataSet[str], preprocessing: Mapping[str, Any]) -> str:
        """Returns the line that says how the texts meet the network's input, and what their vectors cover."""
        words = self.look(data)
        known, length = len(preprocessing["words"]), preprocessing["length"]
        if length:
            cut = sum(len(text) > length for text in _texts(data))
            more = f"; {cut:,} training texts are longer and lose their end" if cut else ""
            strange = words.outside(preprocessing["words"])
            if strange > MOST_STRANGE:
                more += (
                    f"; {strange:.0%} of the training part's characters are not among them and nothing to this network"
                )
            return f"input: the first {length:,} characters of a text, {known} different ones known{more}"
        mean = sum(words.lengths) / max(len(words.lengths), 1)
        lines = [
            f"input: tokens by {preprocessing['tokeniser']!r}, {known:,} words known; a training text has {mean:.1f} "
            f"on average, at most {max(words.lengths, default=0):,}",
            *words.describe(),
        ]
        empty = words.without_token()
        if empty:
            lines.append(f"{len(empty):,} training texts have no word for this tokeniser, e.g. {empty[0]}")
        return "; ".join(lines)

    def arguments(self, data: DataSet[str], preprocessing: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the arguments of the network's builder."""
        arguments = {"classes": len(data.classes), "channels": len(preprocessing["words"])}
        words, options = self.look(data), self._options
        usual = "non-static" if words.vectors is not None else "rand"
        own = {"dimension": words.dimension, "mode": options.mode or usual, "bidirectional": options.bidirectional}
        return {**arguments, **{name: value for name, value in own.items() if value is not None}}

    def fitting(self, record: Record, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the arguments that the network's builder has; raises UsageError for a mode that it does not have."""
        has = inspect.signature(record.build).parameters
        if "mode" not in has and self._options.mode is not None:
            raise UsageError(f"{record.name} has no modes; leave --mode out")
        if "dimension" not in has and self._options.dimension is not None:
            raise UsageError(f"{record.name} has no --dimension of its own; leave it out")
        if "bidirectional" not in has and self._options.bidirectional is not None:
            raise UsageError(f"{record.name} is not recurrent; leave --bidirectional out")
        return {name: value for name, value in arguments.items() if name in has}

    def check(self, network: nn.Module, preprocessing: Mapping[str, Any]) -> None:
        """Raises NetworkError when the network cannot take such texts."""
        check_input(network, (len(preprocessing["words"]), preprocessing["usual"]))

    def fill(self, network: nn.Module, data: DataSet[str], plan: Plan) -> None:
        """Puts the word vectors into a network that has not trained yet."""
        self.look(data).fill(network, tuple(plan.preprocessing["words"]))

    def work(self, data: DataSet[str], plan: Plan, place: Place) -> Work:
        """Returns the task and the loaders of a run."""
        numbers = TextPreprocessing.from_contract(plan.preprocessing)
        sources = {name: TextSource(part, numbers) for name, part in data.parts.items()}
        train = sources["train"]
        lengths = None if numbers.length else lengths_to_sort_by(train.lengths, train.labels)
        shuffled, plain = loaders(train, sources, place, seed=plan.seed, lengths=lengths)
        return Work(
            make_task(data.classes, plan.recipe, data.parts["train"].labels),
            shuffled,
            plain,
            keys(data),
            {name: torch.tensor(part.labels, dtype=torch.int64) for name, part in data.parts.items()},
            (unchanged,),
        )

    def measure(
        self,
        model: Model,
        data: DataSet[str],
        part: Part[str],
        occasion: Occasion,
        *,
        batch_size: int | None = None,
        workers: int | None = None,
    ) -> TestResult:
        """Returns what a model answers for a part of data."""
        return classified.measured(model, data, part, occasion, batch_size=batch_size, workers=workers)

    def sections(self, result: TestResult, part: Part[str]) -> list[Section]:
        """Returns confusion, classes, calibration and the worst mistakes."""
        return classified.sections(result, part, self.pictures)

    def describe(self, data: DataSet[str]) -> tuple[str, ...]:
        """Returns the lines that say what the data are."""
        counts = ", ".join(f"{len(data.parts[name]):,} {name}" for name in PARTS if name in data.parts)
        return (f"{data.source}: {len(data.classes)} classes, {counts}; texts", *data.notes)

    def pictures(self, part: Part[str], places: Sequence[int]) -> Mapping[int, str]:
        """Returns the beginnings of texts for the report, by place."""
        return {place: part.items.read(place)[:SHOWN_CHARACTERS] for place in places}


def _reading(options: TrainOptions) -> Reading:
    columns = (options.text_column, options.label_column)
    return Reading(options.encoding or ENCODING, *columns, options.trees, options.phrases)


def _texts(data: DataSet[str]) -> list[str]:
    items = data.parts["train"].items
    return [items.read(place) for place in range(len(items))]
