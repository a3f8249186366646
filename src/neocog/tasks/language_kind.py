"""What training needs to know of running text: how it is read, what suits it, which windows it makes."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from neocog import recipes
from neocog.core.errors import DataError, UsageError
from neocog.core.inputs import check_input
from neocog.core.recipe import Recipe
from neocog.core.registry import Record, Weights
from neocog.data.dataset import PARTS, DataSet, Part
from neocog.data.language_preprocess import CHARACTERS, LanguagePreprocessing, known_tokens
from neocog.data.running_text import RunningItems, open_running_text
from neocog.data.text_lines import ENCODING
from neocog.data.window_source import WindowSource
from neocog.recipes import fast
from neocog.report.page import Section
from neocog.tasks import language_report
from neocog.tasks.choice import Choice
from neocog.tasks.kinds import Place, Work
from neocog.tasks.language_modelling import NAME, LanguageModelling
from neocog.tasks.language_result import LanguageResult, measured
from neocog.tasks.loading import keys, loaders
from neocog.tasks.model import Model
from neocog.tasks.option_checks import refuse_weights
from neocog.tasks.options import TrainOptions
from neocog.tasks.plan import Plan
from neocog.tasks.result import Occasion
from neocog.training.features import unchanged

VOCABULARY = 10_000  # words that are told apart unless told
WINDOWS = {CHARACTERS: 64}  # tokens of a training sample
WINDOW_OF_WORDS = 35
SHOWN_CHARACTERS = 300


class LanguageKind:
    """`neocog.tasks.kinds.Kind` for running text; one object serves one run."""

    name = NAME
    chosen_by = ("probability", "Probability of the token that came (geometric mean)")

    def __init__(self) -> None:
        self._options = TrainOptions()

    def read(self, options: TrainOptions) -> DataSet[str]:
        """Reads the text and keeps the ends aside where parts are missing; the classes are the known tokens."""
        if options.data is None:
            raise UsageError("there is no text to train on: name a text file, or a folder of them")
        refuse_weights(options, "language models start from scratch: leave --weights and --transfer out")
        for flag, given in (("--exclude", options.exclude), ("--samples", options.samples)):
            if given is not None:
                raise UsageError(f"{flag} is for samples that do not follow upon each other; leave it out")
        self._options = options
        data = open_running_text(options.data, encoding=options.encoding or ENCODING)
        tokeniser = options.tokeniser or CHARACTERS
        if tokeniser == CHARACTERS and options.vocabulary is not None:
            raise UsageError("--vocabulary is for words: name a --tokeniser such as words; all characters are known")
        known = known_tokens(_items(data.parts["train"]).pieces, tokeniser, options.vocabulary or VOCABULARY)
        if len(known) < 2:
            raise DataError(f"{data.source}: the tokeniser {tokeniser!r} leaves no token that occurs twice")
        return DataSet(data.source, known, data.parts, data.notes, data.aside, data.in_order)

    def stored(self, options: TrainOptions, exclude: str | Iterable[str] | None) -> DataSet[str]:
        """Reads the text as it is stored, for a test."""
        if exclude is not None:
            raise UsageError("--exclude is for samples that do not follow upon each other; leave it out")
        return open_running_text(options.data or "", encoding=options.encoding or ENCODING, for_training=False)

    def readable(self, data: DataSet[str]) -> DataSet[str]:
        """Returns the data: a text that was read can be read."""
        return data

    def what(self, data: DataSet[str]) -> str:
        """Returns the word for what the text was read by."""
        del data
        return "lines"

    def choose(self, data: DataSet[str]) -> Choice:
        """Returns long short-term memory, which remembers furthest."""
        del data
        return Choice("lstm_lm", "none", "long short-term memory writes text that hangs together")

    def recipe(self, name: str | None, record: Record, data: DataSet[str], *, pretrained: bool) -> Recipe:
        """Returns the recipe of that name; ours unless named."""
        del pretrained
        if name not in (None, "fast"):
            return recipes.find(name, record.name)
        return fast.language(characters=sum(map(len, _items(data.parts["train"]).pieces)))

    def preprocessing(
        self, data: DataSet[str], record: Record, weights: Weights | None, options: TrainOptions
    ) -> dict[str, Any]:
        """Returns tokeniser, tokens and window, as the model file carries them."""
        del record, weights
        tokeniser = options.tokeniser or CHARACTERS
        window = options.window or WINDOWS.get(tokeniser, WINDOW_OF_WORDS)
        return LanguagePreprocessing(tokeniser, data.classes, window).to_contract()

    def describe_input(self, data: DataSet[str], preprocessing: Mapping[str, Any]) -> str:
        """Returns the line that says which tokens there are, and what of the held-out text is unknown."""
        made = LanguagePreprocessing.from_contract(preprocessing)
        parts = {name: _numbers(part, made) for name, part in data.parts.items()}
        counts = ", ".join(f"{len(numbers):,} {name}" for name, numbers in parts.items())
        unknown = {name: float((numbers == 1).float().mean()) for name, numbers in parts.items()}
        shares = ", ".join(f"{share:.2%} of {name}" for name, share in unknown.items() if share)
        rest = f"; not known: {shares}" if shares else "; all are known"
        return f"input: {made.unit}s, {counts}; {len(made.words) - 1:,} different ones{rest}; windows of {made.window}"

    def arguments(self, data: DataSet[str], preprocessing: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the arguments of the network's builder."""
        own = {} if self._options.dimension is None else {"dimension": self._options.dimension}
        return {"classes": len(data.classes), "channels": len(preprocessing["words"]), **own}

    def fitting(self, record: Record, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the arguments that the network's builder has; raises UsageError for a dimension that it has not."""
        has = inspect.signature(record.build).parameters
        if "dimension" not in has and self._options.dimension is not None:
            raise UsageError(f"{record.name} has no --dimension of its own; leave it out")
        return {name: value for name, value in arguments.items() if name in has}

    def check(self, network: nn.Module, preprocessing: Mapping[str, Any]) -> None:
        """Raises NetworkError when the network cannot take such texts."""
        check_input(network, (len(preprocessing["words"]), preprocessing["usual"]))

    def fill(self, network: nn.Module, data: DataSet[str], plan: Plan) -> None:
        """Language models start from nothing else."""

    def work(self, data: DataSet[str], plan: Plan, place: Place) -> Work:
        """Returns the task and the loaders of a run."""
        made = LanguagePreprocessing.from_contract(plan.preprocessing)
        numbers = {name: _numbers(part, made) for name, part in data.parts.items()}
        train = WindowSource(numbers["train"], made.window, shifted=True)
        sources = {name: WindowSource(each, made.window, context=made.window) for name, each in numbers.items()}
        shuffled, plain = loaders(train, sources, place, seed=plan.seed)
        return Work(
            LanguageModelling(made.unit, plan.recipe.label_smoothing),
            shuffled,
            plain,
            keys(data),
            {name: source.labels for name, source in sources.items()},
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
    ) -> LanguageResult:
        """Returns what the tokens of a part cost the model."""
        del data, batch_size, workers
        return measured(model, _items(part), occasion)

    def sections(self, result: LanguageResult, part: Part[str]) -> list[Section]:
        """Returns what the model writes at several temperatures, what surprised it most, and its cost by token."""
        del part
        return language_report.sections(result)

    def describe(self, data: DataSet[str]) -> tuple[str, ...]:
        """Returns the lines that say what the data are."""
        lines = {name: len(data.parts[name]) for name in PARTS if name in data.parts}
        counts = ", ".join(f"{count:,} {name}" for name, count in lines.items())
        return (f"{data.source}: running text, lines: {counts}", *data.notes)

    def pictures(self, part: Part[str], places: Sequence[int]) -> Mapping[int, str]:
        """Returns lines for the report, by place."""
        return {place: part.items.read(place)[:SHOWN_CHARACTERS] for place in places}


def _items(part: Part[str]) -> RunningItems:
    assert isinstance(part.items, RunningItems)
    return part.items


def _numbers(part: Part[str], made: LanguagePreprocessing) -> Tensor:
    return torch.cat([made.numbers(piece) for piece in _items(part).pieces])
