"""Sentences that carry more than a text, as samples: each under its file's name and first line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Generic, Protocol, TypeVar

from neocog.data.items import content_digest


class Sentence(Protocol):
    """What a sentence of a file knows of itself."""

    @property
    def line(self) -> int:
        """Returns the line in its file."""

    @property
    def content(self) -> str:
        """Returns what a network sees of it, without its labels: two of equal content are the same sentence."""


S = TypeVar("S", bound=Sentence)


class SentenceItems(Generic[S]):
    """Sentences in memory; a name is ``file:line``."""

    in_memory: ClassVar[bool] = True

    def __init__(self, sentences: Sequence[S], names: Sequence[str]) -> None:
        self.sentences = tuple(sentences)
        self.names = tuple(names)

    def __len__(self) -> int:
        return len(self.sentences)

    def name(self, index: int) -> str:
        """Returns e.g. ``train.txt:17``."""
        return self.names[index]

    def read(self, index: int) -> S:
        """Returns the sentence."""
        return self.sentences[index]

    def digest(self, index: int) -> str:
        """Returns the hash of the content."""
        return content_digest(self.sentences[index].content.encode("utf-8", "surrogatepass"))

    def identity(self, index: int) -> str:
        """Returns the name and a hash of all that the sentence holds: one that was changed is another sample."""
        return f"{self.names[index]} {content_digest(repr(self.sentences[index]).encode('utf-8', 'surrogatepass'))}"

    def subset(self, indices: Sequence[int]) -> SentenceItems[S]:
        """Returns the sentences at these positions, under their names."""
        return SentenceItems([self.sentences[index] for index in indices], [self.names[index] for index in indices])


def items_of(file_name: str, sentences: Sequence[S]) -> SentenceItems[S]:
    """Returns the sentences of one file as items."""
    return SentenceItems(sentences, [f"{file_name}:{each.line}" for each in sentences])
