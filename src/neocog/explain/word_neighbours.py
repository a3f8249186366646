"""The nearest words to a word in a table of word vectors, by the cosine (Kim 2014, arXiv:1408.5882, table 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from neocog.core.errors import UsageError, near_names


@dataclass(frozen=True)
class Neighbour:
    """A word and the cosine of its vector with that of the word it was found for, -1 to 1."""

    word: str
    cosine: float


def word_neighbours(
    table: Tensor, words: Sequence[str], asked: Sequence[str], *, count: int = 4
) -> dict[str, list[Neighbour]]:
    """Returns the ``count`` nearest words to each of those that are asked for, nearest first, fewer where there are.

    ``table`` (V, E) holds the vectors of ``words``, in their order. A word is not its own neighbour; a vector of zeros
    has no direction and is nobody's; of equal cosines the first word comes first.

    Raises UsageError, with near names, for a word that is not there or whose vector is zeros.
    """
    if count < 1 or table.dim() != 2 or len(table) != len(words):
        raise UsageError(
            f"expected vectors (V, E) of {len(words)} words and a count of 1 or more, got {tuple(table.shape)} and "
            f"{count}."
        )
    units = _units(table)
    rows = [_row(words, word) for word in asked]
    found: dict[str, list[Neighbour]] = {}
    for word, row in zip(asked, rows, strict=True):
        _refuse_zeros(units, row, word)
        cosines = units @ units[row]
        able = units.any(1)
        able[row] = False
        cosines[~able] = -torch.inf
        order = cosines.argsort(descending=True, stable=True)[: min(count, int(able.sum()))].tolist()
        found[word] = [Neighbour(words[each], float(cosines[each])) for each in order]
    return found


def word_cosine(table: Tensor, words: Sequence[str], first: str, second: str) -> float:
    """Returns the cosine of the vectors of two words; raises UsageError as `word_neighbours` does."""
    rows = [_row(words, word) for word in (first, second)]
    units = _units(table[rows])
    for place, word in enumerate((first, second)):
        _refuse_zeros(units, place, word)
    return float(units[0] @ units[1])


def _units(table: Tensor) -> Tensor:
    values = table.detach().double().cpu()
    units: Tensor = values / values.norm(dim=1, keepdim=True).clamp_min(torch.finfo(torch.float64).tiny)
    return units


def _row(words: Sequence[str], word: str) -> int:
    try:
        return words.index(word)
    except ValueError:
        raise UsageError(f"the table has no vector of {word!r}.{near_names(word, words)}") from None


def _refuse_zeros(units: Tensor, row: int, word: str) -> None:
    if not units[row].any():
        raise UsageError(f"the vector of {word!r} is zeros, which have no direction; choose another word.")
