"""``look`` for models of texts: which words speak for the answer, and which n-grams fire the filters."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from neocog.core import modelfile
from neocog.core.errors import DataError, ModelFileError, NeocogError, UnreadableInput, UsageError
from neocog.core.outputs import primary
from neocog.core.trace import find_layer
from neocog.data.text_lines import ENCODING
from neocog.data.text_rows import Reading
from neocog.tasks.model import Model
from neocog.tasks.text_classification import NAME as TEXTS
from neocog.verbs import look_folder, look_text_folder
from neocog.verbs.look_neighbours import near_words
from neocog.verbs.look_ngrams import TextData, named_layers, text_ngrams
from neocog.verbs.look_text_methods import TextMethod, chosen_text_methods
from neocog.verbs.look_text_result import LookedText, TextFigure, TextLook
from neocog.verbs.look_trust import Chances
from neocog.verbs.look_wishes import class_of, refuse_none
from neocog.verbs.look_words import SeenText, preprocessing_of, seen_text, trust_of_words, word_scores
from neocog.verbs.opening import open_model
from neocog.verbs.text_inputs import Named, expand_texts

ANSWERS = 5


def is_of_texts(model: str | Path | Model) -> bool:
    """Tells whether a model takes texts, by its file's header alone; what is no model file does not."""
    if isinstance(model, Model):
        return model.contract.task == TEXTS
    try:
        return Path(model).is_file() and modelfile.read_contract(Path(model)).task == TEXTS
    except ModelFileError:
        return False


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
    say: Callable[[str], None] | None = None,
) -> TextLook:
    """Returns which words speak for the network's answers, the n-grams of its filters, and neighbours of words.

    The options are those of `neocog.look`; ``method`` names some of `neocog.verbs.look_text_methods.TEXT_METHODS`.

    Raises what `neocog.look` raises, UsageError for options that are of pictures alone.
    """
    methods = chosen_text_methods([method] if isinstance(method, str) else method)
    _refuse(unit=unit, root=root)
    refuse_none({"top": top, "count": count, "samples": samples})
    if out is not None:
        look_folder.refuse(Path(out))
    asked = _listed(words)
    reading = Reading(encoding or ENCODING, text_column)
    texts = _named(inputs, reading, needed=not asked)
    opened = open_model(model, device, net=net)
    if layer is not None:
        find_layer(opened.network, layer)
    wanted = None if target is None else class_of(target, opened.classes)
    neighbours, notes = near_words(opened, asked, vectors=vectors) if asked else ((), ())
    if vectors is not None and not asked:
        raise UsageError("--vectors tells what words were near before training; say which, --words good,bad.")
    view = _View(opened, methods, layer, wanted, top, count, trust)
    looked = []
    for name, text in texts:
        looked.append(view.looked(name, text))
        if say is not None:
            say(name)
    figures = () if data is None else view.of_data(TextData(opened, data, reading, samples))
    name = opened.contract.network if isinstance(model, Model) else str(model)
    found = TextLook(name, opened.contract.network, opened.classes, tuple(looked), figures, neighbours, notes=notes)
    _refuse_nothing(found)
    return found if out is None else look_text_folder.write(Path(out), found)


def _refuse(*, unit: object, root: object) -> None:
    if unit is not None:
        raise UsageError("--unit is for pictures; for texts the n-grams of every filter of --layer are given.")
    if root is not None:
        raise UsageError("--root is where known sets of pictures lie; name the file or folder of texts by --data.")


def _listed(words: str | Iterable[str]) -> list[str]:
    parts = words.split(",") if isinstance(words, str) else list(words)
    return list(dict.fromkeys(word.strip() for word in parts if word.strip()))


def _named(inputs: str | Path | Iterable[str | Path], reading: Reading, *, needed: bool) -> list[Named]:
    named = [inputs] if isinstance(inputs, (str, Path)) else list(inputs)
    found = list(expand_texts(named, reading=reading))
    if needed and not any(isinstance(text, str) for _, text in found):
        reasons = "; ".join(f"{name}: {reason}" for name, reason in found[:5])
        raise UsageError(reasons or "nothing to look at: give texts in quotes, files of texts, or --words.")
    return found


@dataclass(frozen=True)
class _View:
    """What is looked into and what was asked for."""

    model: Model
    methods: tuple[TextMethod, ...]
    layer: str | None
    wanted: int | None
    top: int
    count: int
    trust: bool

    def looked(self, name: str, text: str | UnreadableInput) -> LookedText:
        """Returns a text with all its figures, or the reason why there are none."""
        try:
            if isinstance(text, UnreadableInput):
                raise text
            seen = seen_text(self.model, text)
        except UnreadableInput as error:
            return LookedText(name, error=str(error))
        network = self.model.network
        with torch.no_grad():
            logits = primary(network(seen.inputs.clone()))[0].detach().cpu()
        chances = logits.double().softmax(0)
        order = chances.argsort(descending=True, stable=True).tolist()
        one = _One(seen, logits, chances, (self.wanted,) if self.wanted is not None else tuple(order[: self.top]))
        answers = tuple((self.model.classes[place], float(chances[place])) for place in order[:ANSWERS])
        between = "" if preprocessing_of(self.model).tokeniser == "characters" else " "
        return LookedText(name, seen.tokens, seen.known, answers, tuple(self._figures(one)), between)

    def of_data(self, data: TextData) -> tuple[TextFigure, ...]:
        """Returns the n-grams of the data that fire each filter, a figure a layer."""
        method = next((each for each in self.methods if each.of is None), None)
        if method is None:
            raise UsageError("--data is for ngrams, which --method leaves out; add it, or leave --data out.")
        blank = seen_text_of_nothing(self.model)

        def make(layer: str) -> TextFigure:
            return TextFigure(method.name, method.title, layer, ngrams=data.ngrams(layer), note=data.statement)

        layers = named_layers(self.model.network, blank, self.layer)
        return tuple(_attempt(method, partial(make, layer)) for layer in layers)

    def _figures(self, one: _One) -> Iterator[TextFigure]:
        for method in self.methods:
            for target in one.targets:
                if method.of is not None:
                    yield _attempt(method, partial(self._words, method, one, target))
                    continue
                try:
                    layers = named_layers(self.model.network, one.seen.inputs, self.layer)
                except NeocogError as error:
                    yield TextFigure(method.name, method.title, error=str(error))
                    continue
                for layer in layers:
                    yield _attempt(method, partial(self._ngrams, method, one, target, layer))

    def _words(self, method: TextMethod, one: _One, target: int) -> TextFigure:
        assert method.of is not None
        layer = self.layer if "layer" in method.of.needs else None
        network = self.model.network
        scores = word_scores(method.of, network, one.seen, target=target, layer=layer)
        trust = None
        if self.trust:
            told: dict[str, Any] = {"target": target, "layer": layer, "chances": one.chances}
            trust = trust_of_words(method.of, network, one.seen, scores, **told)
        note = "" if bool(scores.any()) else "All scores are zero: no word moves the score."
        return replace(self._named(method, one, target), layer=layer, scores=scores, trust=trust, note=note)

    def _ngrams(self, method: TextMethod, one: _One, target: int, layer: str) -> TextFigure:
        rows = text_ngrams(self.model.network, one.seen, layer, target)
        shown = min(self.count, len(rows))
        note = f"{shown} of {len(rows)} filters, those first that move the score most."
        return replace(self._named(method, one, target), layer=layer, ngrams=rows, count=shown, note=note)

    def _named(self, method: TextMethod, one: _One, target: int) -> TextFigure:
        chance = float(one.probabilities[target])
        name = self.model.classes[target]
        return TextFigure(method.name, method.title, None, name, float(one.logits[target]), chance)


@dataclass(frozen=True, eq=False)
class _One:
    """One text with the network's answer (K,) and the classes to explain."""

    seen: SeenText
    logits: Tensor
    probabilities: Tensor
    targets: tuple[int, ...]
    chances: Chances = field(default_factory=dict)


def seen_text_of_nothing(model: Model) -> Tensor:
    """Returns a text of one unknown word as the model's network takes it, (1, L)."""
    made = preprocessing_of(model).batch([torch.zeros(1, dtype=torch.int64)])
    return made.to(model.device)


def _attempt(method: TextMethod, make: Callable[[], TextFigure]) -> TextFigure:
    begun = time.perf_counter()
    try:
        figure = make()
    except NeocogError as error:
        figure = TextFigure(method.name, method.title, error=" ".join(str(error).split()))
    except RuntimeError as error:  # what torch raises in a network of the user's own, or without memory
        line = f"{type(error).__name__}: {' '.join(str(error).split())}"
        figure = TextFigure(method.name, method.title, error=line[:300])
    return replace(figure, seconds=round(time.perf_counter() - begun, 3))


def _refuse_nothing(found: TextLook) -> None:
    """Raises DataError where no text could be read, UsageError where every method refused."""
    if found.texts and len(found.refused) == len(found.texts):
        first = found.texts[0]
        raise DataError(f"none of the texts can be read; the first, {first.input}: {first.error}.")
    if found.texts and all(figure.error for figure in found.all_figures):
        reasons = dict.fromkeys(f"{figure.title}: {figure.error}" for figure in found.all_figures)
        raise UsageError(f"no method gave anything. {' '.join(reasons)}")
