"""Tagged sentences as ``look`` takes them: of each sentence some words, and why they have their tags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from neocog.core.errors import UnreadableInput
from neocog.core.spans import OUTSIDE
from neocog.data.conll import TaggedSentence
from neocog.data.conll_open import open_tagged
from neocog.data.dataset import DataSet
from neocog.data.tag_features import SUFFIXES, UNKNOWN
from neocog.data.tag_preprocess import TagPreprocessing
from neocog.data.text_rows import Reading
from neocog.explain.ngrams import words_behind
from neocog.tasks.model import Model
from neocog.tasks.tag_prediction import TagPredictor
from neocog.tasks.tagging import Tagged, answers, crf_of
from neocog.verbs.look_kind import INNER, Asked, Named, Question, best, readable
from neocog.verbs.look_places import placed_ngrams
from neocog.verbs.look_text_result import ExplainedWord, FilterNgram, LookedText
from neocog.verbs.look_words import SeenText
from neocog.verbs.predict_tags import expand_sentences

MOST_WORDS = 3  # of a sentence that are explained unless told
FEATURES = ("word", "capitals", *(f"suffix of {size}" for size in SUFFIXES))
SENTENCE = (
    "Explained are the words' own scores, and trust is of their softmax; probabilities count the tags beside a word "
    "too, by the scores of transitions (CRF)."
)
_MAPS = "it weighs a layer's maps by their mean over the sentence, and a tag is that of one word; occlusion goes"


class AtWord(nn.Module):
    """A tagger as a classifier of one word: tokens (B, L, features) to the scores (B, K) of the word at ``place``.

    A network that has ``at_word(tokens, place)`` computes no other word's.
    """

    def __init__(self, network: nn.Module, place: int) -> None:
        super().__init__()
        self.network = network
        self.place = place

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns (B, K)."""
        alone = getattr(self.network, "at_word", None)
        return alone(tokens, self.place) if alone else self.network(tokens)[:, self.place]  # type: ignore[no-any-return]


@dataclass(frozen=True)
class TaggedSentences:
    """`neocog.verbs.look_kind.Kind` for sentences whose words are tagged.

    Explained are the words asked for; or those that have the class asked for, the most sure of it first, where none
    has it the one that is nearest to it; or else those in spans, the least sure first, and where all are outside any.
    """

    model: Model
    refused: ClassVar[Mapping[str, str]] = MappingProxyType(
        dict.fromkeys(("grad_cam", "grad_cam_plus_plus", "score_cam", "guided_grad_cam"), _MAPS)
    )
    takes_words: ClassVar[bool] = True
    prefix: ClassVar[str] = ""

    @property
    def predictor(self) -> TagPredictor:
        """The model's predictor."""
        assert isinstance(self.model.predictor, TagPredictor)
        return self.model.predictor

    @property
    def preprocessing(self) -> TagPreprocessing:
        """How the model reads words."""
        return self.predictor.preprocessing

    @property
    def vocabulary(self) -> Sequence[str]:
        """The words of the model's table."""
        return self.preprocessing.words

    @property
    def module(self) -> nn.Module:
        """The network itself."""
        return self.model.network

    def named(self, inputs: Iterable[str | Path], reading: Reading) -> Iterator[Named]:
        """Yields the sentences that the inputs name."""
        return expand_sentences(inputs, None, reading)

    def looked(self, name: str, raw: Any, asked: Asked) -> tuple[LookedText, tuple[Question, ...]]:
        """Returns a sentence with its tags, and the words that are explained; raises UnreadableInput."""
        (seen,) = self.seen(readable(raw))
        made, chances = self._answered(seen)
        tags, sure = made.tags[0].tolist(), made.chances[0].tolist()
        questions, explained = [], []
        for word in _words(seen.tokens, asked, self._choice(asked, tags, sure, chances)):
            order, found = best(chances[word], self.model.classes)
            first = [tags[word], *(place for place in order if place != tags[word])]  # the best sequence's tag
            questions.append(self._question(seen, made, chances[word], word, asked.targets(first)))
            explained.append(ExplainedWord(word, found))
        labels = self.preprocessing.to_data([self.predictor.tags[tag] for tag in tags])
        title = name if isinstance(raw, str) else " ".join(seen.tokens)
        words = LookedText(title, seen.tokens, seen.known, labels=tuple(labels), chances=tuple(sure), note=self._note)
        return replace(words, explained=tuple(explained)), tuple(questions)

    @property
    def _note(self) -> str:
        """How tags and scores are to be read, where that is not plain."""
        learned, scheme = self.preprocessing.learned, self.preprocessing.scheme
        schemes = f"Tags are shown in the data's scheme, {scheme}, and explained in that of the network, {learned}."
        found = ("" if learned == scheme else schemes, "" if crf_of(self.model.network) is None else SENTENCE)
        return " ".join(filter(None, found))

    def ngrams(self, question: Question, layer: str, target: int) -> tuple[FilterNgram, ...]:
        """Returns for each filter the words that the explained one's score has of it; raises NetworkError."""
        return placed_ngrams(question, self.model.network, layer, target)

    def open(self, source: str | Path, reading: Reading) -> DataSet[TaggedSentence]:
        """Opens tagged sentences as they are stored; raises DataError."""
        return open_tagged(source, reading=reading, alone=True)

    def seen(self, raw: Any) -> tuple[SeenText, ...]:
        """Returns what the model sees of a sentence; raises UnreadableInput."""
        tokens = self.predictor.words(raw)
        inputs = self.preprocessing.numbers(tokens)[None].to(self.model.device)
        unknown = torch.zeros_like(inputs)  # in lower case, without a known suffix
        unknown[..., 0] = self.preprocessing.words.index(UNKNOWN) + 1
        known = tuple((inputs[0, :, 0] != unknown[0, :, 0]).tolist())
        return (SeenText(tokens, known, torch.arange(len(tokens)), inputs, unknown, FEATURES),)

    def _answered(self, seen: SeenText) -> tuple[Tagged, Tensor]:
        """Returns the network's answers, and the probability of each tag of each word (L, K)."""
        network = self.model.network
        with torch.no_grad():
            made = answers(network, seen.inputs.clone(), self.predictor.allowed)
            crf = crf_of(network)
            inside = torch.ones_like(made.tags, dtype=torch.bool)
            chances = made.scores.softmax(2) if crf is None else crf.marginals(made.scores, inside)
        return made, chances[0].double().cpu()

    def _question(self, seen: SeenText, made: Tagged, chances: Tensor, word: int, targets: tuple[int, ...]) -> Question:
        logits = made.scores[0, word].detach().cpu()
        start, near = self._reached(seen, word)
        module = AtWord(self.model.network, word - start).eval()
        return Question(module, near, logits, chances, targets, word, start, INNER, len(seen.tokens))

    def _reached(self, seen: SeenText, word: int) -> tuple[int, SeenText]:
        """Returns the stretch of a sentence that has a part in a word's score, and where it begins.

        It is the whole sentence where the score is another one without the rest.
        """
        whole = AtWord(self.model.network, word).eval()
        there = torch.nonzero(words_behind(whole, seen.inputs)).flatten().tolist()
        start, end = min([*there, word]), max([*there, word]) + 1
        inputs = seen.inputs[:, start:end]
        with torch.no_grad():
            same = torch.allclose(whole(seen.inputs), AtWord(whole.network, word - start)(inputs), atol=1e-5)
        if not same:
            return 0, seen
        count = end - start
        return start, SeenText(
            seen.tokens[start:end],
            seen.known[start:end],
            torch.arange(count),
            inputs,
            seen.unknown[:, start:end],
            seen.features,
        )

    def _choice(self, asked: Asked, tags: Sequence[int], sure: Sequence[float], chances: Tensor) -> list[int]:
        """Returns the words to explain where none are asked for, in the sentence's order."""
        every = range(len(tags))
        if asked.target is not None:
            own = chances[:, asked.target].tolist()
            ranked = sorted(every, key=lambda word: -own[word])
            having = [word for word in ranked if tags[word] == asked.target]
            return sorted(having[:MOST_WORDS] or ranked[:1])
        inside = [word for word in every if self.predictor.tags[tags[word]] != OUTSIDE]
        return sorted(sorted(inside or every, key=lambda word: sure[word])[:MOST_WORDS])


def _words(tokens: Sequence[str], asked: Asked, choice: Sequence[int]) -> Sequence[int]:
    """Returns the places of the words asked for, each by itself or by its number from 1 on; a word goes before it."""
    if not asked.words:
        return choice
    found: list[int] = []
    for wanted in asked.words:
        places = [place for place, token in enumerate(tokens) if token == wanted]
        places = places or [place for place, token in enumerate(tokens) if token.lower() == wanted.lower()]
        if not places and wanted.isdecimal() and 1 <= int(wanted) <= len(tokens):
            places = [int(wanted) - 1]
        found += places
    if not found:
        raise UnreadableInput(f"it has none of the words asked for ({', '.join(asked.words)}), by name or number")
    return sorted(set(found))
