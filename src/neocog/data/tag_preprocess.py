"""The preprocessing of tagged sentences as data: from words to the numbers of words, capitals and suffixes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from neocog.core.spans import Scheme, converted
from neocog.data.tag_features import SUFFIXES, UNKNOWN, capitals, seen_as, suffix

FEATURES = 2 + len(SUFFIXES)  # word, capitals, suffixes


@dataclass(frozen=True)
class TagPreprocessing:
    """From the words of a sentence to the network's numbers, and from its tags to those of the data.

    ``words`` are those that the model knows, `UNKNOWN` among them, and ``suffixes`` those of each length; numbers begin
    at 1, and 0 stands for padding (of suffixes also for every other one). ``scheme`` is that of the data's tags of
    spans, empty for other tags, ``learned`` the one in which the network learns them. ``usual`` is (a length that
    stands for all in tables, the numbers of each word).
    """

    words: tuple[str, ...]
    suffixes: tuple[tuple[str, ...], ...]
    scheme: Scheme | None = None
    learned: Scheme | None = None
    usual: tuple[int, int] = (64, FEATURES)

    @cached_property
    def _word(self) -> Mapping[str, int]:
        return {word: number for number, word in enumerate(self.words, 1)}

    @cached_property
    def _suffix(self) -> tuple[Mapping[str, int], ...]:
        return tuple({each: number for number, each in enumerate(known, 1)} for known in self.suffixes)

    def numbers(self, words: Sequence[str]) -> Tensor:
        """Returns the numbers (L, features) int64 of a sentence's words."""
        rows = [
            [
                self._number_of(word),
                capitals(word),
                *(known.get(suffix(word, size), 0) for known, size in zip(self._suffix, SUFFIXES, strict=True)),
            ]
            for word in words
        ]
        return torch.tensor(rows, dtype=torch.int64).view(len(rows), FEATURES)

    def _number_of(self, word: str) -> int:
        known = seen_as(word, self._word)
        return self._word[UNKNOWN if known is None else known]

    def batch(self, rows: Sequence[Tensor]) -> Tensor:
        """Returns the numbers of several sentences as one batch (B, L, features), zeros behind the shorter ones."""
        made = torch.zeros(len(rows), max((len(row) for row in rows), default=0), FEATURES, dtype=torch.int64)
        for place, row in enumerate(rows):
            made[place, : len(row)] = row
        return made

    def to_learn(self, tags: Sequence[str]) -> list[str]:
        """Returns a sentence's tags as the network learns them."""
        return list(tags) if self.learned is None else converted(tags, self.learned)

    def to_data(self, tags: Sequence[str]) -> list[str]:
        """Returns what the network answers as the data have it."""
        return list(tags) if self.scheme is None else converted(tags, self.scheme)

    def to_contract(self) -> dict[str, Any]:
        """Returns the preprocessing as plain JSON values, for the model file's header."""
        return {
            "kind": "tags",
            "scheme": self.scheme or "",
            "learned": self.learned or "",
            "usual": list(self.usual),
            "suffixes": [list(known) for known in self.suffixes],
            "words": list(self.words),
        }

    @classmethod
    def from_contract(cls, contract: Mapping[str, Any]) -> TagPreprocessing:
        """Reads what `to_contract` wrote; raises TypeError, ValueError or KeyError for what it did not."""
        entries = {key: value for key, value in contract.items() if key != "kind"}
        if UNKNOWN not in entries["words"] or len(entries["suffixes"]) != len(SUFFIXES):
            raise ValueError(f"the words lack {UNKNOWN}, or the suffixes are not those of {len(SUFFIXES)} lengths")
        length, features = entries["usual"]
        return cls(
            **{
                **entries,
                "words": tuple(entries["words"]),
                "suffixes": tuple(tuple(known) for known in entries["suffixes"]),
                "scheme": entries["scheme"] or None,
                "learned": entries["learned"] or None,
                "usual": (length, features),
            }
        )
