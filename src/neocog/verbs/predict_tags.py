"""Tags for sentences: files of columns or CoNLL-U, files of a sentence a line, stdin, or a sentence itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

from neocog.core.errors import DataError, UnreadableInput, UsageError
from neocog.data.conll import TaggedSentence
from neocog.data.conll_open import SUFFIXES, holds_words, read_tagged
from neocog.data.text_rows import Reading
from neocog.tasks.model import Model
from neocog.tasks.prediction import Prediction
from neocog.tasks.tag_prediction import TagPredictor
from neocog.verbs.text_inputs import expand_texts, said

Named = tuple[str, str | TaggedSentence | UnreadableInput]


def tagged(
    model: Model,
    inputs: Iterable[str | Path],
    stdin: IO[bytes] | None,
    reading: Reading,
    *,
    batch_size: int | None = None,
) -> Iterator[Prediction]:
    """Yields the tags of each sentence that the inputs name, in order, each under its own words.

    Raises UsageError where the inputs lead to no sentence at all.
    """
    predictor = model.predictor
    assert isinstance(predictor, TagPredictor)
    waiting: deque[tuple[str, ...]] = deque()

    def named() -> Iterator[tuple[str, str | TaggedSentence | tuple[str, ...] | UnreadableInput]]:
        for name, raw in _some(expand_sentences(inputs, stdin, reading)):
            words = _words(predictor, raw)
            waiting.append(words)
            yield " ".join(words) or name, words or raw

    for prediction in model.stream(named(), batch_size=batch_size):
        yield replace(prediction, words=waiting.popleft())


def expand_sentences(arguments: Iterable[str | Path], stdin: IO[bytes] | None, reading: Reading) -> Iterator[Named]:
    """Yields the sentences that the arguments name: of a file of words in columns its own, else a text a line."""
    for argument in arguments:
        path = Path(argument)
        if str(argument) != "-" and holds_words(path):
            yield from _of_columns(path, reading)
        elif path.suffix.lower() in SUFFIXES and len(str(argument).split()) == 1 and not path.exists():
            yield str(argument), UnreadableInput("there is no such file")
        else:
            yield from expand_texts([argument], stdin, reading)


def _of_columns(path: Path, reading: Reading) -> Iterator[Named]:
    try:
        sentences, _ = read_tagged(path, reading, labelled=False)
    except DataError as error:
        yield str(path), UnreadableInput(str(error))
        return
    yield from ((f"{path.name}:{each.line}", each) for each in sentences)


def _words(predictor: TagPredictor, raw: str | TaggedSentence | UnreadableInput) -> tuple[str, ...]:
    if isinstance(raw, UnreadableInput):
        return ()
    try:
        return predictor.words(raw)
    except UnreadableInput:
        return ()


def _some(entries: Iterator[Named]) -> Iterator[Named]:
    """Yields the entries; refuses where there is not one sentence."""
    refused: list[Named] = []
    for entry in entries:
        if isinstance(entry[1], UnreadableInput):
            refused.append(entry)
            continue
        yield from refused
        yield entry
        yield from entries
        return
    if refused:
        raise UsageError(said(refused[:5]))
    raise UsageError("nothing to predict: give sentences, files of sentences, or - for sentences on stdin.")
