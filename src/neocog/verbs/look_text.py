"""``look`` for models of texts: which words speak for the answer, and which n-grams fire the filters."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from neocog.core.errors import DataError, NeocogError, UnreadableInput, UsageError
from neocog.core.trace import find_layer
from neocog.data.text_lines import ENCODING
from neocog.data.text_rows import Reading
from neocog.tasks.model import Model
from neocog.verbs import look_folder, look_text_folder
from neocog.verbs.look_kind import Asked, Kind, Question
from neocog.verbs.look_kinds import kind_of
from neocog.verbs.look_neighbours import near_words
from neocog.verbs.look_ngrams import TextData, named_layers
from neocog.verbs.look_text_methods import TextMethod, chosen_text_methods
from neocog.verbs.look_text_result import LookedText, TextFigure, TextLook
from neocog.verbs.look_wishes import class_of, refuse_none
from neocog.verbs.look_words import told_apart, trust_of_words
from neocog.verbs.opening import open_model


def look_texts(
    model: str | Path | Model,
    inputs: str | Path | Iterable[str | Path] = (),
    *,
    out: str | Path | None = None,
    method: str | Iterable[str] = (),
    layer: str | None = None,
    unit: object = None,
    target: str | int | None = None,
    top: int = 1,
    count: int = 16,
    trust: bool = True,
    data: str | Path | None = None,
    root: str | Path | None = None,
    samples: int = 2000,
    device: str | None = None,
    net: str | None = None,
    words: str | Iterable[str] = (),
    vectors: str | Path | None = None,
    encoding: str | None = None,
    text_column: str | None = None,
    word: str | int | Iterable[str | int] = (),
    say: Callable[[str], None] | None = None,
) -> TextLook:
    """Returns which words speak for the network's answers, the n-grams of its filters, and neighbours of words.

    The model is of one of `neocog.verbs.look_kinds.KINDS`. The options are those of `neocog.look`; ``method`` names
    some of `neocog.verbs.look_text_methods.TEXT_METHODS`.

    Raises what `neocog.look` raises, UsageError for options that are of pictures or of other kinds of texts alone.
    """
    made = kind_of(model)
    if made is None:
        raise UsageError(f"{model} is no model of texts, of tags or of relations.")
    methods = chosen_text_methods([method] if isinstance(method, str) else method, made.refused)
    about = tuple(str(each) for each in ([word] if isinstance(word, (str, int)) else word))
    _refuse(unit=unit, root=root, word=about if not made.takes_words else ())
    refuse_none({"top": top, "count": count, "samples": samples})
    if out is not None:
        look_folder.refuse(Path(out))
    listed = _listed(words)
    reading = Reading(encoding or ENCODING, text_column)
    opened = open_model(model, device, net=net)
    kind = made(opened)
    texts = _named(kind, inputs, reading, needed=not listed)
    if layer is not None:
        find_layer(opened.network, layer)
    wanted = None if target is None else class_of(target, opened.classes)
    neighbours, notes = near_words(opened, kind.vocabulary, listed, vectors=vectors) if listed else ((), ())
    if vectors is not None and not listed:
        raise UsageError("--vectors tells what words were near before training; say which, --words good,bad.")
    view = _View(kind, methods, layer, Asked(wanted, top, about), count, trust)
    looked = []
    for name, text in texts:
        looked.append(view.looked(name, text))
        if say is not None:
            say(name)
    figures = () if data is None else view.of_data(data, reading, samples)
    name = opened.contract.network if isinstance(model, Model) else str(model)
    found = TextLook(name, opened.contract.network, opened.classes, tuple(looked), figures, neighbours, notes=notes)
    _refuse_nothing(found)
    return found if out is None else look_text_folder.write(Path(out), found)


def _refuse(*, unit: object, root: object, word: Sequence[str]) -> None:
    if unit is not None:
        raise UsageError("--unit is for pictures; for texts the n-grams of every filter of --layer are given.")
    if root is not None:
        raise UsageError("--root is where known sets of pictures lie; name the file or folder of texts by --data.")
    if word:
        raise UsageError("--word asks about the tag of one word; this model has one answer for all of a text.")


def _listed(words: str | Iterable[str]) -> list[str]:
    parts = words.split(",") if isinstance(words, str) else list(words)
    return list(dict.fromkeys(word.strip() for word in parts if word.strip()))


def _named(
    kind: Kind, inputs: str | Path | Iterable[str | Path], reading: Reading, *, needed: bool
) -> list[tuple[str, Any]]:
    named = [inputs] if isinstance(inputs, (str, Path)) else list(inputs)
    found = list(kind.named(named, reading))
    if needed and all(isinstance(raw, UnreadableInput) for _, raw in found):
        reasons = "; ".join(f"{name}: {reason}" for name, reason in found[:5])
        raise UsageError(reasons or "nothing to look at: give texts in quotes, files of texts, or --words.")
    return found


@dataclass(frozen=True)
class _View:
    """What is looked into and what was asked for."""

    kind: Kind
    methods: tuple[TextMethod, ...]
    layer: str | None
    asked: Asked
    count: int
    trust: bool

    def looked(self, name: str, raw: Any) -> LookedText:
        """Returns a text with all its figures, or the reason why there are none."""
        try:
            text, questions = self.kind.looked(name, raw, self.asked)
        except UnreadableInput as error:
            return LookedText(name, error=str(error))
        return replace(text, figures=tuple(figure for each in questions for figure in self._figures(each)))

    def of_data(self, source: str | Path, reading: Reading, samples: int) -> tuple[TextFigure, ...]:
        """Returns the n-grams of the data that fire each filter, a figure a layer."""
        method = next((each for each in self.methods if each.of is None), None)
        kind = self.kind
        data = TextData(kind.open(source, reading), kind.seen, samples, module=kind.module, prefix=kind.prefix)
        if method is None:
            raise UsageError("--data is for ngrams, which --method leaves out; add it, or leave --data out.")

        def make(layer: str) -> TextFigure:
            return TextFigure(method.name, method.title, layer, ngrams=data.ngrams(layer), note=data.statement)

        layers = named_layers(kind.module, data.example, self.layer, prefix=kind.prefix)
        return tuple(_attempt(method, partial(make, layer)) for layer in layers)

    def _figures(self, one: Question) -> Iterator[TextFigure]:
        for method in self.methods:
            for target in one.targets:
                if method.of is not None:
                    yield _attempt(method, partial(self._words, method, one, target), one.word)
                    continue
                try:
                    layers = named_layers(one.module, one.seen.inputs, self.layer, prefix=one.prefix)
                except NeocogError as error:
                    yield TextFigure(method.name, method.title, error=str(error), word=one.word)
                    continue
                for layer in layers:
                    yield _attempt(method, partial(self._ngrams, method, one, target, layer), one.word)

    def _words(self, method: TextMethod, one: Question, target: int) -> TextFigure:
        assert method.of is not None
        layer = self.layer if "layer" in method.of.needs else None
        inner = None if layer is None else one.prefix + layer
        scores, apart = told_apart(method.of, one.module, one.seen, target=target, layer=inner)
        trust = None
        if self.trust:
            told: dict[str, Any] = {"target": target, "layer": inner, "chances": one.chances}
            trust = trust_of_words(method.of, one.module, one.seen, scores, **told)
        note = "" if bool(scores.any()) else "All scores are zero: no word moves the score."
        figure = self._named(method, one, target)
        parts = tuple((name, one.spread(each)) for name, each in apart)
        return replace(figure, layer=layer, scores=one.spread(scores), parts=parts, trust=trust, note=note)

    def _ngrams(self, method: TextMethod, one: Question, target: int, layer: str) -> TextFigure:
        rows = self.kind.ngrams(one, layer, target)
        shown = min(self.count, len(rows))
        what = "answers of filters" if any(row.piece for row in rows) else "filters"
        note = f"{shown} of {len(rows)} {what}, those first that move the score most."
        note = note if rows else "No filter moves the score."
        return replace(self._named(method, one, target), layer=layer, ngrams=rows, count=shown, note=note)

    def _named(self, method: TextMethod, one: Question, target: int) -> TextFigure:
        chance = float(one.probabilities[target])
        name = self.kind.model.classes[target]
        logit = float(one.logits[target])
        return TextFigure(method.name, method.title, None, name, logit, chance, word=one.word)


def _attempt(method: TextMethod, make: Callable[[], TextFigure], word: int | None = None) -> TextFigure:
    begun = time.perf_counter()
    try:
        figure = make()
    except NeocogError as error:
        figure = TextFigure(method.name, method.title, error=" ".join(str(error).split()), word=word)
    except RuntimeError as error:  # what torch raises in a network of the user's own, or without memory
        line = f"{type(error).__name__}: {' '.join(str(error).split())}"
        figure = TextFigure(method.name, method.title, error=line[:300], word=word)
    return replace(figure, seconds=round(time.perf_counter() - begun, 3))


def _refuse_nothing(found: TextLook) -> None:
    """Raises DataError where no text could be read, UsageError where every method refused."""
    if found.texts and len(found.refused) == len(found.texts):
        first = found.texts[0]
        raise DataError(f"none of the texts can be read; the first, {first.input}: {first.error}.")
    if found.texts and all(figure.error for figure in found.all_figures):
        reasons = dict.fromkeys(f"{figure.title}: {figure.error}" for figure in found.all_figures)
        raise UsageError(f"no method gave anything. {' '.join(reasons)}")
