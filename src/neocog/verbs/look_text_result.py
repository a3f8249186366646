"""What `neocog.look` returns for texts: each with its answers, its words' scores and the n-grams of its filters."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from neocog.verbs.look_result import finite
from neocog.verbs.look_trust import Trust


@dataclass(frozen=True)
class FilterNgram:
    """What fired a filter: the words, empty strings for padding, and what it made of them (``value``).

    ``effect`` is what the filter adds to the explained class's score, to first order (nothing for n-grams of data);
    ``source`` names the text of the data, empty for the text that is looked at.
    """

    filter: int
    words: tuple[str, ...]
    value: float
    effect: float | None = None
    source: str = ""

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
    report shows. A method that refused has its reason in ``error``; the rest is as in `look_result.Figure`.
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

    def to_json(self) -> dict[str, Any]:
        """Returns everything as plain values."""
        plain = {name: getattr(self, name) for name in _PLAIN}
        return {
            **plain,
            "scores": None if self.scores is None else self.scores.tolist(),
            "ngrams": [{**asdict(each), "words": list(each.words)} for each in self.ngrams],
            "trust": None if self.trust is None else finite(asdict(self.trust)),
            "error": self.error or None,
        }


_PLAIN = ("method", "title", "layer", "target", "score", "probability", "seconds", "note")


@dataclass(frozen=True, eq=False)
class LookedText:
    """One text: its name as `neocog.predict` gives it, its tokens and which of them the model knows, answers, figures.

    ``between`` two tokens there is a space, or nothing between characters. A text that was refused has the reason in
    ``error`` and nothing else.
    """

    input: str
    tokens: tuple[str, ...] = ()
    known: tuple[bool, ...] = ()
    answers: tuple[tuple[str, float], ...] = ()
    figures: tuple[TextFigure, ...] = ()
    between: str = " "
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        """Returns everything as plain values."""
        return {
            "input": self.input,
            "error": self.error or None,
            "tokens": list(self.tokens),
            "unknown": [place for place, known in enumerate(self.known) if not known],
            "prediction": [{"class": name, "probability": chance} for name, chance in self.answers],
            "figures": [figure.to_json() for figure in self.figures],
        }


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
