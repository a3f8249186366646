"""The preprocessing of running text as data: which tokens a language model knows, and their numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from neocog.core.errors import ModelFileError
from neocog.data.tokenise import TOKENISERS, tokeniser
from neocog.data.vocabulary import vocabulary

CHARACTERS = "characters"
UNKNOWN = "\N{REPLACEMENT CHARACTER}"  # stands for every token that the model does not know
LINE_END = "\n"


@dataclass(frozen=True)
class LanguagePreprocessing:
    """From running text to numbers and back.

    ``tokeniser`` is ``characters``, which are taken as they stand, or one of `neocog.data.tokenise`, which is given
    line by line, with the end of a line as a token. ``words`` are the tokens that the model tells apart: the first is
    number 1 and stands for all that it does not know; 0 is what was before the text began. ``window`` is the number of
    tokens that it was trained on at a time.
    """

    tokeniser: str
    words: tuple[str, ...]
    window: int

    @cached_property
    def index(self) -> Mapping[str, int]:
        """The number of each token."""
        return {word: number for number, word in enumerate(self.words, 1)}

    @property
    def by_character(self) -> bool:
        """Whether a token is a character."""
        return self.tokeniser == CHARACTERS

    @property
    def unit(self) -> str:
        """What a token is called: ``character`` or ``word``."""
        return "character" if self.by_character else "word"

    def tokens(self, text: str) -> list[str]:
        """Returns the tokens of a text."""
        return tokens_of(text, self.tokeniser)

    def numbers(self, text: str) -> Tensor:
        """Returns the numbers (L,) int64 of a text's tokens, 1 for what is not known."""
        index = self.index
        return torch.tensor([index.get(token, 1) for token in self.tokens(text)], dtype=torch.int64)

    def text(self, tokens: Iterable[str]) -> str:
        """Returns the text of tokens: characters side by side, words with spaces between, none at a line's ends."""
        if self.by_character:
            return "".join(tokens)
        return " ".join(tokens).replace(f" {LINE_END}", LINE_END).replace(f"{LINE_END} ", LINE_END)

    def to_contract(self) -> dict[str, Any]:
        """Returns the preprocessing as plain JSON values, for the model file's header."""
        return {
            "kind": "language",
            "tokeniser": self.tokeniser,
            "window": self.window,
            "usual": self.window,
            "words": list(self.words),
        }

    @classmethod
    def from_contract(cls, contract: Mapping[str, Any]) -> LanguagePreprocessing:
        """Reads what `to_contract` wrote; raises ModelFileError for a tokeniser that this version does not have."""
        if contract["tokeniser"] not in TOKENISERS:
            raise ModelFileError(f"the tokeniser {contract['tokeniser']!r} is unknown to this version; update Neocog.")
        return cls(contract["tokeniser"], tuple(contract["words"]), int(contract["window"]))


def tokens_of(text: str, name: str) -> list[str]:
    """Returns the tokens of running text: its characters, or each line's words and the line's end."""
    if name == CHARACTERS:
        return list(text)
    split = tokeniser(name)
    lines = text.split(LINE_END)
    found = [token for line in lines[:-1] for token in (*split(line), LINE_END)]
    return [*found, *split(lines[-1])]


def known_tokens(pieces: Sequence[str], name: str, most: int) -> tuple[str, ...]:
    """Returns what a model of this text tells apart, behind the token for all the rest.

    All of its characters; of words the ``most`` frequent that occur twice at least, so that the unknown word is learned
    from those that occur once.
    """
    counts: Counter[str] = Counter()
    for piece in pieces:
        counts.update(tokens_of(piece, name))
    counts.pop(UNKNOWN, None)
    known = vocabulary(counts)
    if name != CHARACTERS:
        known = tuple(word for word in known if counts[word] > 1)[:most]
    return (UNKNOWN, *known)
