"""What ``look`` asks of a kind of texts: how they are read, what is explained of each, and which n-grams fire what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from torch import Tensor, nn
from torch.nn import functional

from neocog.core.errors import UnreadableInput
from neocog.data.dataset import DataSet
from neocog.data.text_rows import Reading
from neocog.tasks.model import Model
from neocog.verbs.look_text_result import FilterNgram, LookedText
from neocog.verbs.look_trust import Chances
from neocog.verbs.look_words import SeenText

ANSWERS = 5
Named = tuple[str, Any]
INNER = "network."  # before the names of the layers in a module that wraps the model's network


@dataclass(frozen=True)
class Asked:
    """What is to be explained: a class, or the ``top`` most probable ones; of tagged sentences which ``words``."""

    target: int | None
    top: int
    words: tuple[str, ...] = ()

    def targets(self, order: Sequence[int]) -> tuple[int, ...]:
        """Returns the classes to explain, for all classes with the most probable first."""
        return (self.target,) if self.target is not None else tuple(order[: self.top])


@dataclass(frozen=True, eq=False)
class Question:
    """One answer of a network that is to be explained: ``module`` takes what is ``seen`` to ``logits`` (K,).

    ``probabilities`` (K,) are the model's, ``targets`` the classes to explain. ``word`` is the place of the token that
    it is of, or None. ``seen`` may be a stretch of the sentence of ``length`` words that begins at ``start``, where
    the rest has no part in it. ``prefix`` stands in ``module`` before the names of the network's layers.
    """

    module: nn.Module
    seen: SeenText
    logits: Tensor
    probabilities: Tensor
    targets: tuple[int, ...]
    word: int | None = None
    start: int = 0
    prefix: str = ""
    length: int | None = None
    chances: Chances = field(default_factory=dict)

    def spread(self, scores: Tensor) -> Tensor:
        """Returns scores of the words seen as scores of all words of the sentence, 0 for the others."""
        if self.length is None:
            return scores
        return functional.pad(scores, (self.start, self.length - self.start - len(scores)))


class Kind(Protocol):
    """A kind of texts, of one model.

    ``refused`` are methods that do not go with it, with the reason; ``takes_words`` tells whether single words can be
    asked about.
    """

    refused: ClassVar[Mapping[str, str]]
    takes_words: ClassVar[bool]

    @property
    def model(self) -> Model:
        """The model."""

    @property
    def vocabulary(self) -> Sequence[str]:
        """The words of the model's table of vectors, none where it has no such table."""

    @property
    def module(self) -> nn.Module:
        """What takes the inputs of texts of one length, one behind the other."""

    @property
    def prefix(self) -> str:
        """What stands in ``module`` before the names of the network's layers."""

    def named(self, inputs: Iterable[str | Path], reading: Reading) -> Iterator[Named]:
        """Yields what the inputs name, as for `neocog.predict`, with an UnreadableInput for what cannot be read."""

    def looked(self, name: str, raw: Any, asked: Asked) -> tuple[LookedText, tuple[Question, ...]]:
        """Returns a text without its figures, and what is explained of it; raises UnreadableInput."""

    def ngrams(self, question: Question, layer: str, target: int) -> tuple[FilterNgram, ...]:
        """Returns what fired each filter of a layer, what moves the class's score most first; raises NetworkError."""

    def open(self, source: str | Path, reading: Reading) -> DataSet[Any]:
        """Opens data of this kind as they are stored; raises DataError."""

    def seen(self, raw: Any) -> tuple[SeenText, ...]:
        """Returns what the model sees of a sample of the data, one or several texts; raises UnreadableInput."""


def readable(raw: Any) -> Any:
    """Returns what was read; raises the UnreadableInput that stands in the place of an input."""
    if isinstance(raw, UnreadableInput):
        raise raw
    return raw


def best(probabilities: Tensor, classes: Sequence[str]) -> tuple[list[int], tuple[tuple[str, float], ...]]:
    """Returns all classes, the most probable first, and the names and probabilities of the first few."""
    order = probabilities.argsort(descending=True, stable=True).tolist()
    return order, tuple((classes[place], float(probabilities[place])) for place in order[:ANSWERS])
