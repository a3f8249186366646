"""What a tagger sees of a word beside the word itself: its capitals and its last letters."""

from __future__ import annotations

import re
from collections.abc import Container

UNKNOWN = "*unknown*"  # the word that stands for all that the model does not know
# Collobert et al. 2011, section 4.5: all in lower case (or without letters), in capitals, the first letter, another.
CAPITALS = ("none", "all", "first", "inside")
SUFFIXES = (2, 3)  # letters; the paper has two, as SENNA does for parts of speech

_NUMBER = re.compile(r"[0-9]+")


def normalised(word: str) -> str:
    """Returns the word in lower case, each run of digits as ``0`` (the paper's NUMBER: ``PS1`` becomes ``ps0``)."""
    return _NUMBER.sub("0", word.lower())


def forms(word: str) -> tuple[str, str]:
    """Returns the forms in which a word may be known, the one that says more first."""
    return word.lower(), normalised(word)


def seen_as(word: str, known: Container[str]) -> str | None:
    """Returns which of the known words a word is: itself in lower case, else with its digits as ``0``; or None."""
    return next((form for form in forms(word) if form in known), None)


def capitals(word: str) -> int:
    """Returns the place in `CAPITALS` of how a word is written."""
    if word == word.lower():
        return 0
    if word == word.upper():
        return 1
    return 2 if word[0] != word[0].lower() else 3


def suffix(word: str, letters: int) -> str:
    """Returns the last letters of a normalised word; the whole of a shorter one."""
    return normalised(word)[-letters:]
