"""From a text to its tokens: Kim's cleaning of English, words of any language, what spaces part, characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import cache

from neocog.core.errors import UsageError, near_names

Tokeniser = Callable[[str], list[str]]

# Zhang et al. 2015, section 2.2: 26 letters, 10 digits, 33 others and the line feed; the minus is there twice in the
# paper's list, which makes 70 with it.
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-,;.!?:'\"/\\|_@#$%^&*~`+-=<>()[]{}\n"

_CLITICS = re.compile(r"('s|'ve|n't|'re|'d|'ll)")
_MARKS = str.maketrans({mark: f" {mark} " for mark in ",!()?"})
_WORDS = re.compile(r"\d+(?:[.,]\d+)*|n't\b|\w+?(?=n't\b)|'(?:s|ve|re|d|ll|m)\b|\w+|[^\w\s]")
# Scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, kana, Chinese characters.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)


class _Kim(dict[int, str]):
    """What `str.translate` takes to leave English letters, digits and some marks, and a space for all else."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        return self.setdefault(code, letter if letter.isascii() and (letter.isalnum() or letter in "(),!?'`") else " ")


_KIM = _Kim()


def kim(text: str) -> list[str]:
    """Returns lower-case words of English text, ``'s`` and its like and punctuation apart, all else thrown away.

    Kim 2014, as the authors' code cleans all sets but the Stanford Treebank.
    """
    return kim_cased(text.lower())


def kim_cased(text: str) -> list[str]:
    """Returns the words as `kim` does, in their own case, as the authors' code leaves the questions of TREC."""
    cleaned = text.translate(_KIM)
    spaced = _CLITICS.sub(r" \1", cleaned) if "'" in cleaned else cleaned
    return spaced.translate(_MARKS).split()


def kim_sst(text: str) -> list[str]:
    """Returns lower-case words parted by spaces, stray characters thrown away: the treebank is tokenised already."""
    return text.translate(_KIM).lower().split()


def words(text: str) -> list[str]:
    """Returns the lower-case words, numbers and marks of a text of any language.

    Where a script puts no spaces between words, each of its characters is one.
    """
    return cased_words(text.lower())


def cased_words(text: str) -> list[str]:
    """Returns the words, numbers and marks as `words` does, in their own case."""
    pattern = _WORDS if text.isascii() else _any_words()
    return pattern.findall(text.replace("\u2019", "'"))


@cache
def _any_words() -> re.Pattern[str]:
    """Returns the pattern of words of any script; the marks behind a letter (vowels of India, accents) belong to it."""
    marks = "".join(chr(code) for code in range(0x300, 0x10000) if unicodedata.category(chr(code))[0] == "M")
    letter, own = f"[^\\W{_UNSPACED}]", f"(?:[^\\W{_UNSPACED}]|[{marks}])"
    return re.compile(
        rf"\d+(?:[.,]\d+)*|n't\b|[{_UNSPACED}][{marks}]*|{letter}{own}*?(?=n't\b)"
        rf"|'(?:s|ve|re|d|ll|m)\b|{letter}{own}*|[^\w\s]"
    )


def whitespace(text: str) -> list[str]:
    """Returns what spaces part, as it stands."""
    return text.split()


def characters(text: str) -> list[str]:
    """Returns the lower-case characters, one by one."""
    return list(text.lower())


TOKENISERS: Mapping[str, Tokeniser] = {
    "kim": kim,
    "kim-cased": kim_cased,
    "kim-sst": kim_sst,
    "words": words,
    "whitespace": whitespace,
    "characters": characters,
}


def tokeniser(name: str) -> Tokeniser:
    """Returns the tokeniser of that name; raises UsageError, with near names, where there is none."""
    if name not in TOKENISERS:
        raise UsageError(
            f"no tokeniser is called {name!r}.{near_names(name, TOKENISERS)} There are {', '.join(TOKENISERS)}."
        )
    return TOKENISERS[name]


def suits_kim(texts: Iterable[str], least: float = 0.98) -> bool:
    """Tells whether at least so many of the letters are those of English, which is all that Kim's cleaning keeps.

    Pictures of a face or a thumb, which say as much as a word, count as letters.
    """
    letters = ascii_letters = 0
    for text in texts:
        if text.isascii():
            letters, ascii_letters = letters + len(text), ascii_letters + len(text)
            continue
        own = [letter for letter in text if letter.isalpha() or unicodedata.category(letter) == "So"]
        letters, ascii_letters = letters + len(own), ascii_letters + sum(letter.isascii() for letter in own)
    return ascii_letters >= least * letters
