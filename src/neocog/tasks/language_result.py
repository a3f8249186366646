"""A language model measured on a text: what every token cost, and the figures that follow."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from neocog.core.contract import ModelContract
from neocog.data.language_preprocess import LINE_END, LanguagePreprocessing
from neocog.data.running_text import RunningItems
from neocog.tasks.generation import Sampling, written
from neocog.tasks.language_modelling import figures
from neocog.tasks.language_scores import token_costs
from neocog.tasks.model import Model
from neocog.tasks.result import Occasion, Refused, Table, number
from neocog.tasks.statistics import Interval

TEMPERATURES = (0.2, 0.7, 1.2)
WRITTEN = {"character": 300, "word": 60}  # tokens of a sample in a report


class LineCost(NamedTuple):
    """A line of the text, and the mean bits of its tokens."""

    name: str
    text: str
    tokens: int
    bits: float


class TokenCost(NamedTuple):
    """A token, how often it came, and the mean bits that it cost."""

    token: str
    times: int
    bits: float


@dataclass(frozen=True, eq=False)
class LanguageResult:
    """`neocog.tasks.result.Result` for a language model.

    ``items`` are the lines, ``nats`` (T,) float64 the cost of each token, ``tokens`` (T,) int64 their numbers and
    ``lengths`` (N,) how many tokens each line has.
    """

    model: Model
    items: RunningItems
    occasion: Occasion
    nats: NDArray[np.float64]
    tokens: NDArray[np.int64]
    lengths: NDArray[np.int64]

    @property
    def contract(self) -> ModelContract:
        """The model's contract."""
        return self.model.contract

    @property
    def data(self) -> str:
        """The data as the user named them."""
        return self.occasion.data

    @property
    def part(self) -> str:
        """The part that was measured on, or ``"all"``."""
        return self.occasion.part

    @property
    def statement(self) -> str:
        """A sentence that says what was measured on."""
        return self.occasion.statement

    @property
    def refused(self) -> tuple[Refused, ...]:
        """None: a text that was read can be told."""
        return ()

    @cached_property
    def preprocessing(self) -> LanguagePreprocessing:
        """The tokens of the model."""
        return LanguagePreprocessing.from_contract(self.contract.preprocessing)

    @property
    def unit(self) -> str:
        """What a token is called: ``character`` or ``word``."""
        return self.preprocessing.unit

    @property
    def samples(self) -> int:
        """Number of tokens that were told."""
        return len(self.nats)

    @property
    def what(self) -> str:
        """The word for the tokens: ``characters`` or ``words``."""
        return f"{self.unit}s"

    @property
    def unknown(self) -> int:
        """How many of the tokens the model does not know: told as the one unknown token."""
        return int((self.tokens == 1).sum())

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes the figures doubtful: among others tokens that the model does not tell apart."""
        if not self.unknown:
            return self.occasion.warnings
        share = f"{self.unknown:,} of {self.samples:,} {self.unit}s are unknown to the model"
        return (*self.occasion.warnings, f"{share} and told as one and the same.")

    @cached_property
    def metrics(self) -> Mapping[str, float]:
        """The figures of `neocog.tasks.language_modelling.figures`."""
        return figures(float(self.nats.mean()) if self.samples else math.nan, self.unit)

    @property
    def intervals(self) -> Mapping[str, Interval]:
        """None: neighbouring tokens are no independent samples."""
        return {}

    def verdict(self, which: str = "") -> str:
        """Returns e.g. ``2.13 bits per character on 12,345 held-out test characters``."""
        bits, perplexity = self.metrics[f"bits_per_{self.unit}"], self.metrics["perplexity"]
        more = "" if self.unit == "character" else f" (perplexity {perplexity:,.1f})"
        return f"{bits:.3f} bits per {self.unit}{more} on {self.samples:,} {which}{self.what}"

    def lines(self) -> Iterator[LineCost]:
        """Yields every line with its cost; one without a token has none."""
        ends = self.lengths.cumsum()
        for place, (end, length) in enumerate(zip(ends, self.lengths, strict=True)):
            if length:
                bits = float(self.nats[end - length : end].mean()) / math.log(2)
                yield LineCost(self.items.name(place), self.items.read(place), int(length), bits)

    def by_token(self) -> list[TokenCost]:
        """Returns every token that came, the most frequent first."""
        counts = np.bincount(self.tokens, minlength=2)
        bits = np.bincount(self.tokens, weights=self.nats, minlength=2) / math.log(2)
        words = self.preprocessing.words
        order = sorted(counts.nonzero()[0].tolist(), key=lambda token: (-counts[token], token))
        return [TokenCost(words[each - 1], int(counts[each]), float(bits[each] / counts[each])) for each in order]

    @cached_property
    def written(self) -> Mapping[float, str]:
        """What the model writes by itself at each of `TEMPERATURES`, from the start of a line on, seed 0."""
        made = self.preprocessing
        start = torch.tensor([made.index.get(LINE_END, 0)])
        return {
            temperature: made.text(
                made.words[token - 1]
                for token in written(
                    self.model.network,
                    start,
                    length=WRITTEN[self.unit],
                    sampling=Sampling(temperature),
                    seed=0,
                    device=self.model.device,
                )
            )
            for temperature in TEMPERATURES
        }

    def to_json(self) -> dict[str, Any]:
        """Returns everything as plain values; NaN as None."""
        return {
            "data": self.data,
            "part": self.part,
            "statement": self.statement,
            "n": self.samples,
            "unit": self.unit,
            "unknown": self.unknown,
            **{name: number(value) for name, value in self.metrics.items()},
            "tokens": [each._asdict() for each in self.by_token()],
            "written": {str(temperature): text for temperature, text in self.written.items()},
            "warnings": list(self.warnings),
        }

    def tables(self) -> dict[str, Table]:
        """Returns ``classes``, a row a token, and ``answers``, a row a line."""
        return {
            "classes": [["token", "times", "bits"], *([each.token, each.times, each.bits] for each in self.by_token())],
            "answers": [
                ["input", "tokens", "bits", "text"],
                *([each.name, each.tokens, each.bits, each.text.rstrip(LINE_END)] for each in self.lines()),
            ],
        }


def measured(model: Model, items: RunningItems, occasion: Occasion) -> LanguageResult:
    """Returns what the lines, as one running text, cost a model."""
    made = LanguagePreprocessing.from_contract(model.contract.preprocessing)
    numbers = [made.numbers(piece) for piece in items.pieces]
    tokens = torch.cat([*numbers, torch.zeros(0, dtype=torch.int64)])
    nats = token_costs(model.network, tokens, made.window, device=model.device)
    lengths = np.array([len(each) for each in numbers], dtype=np.int64)
    return LanguageResult(model, items, occasion, nats.numpy(), tokens.numpy(), lengths)
