"""Texts as samples: rows of a file, each under the file's name and its line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from neocog.core.errors import UnreadableInput
from neocog.data.items import content_digest


class TextItems:
    """Texts in memory; a name is ``file:line``, or the file's own where a file is one text."""

    in_memory: ClassVar[bool] = True

    def __init__(self, texts: Sequence[str], names: Sequence[str]) -> None:
        self.texts = tuple(texts)
        self.names = tuple(names)

    def __len__(self) -> int:
        return len(self.texts)

    def name(self, index: int) -> str:
        """Returns e.g. ``mr.txt:17``."""
        return self.names[index]

    def read(self, index: int) -> str:
        """Returns the text; raises UnreadableInput where it is empty."""
        if not self.texts[index].strip():
            raise UnreadableInput("the text is empty")
        return self.texts[index]

    def digest(self, index: int) -> str:
        """Returns the hash of the text."""
        return content_digest(self.texts[index].encode("utf-8", "surrogatepass"))

    def identity(self, index: int) -> str:
        """Returns name and content: a line that was changed is another sample."""
        return f"{self.names[index]} {self.digest(index)}"

    def subset(self, indices: Sequence[int]) -> TextItems:
        """Returns the texts at these positions, under their names."""
        return TextItems([self.texts[index] for index in indices], [self.names[index] for index in indices])
