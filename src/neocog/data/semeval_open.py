"""One door for sentences with relations: a file, or a folder of train and test files, in SemEval's format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from neocog.core.errors import DataError
from neocog.data.conll_open import by_part, candidates, part_of
from neocog.data.labels import class_list
from neocog.data.semeval import RelationSentence, holds_relations, read_semeval
from neocog.data.sentence_items import SentenceItems, items_of
from neocog.data.text_lines import ENCODING

EXPECTED = "a file in the format of SemEval-2010 task 8, or a folder of such files called train and test"


@dataclass(frozen=True)
class RelationSet:
    """Sentences by part (a subset of ``train``, ``val``, ``test``), and all their relations in order."""

    source: str
    relations: tuple[str, ...]
    parts: dict[str, SentenceItems[RelationSentence]]
    notes: tuple[str, ...] = ()


def open_relations(source: str | Path, *, encoding: str = ENCODING) -> RelationSet:
    """Reads sentences with relations; of a folder the files of this format, whose names have train, dev or test.

    A file is read alone, as the part that it names, or else as ``train``.
    Raises DataError, with file and line, for what cannot be read, and for two files of one part.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        files = by_part([each for each in candidates(path) if holds_relations(each, encoding)])
    else:
        files = {part_of(path)[1] or "train": path}
    if not files:
        raise DataError(f"{path}: there are no sentences with relations; expected {EXPECTED}")
    parts = {part: items_of(file.name, read_semeval(file, encoding)) for part, file in files.items()}
    notes = [", ".join(f"{part} from {file.name}" for part, file in files.items())] if len(files) > 1 else []
    relations = class_list(each.relation for items in parts.values() for each in items.sentences)
    return RelationSet(str(path), relations, parts, tuple(notes))
