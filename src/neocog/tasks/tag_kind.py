"""What training needs to know of tagged sentences: how they are read, what suits them, which batches they make."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from neocog import recipes
from neocog.core.errors import UsageError
from neocog.core.inputs import check_input
from neocog.core.recipe import Recipe
from neocog.core.registry import Record, Weights
from neocog.core.spans import converted
from neocog.data.conll import TaggedSentence
from neocog.data.conll_open import open_for_training, open_tagged
from neocog.data.dataset import PARTS, DataSet, Part
from neocog.data.exclude import leave_out, read_list
from neocog.data.labels import class_list
from neocog.data.split import fewer
from neocog.data.tag_preprocess import TagPreprocessing
from neocog.data.tag_source import TagSource
from neocog.data.text_lines import ENCODING
from neocog.data.text_rows import Reading
from neocog.nn.crf import constraints
from neocog.report.page import Section
from neocog.report.tags import TagMistake, tag_sections
from neocog.tasks.choice import Choice
from neocog.tasks.kinds import Place, Work
from neocog.tasks.loading import keys, loaders
from neocog.tasks.model import Model
from neocog.tasks.option_checks import fold_of, refuse_weights
from neocog.tasks.options import TrainOptions
from neocog.tasks.plan import Plan
from neocog.tasks.result import Occasion
from neocog.tasks.tag_measure import measured
from neocog.tasks.tag_result import TaggingResult
from neocog.tasks.tag_words import TagWords, learned_scheme, refuse_slips, scheme_in
from neocog.tasks.tagging import NAME, Tagging
from neocog.training.features import unchanged


class TaggingKind:
    """`neocog.tasks.kinds.Kind` for tagged sentences; one object serves one run."""

    name = NAME

    def __init__(self) -> None:
        self._options = TrainOptions()
        self._looked: TagWords | None = None
        self._spans = True

    @property
    def chosen_by(self) -> tuple[str, str]:
        """The F1 of spans, or of other tags the share that is right."""
        return ("f1", "F1 of spans") if self._spans else ("accuracy", "tags right")

    def read(self, options: TrainOptions) -> DataSet[TaggedSentence]:
        """Reads the sentences, keeps parts aside where they are missing, and has the tags as they are learned."""
        if options.data is None:
            raise UsageError("there are no sentences to train on: name a file or folder of tagged sentences")
        refuse_weights(options, "taggers start from word vectors: give --vectors FILE, not --weights or --transfer")
        self._options = options
        data = open_for_training(
            options.data,
            reading=_reading(options),
            split_seed=options.split_seed,
            exclude=options.exclude,
            fold=fold_of(options),
        )
        refuse_slips(*data.parts.values())
        data = data if options.samples is None else fewer(data, options.samples, seed=options.split_seed)
        return self._with_learned_tags(data)

    def _with_learned_tags(self, data: DataSet[TaggedSentence]) -> DataSet[TaggedSentence]:
        scheme = scheme_in(data)
        learned = learned_scheme(scheme, self._options)
        self._spans = scheme is not None
        if learned is None:
            if self._options.scheme is not None:
                raise UsageError(f"--scheme is for tags of spans such as B-NP; these are {', '.join(data.classes[:5])}")
            return data
        items = [part.items for part in data.parts.values()]
        tags = class_list(
            tag for own in items for at in range(len(own)) for tag in converted(own.read(at).tags, learned)
        )
        made = replace(data, classes=tags)
        self._looked = TagWords(made, scheme, self._options)
        return made

    def stored(self, options: TrainOptions, exclude: str | Iterable[str] | None) -> DataSet[TaggedSentence]:
        """Reads the sentences as they are stored, for a test."""
        data = open_tagged(options.data or "", reading=_reading(options))
        if exclude is None:
            return data
        return leave_out(data, read_list(Path(exclude)) if isinstance(exclude, str) else exclude)

    def readable(self, data: DataSet[TaggedSentence]) -> DataSet[TaggedSentence]:
        """Returns the data: a sentence that was read can be read."""
        return data

    def look(self, data: DataSet[TaggedSentence]) -> TagWords:
        """Returns what the run knows of words; looked at once."""
        if self._looked is None or self._looked.data is not data:
            self._looked = TagWords(data, scheme_in(data), self._options)
        return self._looked

    def what(self, data: DataSet[TaggedSentence]) -> str:
        """Returns the word for the samples."""
        del data
        return "sentences"

    def choose(self, data: DataSet[TaggedSentence]) -> Choice:
        """Returns the window network, which is quick and nearly as good as the one over sentences."""
        return Choice("collobert_window", "none", f"{len(data.classes)} tags of words suit windows of five words")

    def recipe(self, name: str | None, record: Record, data: DataSet[Any], *, pretrained: bool) -> Recipe:
        """Returns the recipe of that name; ours unless named."""
        del pretrained
        return recipes.find(name or "fast", record.name, samples=len(data.parts["train"]), tags=True)

    def preprocessing(
        self, data: DataSet[TaggedSentence], record: Record, weights: Weights | None, options: TrainOptions
    ) -> dict[str, Any]:
        """Returns words, suffixes and schemes, as the model file carries them."""
        del record, weights, options
        return self.look(data).preprocessing().to_contract()

    def describe_input(self, data: DataSet[TaggedSentence], preprocessing: Mapping[str, Any]) -> str:
        """Returns the line that says what the network sees, and what its vectors cover."""
        words = self.look(data)
        mean = sum(words.lengths) / max(len(words.lengths), 1)
        scheme, learned = preprocessing["scheme"], preprocessing["learned"]
        tags = f"tags of spans in {scheme}, learned as {learned}" if scheme else "tags of words"
        line = f"input: words, capitals and suffixes; a training sentence has {mean:.1f} words on average; {tags}"
        return "; ".join((line, *words.describe()))

    def arguments(self, data: DataSet[TaggedSentence], preprocessing: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the arguments of the network's builder."""
        words = self.look(data)
        dimension = words.vectors.dimension if words.vectors is not None else self._options.dimension
        options = self._options
        own = {"dimension": dimension, "likelihood": options.likelihood, "bidirectional": options.bidirectional}
        return {
            "classes": len(data.classes),
            "channels": len(preprocessing["words"]),
            "suffixes": [len(known) for known in preprocessing["suffixes"]],
            **{name: value for name, value in own.items() if value is not None},
        }

    def fitting(self, record: Record, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the arguments that the network's builder has; raises UsageError for an option that it lacks."""
        has = inspect.signature(record.build).parameters
        for option in ("likelihood", "dimension", "bidirectional"):
            if option not in has and getattr(self._options, option) is not None:
                raise UsageError(f"{record.name} has no --{option}; leave it out")
        return {name: value for name, value in arguments.items() if name in has}

    def fill(self, network: nn.Module, data: DataSet[TaggedSentence], plan: Plan) -> None:
        """Puts the word vectors into a network that has not trained yet."""
        self.look(data).fill(network, tuple(plan.preprocessing["words"]))

    def check(self, network: nn.Module, preprocessing: Mapping[str, Any]) -> None:
        """Raises NetworkError when the network cannot take such sentences."""
        check_input(network, (len(preprocessing["words"]), *preprocessing["usual"]))

    def work(self, data: DataSet[TaggedSentence], plan: Plan, place: Place) -> Work:
        """Returns the task and the loaders of a run."""
        numbers = TagPreprocessing.from_contract(plan.preprocessing)
        sources = {name: TagSource(part, numbers, data.classes) for name, part in data.parts.items()}
        allowed = None if numbers.learned is None else constraints(data.classes, numbers.learned)
        self._spans = numbers.scheme is not None
        train = sources["train"]
        shuffled, plain = loaders(train, sources, place, seed=plan.seed, lengths=train.lengths)
        return Work(
            Tagging(data.classes, self.chosen_by[0], allowed),
            shuffled,
            plain,
            keys(data),
            {name: torch.empty(0, dtype=torch.int64) for name in data.parts},
            (unchanged,),
        )

    def measure(
        self,
        model: Model,
        data: DataSet[TaggedSentence],
        part: Part[TaggedSentence],
        occasion: Occasion,
        *,
        batch_size: int | None = None,
        workers: int | None = None,
    ) -> TaggingResult:
        """Returns what a model answers for a part of data."""
        del data
        return measured(model, part, occasion, batch_size=batch_size, workers=workers)

    def sections(self, result: TaggingResult, part: Part[TaggedSentence]) -> list[Section]:
        """Returns the types of spans or the tags, their confusions, and the sentences with the most mistakes."""
        del part
        mistakes = [TagMistake(each.name, each.words, each.truth, each.answered) for each in result.mistakes()]
        wrong = int((result.words.right < result.words.lengths).sum())
        what = "Types of spans" if result.words.spans_are_tagged else "Tags"
        return tag_sections(what, result.class_rows(), result.tags, result.confusion, mistakes, wrong, part=result.part)

    def describe(self, data: DataSet[TaggedSentence]) -> tuple[str, ...]:
        """Returns the lines that say what the data are."""
        counts = ", ".join(f"{len(data.parts[name]):,} {name}" for name in PARTS if name in data.parts)
        return (f"{data.source}: {len(data.classes)} tags, {counts}; tagged sentences", *data.notes)

    def pictures(self, part: Part[TaggedSentence], places: Sequence[int]) -> Mapping[int, str]:
        """Returns sentences for the report, by place."""
        return {place: " ".join(part.items.read(place).words) for place in places}


def _reading(options: TrainOptions) -> Reading:
    return Reading(options.encoding or ENCODING, options.text_column, options.label_column)
