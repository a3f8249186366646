"""What `neocog.look` returns for texts: each with its answers, its words' scores and the n-grams of its filters."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from neocog.verbs.look_result import finite
from neocog.verbs.look_trust import Trust
from neocog.verbs.look_words import Parts


@dataclass(frozen=True)
class FilterNgram:
    """What fired a filter: the words, empty strings for padding, and what it made of them (``value``).

    ``effect`` is what the filter adds to the explained class's score, to first order (nothing for n-grams of data);
    ``source`` names the text of the data, empty for the text that is looked at; ``piece`` is where in a sentence with
    two entities the filter's answer was.
    """

    filter: int
    words: tuple[str, ...]
    value: float
    effect: float | None = None
    source: str = ""
    piece: str = ""

    def to_json(self) -> dict[str, Any]:
        """Returns everything as plain values; no piece where there is none."""
        plain = {**asdict(self), "words": list(self.words)}
        return plain if self.piece else {name: value for name, value in plain.items() if name != "piece"}

    @property
    def text(self) -> str:
        """The words in one line, a dot for padding."""
        return " ".join(word or "\N{MIDDLE DOT}" for word in self.words)


@dataclass(frozen=True)
class NearWords:
    """The words whose vectors are nearest to a word's, with their cosines: now, and before training where it is known.

    ``others`` are the cosines with the other words that were asked for: now, and before.
    """

    word: str
    now: tuple[tuple[str, float], ...]
    before: tuple[tuple[str, float], ...] | None = None
    others: tuple[tuple[str, float, float | None], ...] = ()


@dataclass(frozen=True, eq=False)
class TextFigure:
    """What one method shows of one text, or of the network (n-grams of data).

    ``scores`` (n,) are the words'; ``ngrams`` those of the filters of ``layer``, the first ``count`` of which the
    report shows. ``word`` is the place of the token whose tag is explained, and ``parts`` are those of its scores by
    the words' features. A method that refused has its reason in ``error``; the rest is as in `look_result.Figure`.
    """

    method: str
    title: str
    layer: str | None = None
    target: str | None = None
    score: float | None = None
    probability: float | None = None
    scores: Tensor | None = None
    ngrams: tuple[FilterNgram, ...] = ()
    count: int = 0
    trust: Trust | None = None
    seconds: float = 0.0
    note: str = ""
    error: str = ""
    word: int | None = None
    parts: Parts = ()

    def to_json(self) -> dict[str, Any]:
        """Returns everything as plain values; the word and the parts where there are any."""
        plain = {name: getattr(self, name) for name in _PLAIN}
        placed = {} if self.word is None else {"word": self.word}
        parts = {"parts": {name: each.tolist() for name, each in self.parts}} if self.parts else {}
        return {
            **plain,
            **placed,
            **parts,
            "scores": None if self.scores is None else self.scores.tolist(),
            "ngrams": [each.to_json() for each in self.ngrams],
            "trust": None if self.trust is None else finite(asdict(self.trust)),
            "error": self.error or None,
        }


_PLAIN = ("method", "title", "layer", "target", "score", "probability", "seconds", "note")


@dataclass(frozen=True)
class ExplainedWord:
    """A token, by its place, whose tag is explained, and its most probable tags with their probabilities."""

    word: int
    answers: tuple[tuple[str, float], ...]


@dataclass(frozen=True, eq=False)
class LookedText:
    """One text: its name as `neocog.predict` gives it, its tokens and which of them the model knows, answers, figures.

    ``between`` two tokens there is a space, or nothing between characters. Of tagged sentences ``labels`` are the tags
    with their probabilities ``chances``, and ``explained`` the words that figures are of, instead of answers; of
    sentences with two entities labels tell which tokens are of ``e1`` and ``e2``, and are empty for others. ``bag`` are
    a bag's sentences with how much the answer's relation heeds each; tokens are then those of the one heeded most.
    ``note`` says how to read the figures. A text that was refused has the reason in ``error`` and nothing else.
    """

    input: str
    tokens: tuple[str, ...] = ()
    known: tuple[bool, ...] = ()
    answers: tuple[tuple[str, float], ...] = ()
    figures: tuple[TextFigure, ...] = ()
    between: str = " "
    error: str = ""
    labels: tuple[str, ...] = ()
    chances: tuple[float, ...] = ()
    explained: tuple[ExplainedWord, ...] = ()
    bag: tuple[tuple[str, float], ...] = ()
    note: str = ""

    def marks(self, figure: TextFigure | None = None) -> tuple[str, ...]:
        """Returns what stands behind each token where a figure shows it: the tag that is explained, or its entity."""
        if not self.chances:
            return self.labels
        target, word = (None, None) if figure is None else (figure.target, figure.word)
        return tuple((target or "") if place == word else "" for place in range(len(self.tokens)))

    def to_json(self) -> dict[str, Any]:
        """Returns everything as plain values."""
        return {
            "input": self.input,
            "error": self.error or None,
            "tokens": list(self.tokens),
            "unknown": [place for place, known in enumerate(self.known) if not known],
            "prediction": _answers(self.answers),
            **self._of_sentences(),
            "figures": [figure.to_json() for figure in self.figures],
        }

    def _of_sentences(self) -> dict[str, Any]:
        """Returns what plain texts do not have."""
        words = [{"word": each.word, "prediction": _answers(each.answers)} for each in self.explained]
        found = {
            "labels": list(self.labels),
            "probabilities": list(self.chances),
            "explained": words,
            "bag": [{"sentence": sentence, "attention": weight} for sentence, weight in self.bag],
            "note": self.note,
        }
        return {name: value for name, value in found.items() if value}


def _answers(answers: tuple[tuple[str, float], ...]) -> list[dict[str, Any]]:
    return [{"class": name, "probability": chance} for name, chance in answers]


@dataclass(frozen=True, eq=False)
class TextLook:
    """All texts, the figures of the network alone (n-grams of the data), and neighbours of words.

    ``folder`` is where ``look.json`` and ``report.html`` were written.
    """

    model: str
    network: str
    classes: tuple[str, ...]
    texts: tuple[LookedText, ...]
    figures: tuple[TextFigure, ...] = ()
    neighbours: tuple[NearWords, ...] = ()
    folder: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def report(self) -> Path | None:
        """The report page."""
        return None if self.folder is None else self.folder / "report.html"

    @property
    def refused(self) -> tuple[LookedText, ...]:
        """The texts that were refused."""
        return tuple(each for each in self.texts if each.error)

    @property
    def all_figures(self) -> tuple[TextFigure, ...]:
        """The figures of the network and of all texts, refusals included."""
        return (*self.figures, *(figure for each in self.texts for figure in each.figures))

    def to_json(self) -> dict[str, Any]:
        """Returns everything as plain values."""
        return {
            "model": self.model,
            "network": self.network,
            "notes": list(self.notes),
            "figures": [figure.to_json() for figure in self.figures],
            "neighbours": [asdict(each) for each in self.neighbours],
            "texts": [each.to_json() for each in self.texts],
        }
