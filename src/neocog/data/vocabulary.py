"""The words that a model knows, in an order that depends on the texts alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable


def vocabulary(counts: Counter[str], further: Iterable[str] = ()) -> tuple[str, ...]:
    """Returns the counted tokens, the most frequent first and equal ones by name, then the further words."""
    own = sorted(counts, key=lambda word: (-counts[word], word))
    return (*own, *(word for word in dict.fromkeys(further) if word not in counts))


def coverage(counts: Counter[str], known: Iterable[str]) -> tuple[float, float]:
    """Returns the share, 0 to 1, of different words that are known, and of all words in the running text."""
    having = set(known)
    types = sum(word in having for word in counts)
    tokens = sum(count for word, count in counts.items() if word in having)
    return types / max(len(counts), 1), tokens / max(sum(counts.values()), 1)
