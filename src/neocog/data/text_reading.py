"""How a user says that files of texts are to be read, and what is read of them: rows."""

from __future__ import annotations

from dataclasses import dataclass

from neocog.data.text_lines import ENCODING


@dataclass(frozen=True)
class Reading:
    """How the user says the files are to be read; a column is a name in the header, or a number from 1.

    ``trees`` is how the labels of trees are taken, ``fine`` or ``binary``; ``phrases`` whether their phrases are
    learned too (None: where the data have parts of their own).
    """

    encoding: str = ENCODING
    text_column: str | None = None
    label_column: str | None = None
    trees: str | None = None
    phrases: bool | None = None


@dataclass(frozen=True)
class Row:
    """One labelled text: its line in the file, and the part that the file names for it (empty where it names none).

    ``why`` says why a line that is to be predicted cannot be read, and is empty for one that can.
    """

    line: int
    text: str
    label: str
    part: str = ""
    why: str = ""
