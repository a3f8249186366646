"""The trees of the Stanford Sentiment Treebank: a line is a sentence, and each of its phrases has its own label."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from neocog.core.errors import DataError, UsageError
from neocog.data.dataset import PARTS
from neocog.data.text_lines import numbered_lines
from neocog.data.text_rows import Reading, Row

NEUTRAL = "2"
BINARY = {"0": "0", "1": "0", "3": "1", "4": "1"}
FINE = (*"01", NEUTRAL, *"34")

# What the Penn Treebank writes for brackets, and for marks that its own format uses.
ESCAPES = {
    **{"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}"},
    **{r"\/": "/", r"\*": "*"},
}
_ESCAPE = re.compile("|".join(map(re.escape, ESCAPES)))
_PIECE = re.compile(r"\([ \t]*[^ \t()]*|\)|[^ \t()]+")  # the treebank has words with a space that does not break
_BEGINS = re.compile(r"\s*\(\d+\s+(\(|[^\s()]+\)\s*$)")
LOOKED_AT = 20

# A text, its name and its label.
Sample = tuple[str, str, str]


class Phrase(NamedTuple):
    """A node of a tree: its words in running text, its label 0 to 4, and which words of the sentence they are."""

    text: str
    label: str
    first: int
    last: int


def holds_trees(path: Path) -> bool:
    """Tells whether the first lines of a file are trees, by how most of them begin."""
    if path.suffix.lower() not in (".txt", ".text", ".train", ".dev", ".test", ""):
        return False
    try:
        with path.open("rb") as file:
            first = [line.decode("latin-1") for line in islice((line for line in file if line.strip()), LOOKED_AT)]
    except OSError:
        return False  # whoever reads it says why
    return 2 * sum(_BEGINS.match(line) is not None for line in first) > len(first)


def phrases(line: str, where: str) -> list[Phrase]:
    """Returns the phrases of one tree, the whole sentence first; ``where`` is what an error calls the line.

    ``(3 (2 A) (3 gem))`` has the phrases ``A gem``, ``A`` and ``gem``. Raises DataError for what is no tree.
    """
    tree = _Tree()
    for piece in _PIECE.findall(line):
        if tree.found and not tree.opened:
            raise DataError(f"{where}: {piece!r} follows a tree that is whole; expected one tree a line")
        problem = tree.take(piece)
        if problem:
            raise DataError(f"{where}: {problem}")
    if tree.opened or not tree.found:
        raise DataError(f"{where}: {len(tree.opened)} brackets of the tree are not closed; expected one tree a line")
    return tree.found


class _Tree:
    """A tree in the making: ``opened`` holds for each open bracket its place in ``found`` and the words before it."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.found: list[Phrase] = []
        self.opened: list[tuple[int, int]] = []
        self.spoken = False  # whether the innermost bracket has its word

    def take(self, piece: str) -> str | None:
        """Takes the next bracket or word; returns what is wrong with it, None where nothing is."""
        if piece.startswith("("):
            return self._open(piece[1:].strip())
        return self._close() if piece == ")" else self._speak(piece)

    def _open(self, label: str) -> str | None:
        if self.spoken:
            return f"the word {self.words[-1]!r} stands beside a bracket; expected (label word)"
        if label not in FINE:
            return f"expected a label 0 to 4 behind the bracket, got {label[:40]!r}"
        self.opened.append((len(self.found), len(self.words)))
        self.found.append(Phrase("", label, len(self.words) + 1, 0))
        return None

    def _close(self) -> str | None:
        place, before = self.opened.pop() if self.opened else (0, len(self.words))
        if before == len(self.words):
            return "a bracket closes without a word; expected (label word)"
        text = " ".join(self.words[before:])
        self.found[place] = self.found[place]._replace(text=text, last=len(self.words))
        self.spoken = False
        return None

    def _speak(self, word: str) -> str | None:
        if not self.opened or self.spoken or self.opened[-1] != (len(self.found) - 1, len(self.words)):
            return f"the word {word[:40]!r} has no label of its own; expected (label word)"
        self.words.append(_ESCAPE.sub(lambda escape: ESCAPES[escape[0]], word))
        self.spoken = True
        return None


def tree_rows(path: Path, reading: Reading) -> list[Row]:
    """Returns the sentences of a file of trees, with the labels of whole trees, neutral ones too."""
    return [Row(number, tree[0].text, tree[0].label) for number, tree in _trees(path, reading)]


def read_trees(
    files: Mapping[str, Path], reading: Reading, *, whole: bool
) -> tuple[dict[str, list[Sample]], list[str]]:
    """Returns the samples by part, and what is worth saying: sentences, and in ``train`` their phrases too.

    Without ``whole`` all parts are sentences. A phrase that comes twice, but for case, counts once, with its first
    label: 156,817 in the published train part, of which 76,961 are not neutral. Phrases come from ``train`` trees
    alone, and none is a sentence of another part; where a part is missing, sentences alone are taken, since the part
    would be kept aside from among them. ``reading.trees`` chooses ``fine`` (0 to 4) or ``binary``: 0 and 1 are 0, 3 and
    4 are 1, and what is neutral is left out.

    Raises DataError, with file and line, for what is no tree; UsageError for phrases without all three parts.
    """
    _refuse_columns(files, reading)
    growing = whole and _grows(files, reading)
    files = {part: files[part] for part in PARTS if part in files}
    trees = {part: list(_trees(path, reading)) for part, path in files.items()}
    parts: dict[str, list[Sample]] = {}
    notes: list[str] = []
    for part, path in files.items():
        sentences = [(tree[0].text, f"{path.name}:{number}", tree[0].label) for number, tree in trees[part]]
        parts[part] = _labelled(sentences, reading)
        if len(parts[part]) < len(sentences) and not (growing and part == "train"):
            notes.append(f"{part}: {len(sentences) - len(parts[part]):,} neutral sentences of {len(sentences):,} out")
    if growing:
        others = {tree[0].text.lower() for part in files if part != "train" for _, tree in trees[part]}
        parts["train"], said = _train_phrases(files["train"], trees["train"], others, reading)
        notes.append(said)
    elif whole and reading.phrases is None:
        notes.append("trees without val and test parts of their own: sentences alone, not their phrases")
    empty = [str(files[part]) for part, samples in parts.items() if not samples]
    if empty:
        raise DataError(f"{', '.join(empty)}: there is no tree, or neutral ones only; expected (3 (2 A) (3 gem))")
    return parts, notes


def _grows(files: Mapping[str, Path], reading: Reading) -> bool:
    """Tells whether phrases are learned; raises UsageError where they are asked for and would leak."""
    missing = [part for part in PARTS if part not in files]
    if reading.phrases and missing:
        raise UsageError(
            f"--phrases: no {', '.join(missing)} part; phrases of a sentence that is kept aside would be learned"
        )
    return reading.phrases is not False and not missing


def _train_phrases(
    path: Path, trees: list[tuple[int, list[Phrase]]], others: set[str], reading: Reading
) -> tuple[list[Sample], str]:
    """Returns every phrase of the train part once but for the sentences in ``others``, and the line that says so."""
    first: dict[str, Sample] = {}
    for number, tree in trees:
        for phrase in tree:
            span = "" if phrase is tree[0] else f" words {phrase.first}-{phrase.last}"
            first.setdefault(phrase.text.lower(), (phrase.text, f"{path.name}:{number}{span}", phrase.label))
    leaked = others & first.keys()
    distinct = [sample for key, sample in first.items() if key not in leaked]
    kept = _labelled(distinct, reading)
    neutral = f", {len(distinct) - len(kept):,} neutral ones out" if reading.trees == "binary" else ""
    return kept, (
        f"train: {len(kept):,} different phrases of {len(trees):,} sentences{neutral}; "
        f"{len(leaked)} that are sentences of another part left out (--no-phrases: sentences alone)"
    )


def _labelled(samples: list[Sample], reading: Reading) -> list[Sample]:
    """Returns the samples under the labels of the reading."""
    if reading.trees != "binary":
        return samples
    return [(text, name, BINARY[label]) for text, name, label in samples if label != NEUTRAL]


def _trees(path: Path, reading: Reading) -> Iterator[tuple[int, list[Phrase]]]:
    for number, line in numbered_lines(path, reading.encoding):
        yield number, phrases(line, f"{path}, line {number}")


def _refuse_columns(files: Mapping[str, Path], reading: Reading) -> None:
    for option, value in (("text", reading.text_column), ("label", reading.label_column)):
        if value is not None:
            raise UsageError(f"--{option}-column {value}: {next(iter(files.values()))} holds trees and no columns")
