"""Neighbours of words in a model's table: as it is now, and as training found it where that is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from neocog.core.errors import UsageError
from neocog.data.vectors import read_vectors
from neocog.explain.word_neighbours import word_cosine, word_neighbours
from neocog.nn.tables import OneHot, StaticTable
from neocog.tasks.model import Model
from neocog.verbs.look_text_result import NearWords

COUNT = 4  # as in Kim's table 3


@dataclass(frozen=True)
class Table:
    """Vectors (V, E) of words."""

    words: Sequence[str]
    vectors: Tensor


def near_words(
    model: Model, words: Sequence[str], asked: Sequence[str], *, vectors: str | Path | None = None
) -> tuple[tuple[NearWords, ...], tuple[str, ...]]:
    """Returns the neighbours of each word asked for, and sentences on where they come from.

    ``words`` are those of the model's table, none where it has no table of words. What the table was before training
    is in ``vectors``, the file that it began with, or in the table of a multichannel model that does not move. A word
    that the file does not have has no neighbours before: it began at random.

    Raises UsageError for a word that the model does not know, and for a model without a table of words; DataError as
    reading the vectors does.
    """
    now, fixed = _tables(model, words)
    after = Table(words, now)
    before = _start(words, fixed, vectors)
    if before is not None and before.vectors.shape[1] != now.shape[1]:
        raise UsageError(
            f"--vectors {vectors}: its vectors have {before.vectors.shape[1]} numbers, the model's {now.shape[1]}; "
            "name the file that the model was trained with."
        )
    found = tuple(_near(word, asked, after, before) for word in asked)
    return found, _notes(asked, before, vectors, still=fixed is now)


def _tables(model: Model, words: Sequence[str]) -> tuple[Tensor, Tensor | None]:
    """Returns the table that learned and the one that did not; where nothing learned both are the one."""
    tables = [
        each
        for each in model.network.modules()
        if isinstance(each, nn.Embedding) and not isinstance(each, OneHot) and len(each.weight) == len(words) + 1
    ]
    if not tables or not words:
        raise UsageError(f"{model.contract.network} has no table of words, so no word has neighbours in it.")
    moved = [_rows(each) for each in tables if not isinstance(each, StaticTable)]
    fixed = [_rows(each) for each in tables if isinstance(each, StaticTable)]
    if not moved:
        return fixed[0], fixed[0]
    return moved[0], fixed[0] if fixed else None


def _rows(table: nn.Embedding) -> Tensor:
    """Returns the words' rows: the first is padding's."""
    return table.weight.detach().cpu()[1:]


def _start(words: Sequence[str], fixed: Tensor | None, vectors: str | Path | None) -> Table | None:
    if vectors is not None:
        read = read_vectors(vectors, words)
        return Table(read.words, torch.from_numpy(read.matrix))
    return None if fixed is None else Table(words, fixed)


def _near(word: str, asked: Sequence[str], after: Table, before: Table | None) -> NearWords:
    start = before if before is not None and word in before.words else None
    others = tuple(
        (
            other,
            word_cosine(after.vectors, after.words, word, other),
            word_cosine(start.vectors, start.words, word, other) if start and other in start.words else None,
        )
        for other in asked
        if other != word
    )
    return NearWords(word, _pairs(word, after), _pairs(word, start) if start else None, others)


def _pairs(word: str, table: Table) -> tuple[tuple[str, float], ...]:
    found = word_neighbours(table.vectors, table.words, [word], count=COUNT)[word]
    return tuple((each.word, each.cosine) for each in found)


def _notes(asked: Sequence[str], before: Table | None, vectors: str | Path | None, *, still: bool) -> tuple[str, ...]:
    if before is None:
        return ("What the word vectors were before training is not in the model file; --vectors FILE tells.",)
    if vectors is None:
        same = "The model's word vectors do not move in training: before and now are the same."
        return (same if still else "Before training: the model's own table that does not move.",)
    absent = [word for word in asked if word not in before.words]
    random = f" It has no vector of {', '.join(absent)}, which began at random." if absent else ""
    return (f"Before training: the vectors of {vectors} that the model took, {len(before.words):,} words.{random}",)
