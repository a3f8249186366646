"""Sentences with two marked entities, and bags of them, as ``look`` takes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from neocog.core.errors import UnreadableInput
from neocog.core.outputs import primary
from neocog.data.bags import Bag
from neocog.data.dataset import DataSet
from neocog.data.relation_open import Sample, open_relations
from neocog.data.relation_preprocess import PADDING, RelationPreprocessing
from neocog.data.semeval import MarkedTokens, RelationSentence, marked_sentence, marked_tokens
from neocog.data.text_rows import Reading
from neocog.data.tokenise import tokeniser
from neocog.nn.marked import PIECES, pieces
from neocog.tasks.model import Model
from neocog.tasks.relation_prediction import RelationPredictor
from neocog.verbs.look_kind import INNER, Asked, Named, Question, best, readable
from neocog.verbs.look_places import Piece, placed_ngrams
from neocog.verbs.look_text_result import FilterNgram, LookedText
from neocog.verbs.look_words import SeenText
from neocog.verbs.relation_inputs import expand_relations

PIECE_NAMES = ("up to the first entity", "up to the second entity", "behind it")
OF_BAG = (
    "Of the bag's sentences the one that the relation heeds most, explained by itself: the others and the attention "
    "take no part in its score and its probability."
)


class Alone(nn.Module):
    """A network for bags as one for single sentences: (B, L, 3), each a bag of its own, to logits (B, K).

    Over one sentence each relation's attention is 1, so that which relation attends changes nothing.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, sentences: Tensor) -> Tensor:
        """Returns (B, K)."""
        anyone = torch.zeros(len(sentences), dtype=torch.int64, device=sentences.device)
        return primary(self.network(sentences.unsqueeze(1), anyone))


@dataclass(frozen=True)
class MarkedSentences:
    """`neocog.verbs.look_kind.Kind` for relations.

    Distances to the entities stay what they are: an unknown word stands where the word stood. Of a bag the sentence
    that the answer, or the class asked for, heeds most is explained.
    """

    model: Model
    refused: ClassVar[Mapping[str, str]] = MappingProxyType({})
    takes_words: ClassVar[bool] = False

    @property
    def preprocessing(self) -> RelationPreprocessing:
        """How the model reads sentences."""
        assert isinstance(self.model.predictor, RelationPredictor)
        return self.model.predictor.preprocessing

    @property
    def vocabulary(self) -> Sequence[str]:
        """The words of the model's table."""
        return self.preprocessing.words

    @cached_property
    def module(self) -> nn.Module:
        """What takes sentences (B, L, 3)."""
        return Alone(self.model.network).eval() if self.preprocessing.bags else self.model.network

    @property
    def prefix(self) -> str:
        """What stands in ``module`` before the names of the network's layers."""
        return INNER if self.preprocessing.bags else ""

    def named(self, inputs: Iterable[str | Path], reading: Reading) -> Iterator[Named]:
        """Yields the sentences or bags that the inputs name."""
        return expand_relations(inputs, None, reading.encoding, bags=self.preprocessing.bags)

    def looked(self, name: str, raw: Any, asked: Asked) -> tuple[LookedText, tuple[Question, ...]]:
        """Returns a sentence or a bag, and its answer as what is explained; raises UnreadableInput."""
        sample = self._sample(readable(raw))
        sentences = sample.sentences if isinstance(sample, Bag) else (sample,)
        numbers = self.preprocessing.numbers(sample)[None].to(self.model.device)
        with torch.no_grad():
            chances = primary(self.model.network(numbers))[0].double().softmax(0).cpu()
        order, answers = best(chances, self.model.classes)
        targets = asked.targets(order)
        weights = self._attention(numbers, targets[0]) if self.preprocessing.bags else [1.0]
        heeded = max(range(len(sentences)), key=weights.__getitem__)
        marked = self._marked(sentences[heeded])
        question = self._question(self._seen(sentences[heeded], marked), targets)
        bag = [(one.marked, weight) for one, weight in zip(sentences, weights, strict=True)] if len(weights) > 1 else []
        told: dict[str, Any] = {"labels": _labels(marked), "bag": tuple(bag), "note": OF_BAG if bag else ""}
        shown = LookedText(name, marked.tokens, question.seen.known, answers, **told)
        return shown, (question,)

    def ngrams(self, question: Question, layer: str, target: int) -> tuple[FilterNgram, ...]:
        """Returns for each filter the words that the score has of it, by piece; raises NetworkError."""
        within = pieces(question.seen.inputs)[0]  # (3, L)
        parts: list[Piece] = [(PIECE_NAMES[each], within[each]) for each in range(PIECES)]
        return placed_ngrams(question, self.model.network, layer, target, parts)

    def open(self, source: str | Path, reading: Reading) -> DataSet[Sample]:
        """Opens sentences or bags as they are stored; raises DataError."""
        return open_relations(source, encoding=reading.encoding, for_training=False)

    def seen(self, raw: Any) -> tuple[SeenText, ...]:
        """Returns what the model sees of a sentence, or of each sentence of a bag; raises UnreadableInput."""
        sample = self._sample(raw)
        sentences = sample.sentences if isinstance(sample, Bag) else (sample,)
        return tuple(self._seen(each, self._marked(each)) for each in sentences)

    def _sample(self, raw: Any) -> RelationSentence | Bag:
        """Returns what predicting takes too; raises UnreadableInput as it does."""
        self.model.predictor.read(raw)
        return marked_sentence(raw, "the text") if isinstance(raw, str) else raw

    def _marked(self, sentence: RelationSentence) -> MarkedTokens:
        return marked_tokens(sentence, tokeniser(self.preprocessing.tokeniser))

    def _seen(self, sentence: RelationSentence, marked: MarkedTokens) -> SeenText:
        numbers = self.preprocessing.numbers(sentence).to(self.model.device)
        inputs = numbers if self.preprocessing.bags else numbers[None]  # (1, L, 3)
        unknown = inputs.clone()
        unknown[..., 0] = PADDING
        known = tuple((inputs[0, :, 0] != PADDING).tolist())
        return SeenText(marked.tokens, known, torch.arange(len(marked.tokens)), inputs, unknown, ("word",))

    def _question(self, seen: SeenText, targets: tuple[int, ...]) -> Question:
        with torch.no_grad():
            logits = primary(self.module(seen.inputs.clone()))[0].detach().cpu()
        return Question(self.module, seen, logits, logits.double().softmax(0), targets, prefix=self.prefix)

    def _attention(self, bags: Tensor, relation: int) -> list[float]:
        """Returns how much a relation heeds each sentence of one bag (1, S, L, 3)."""
        attention = getattr(self.model.network, "attention", None)
        if attention is None:
            if bags.shape[1] == 1:
                return [1.0]
            raise UnreadableInput(
                f"{self.model.contract.network} has no attention(bags) (B, K, S) that says which sentence counts; "
                "give its sentences one by one"
            )
        with torch.no_grad():
            return attention(bags)[0, relation].tolist()  # type: ignore[no-any-return]


def _labels(marked: MarkedTokens) -> tuple[str, ...]:
    """Returns for each token which entity it is of, or nothing."""
    found = [""] * len(marked.tokens)
    for name, (start, end) in (("e1", marked.e1), ("e2", marked.e2)):
        found[start:end] = [name] * (end - start)
    return tuple(found)
