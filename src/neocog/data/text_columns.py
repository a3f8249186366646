"""Which column of a table holds the text and which the label: by name, as the user says, or by how it looks."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from neocog.core.errors import DataError, UsageError, near_names
from neocog.data.table import LABEL_NAMES as PICTURE_LABELS
from neocog.data.table import PART_NAMES

__all__ = ["LABEL_NAMES", "PART_NAMES", "TEXT_NAMES", "Columns", "named", "table_columns"]

TEXT_NAMES = (
    *("text", "sentence", "review", "comment", "content", "body", "message", "question", "query", "tweet", "document"),
    *("phrase", "utterance", "headline", "description", "title", "input"),
)
LABEL_NAMES = (
    *PICTURE_LABELS,
    *("labels", "sentiment", "polarity", "rating", "stars", "score", "intent", "topic", "emotion", "tag", "type"),
)
LOOKED_AT = 2000  # rows by which a column without a known name is judged


@dataclass(frozen=True)
class Columns:
    """Places of the columns; ``header`` tells whether the first line names them, ``notes`` says what was guessed."""

    text: int
    label: int | None
    part: int | None
    header: bool
    notes: tuple[str, ...] = ()


def table_columns(
    path: Path,
    lines: Sequence[tuple[int, Sequence[str]]],
    text: str | None,
    label: str | None,
    *,
    labelled: bool = True,
) -> Columns:
    """Returns the columns of a table; ``text`` and ``label`` are the user's words for them, names or numbers from 1.

    Raises UsageError for a column that is not there, DataError where text and label cannot be told apart.
    """
    first = [cell.strip() for cell in lines[0][1]]
    header = _has_header(first, lines, (text, label))
    names = first if header else []
    body = [cells for _, cells in lines[header : LOOKED_AT + header] if len(cells) == len(first)]
    found_label = _asked(path, label, names, len(first), "label") if label else named(names, LABEL_NAMES)
    found_text = _asked(path, text, names, len(first), "text") if text else named(names, TEXT_NAMES)
    part = named(names, PART_NAMES)
    found_text, found_label, notes = guess(names, len(first), body, found_text, found_label, {part}, labelled=labelled)
    if found_text is None or (found_label is None and labelled) or found_text == found_label:
        raise DataError(
            f"{path}: text and label cannot be told apart in {len(first)} column(s) "
            f"({', '.join(names) or 'no header'}); say --text-column and --label-column"
        )
    for what, place, word in (("text", found_text, text), ("label", found_label, label)):
        _refuse_repeated(f"{path}, line {lines[0][0]}", names, place, word, what)
    return Columns(found_text, found_label, part, header, notes)


def guess(
    names: Sequence[str],
    width: int,
    rows: Sequence[Sequence[str]],
    text: int | None,
    label: int | None,
    taken: Set[int | None],
    *,
    labelled: bool,
) -> tuple[int | None, int | None, tuple[str, ...]]:
    """Returns the columns of text and label, those that are None by how ``rows`` look, and what is to be said of it.

    ``taken`` columns are neither. What cannot be guessed stays None.
    """
    guessed = []
    if text is None:
        text = _longest(rows, width, {label, *taken})
        guessed.append(("text", text))
    if label is None and labelled:
        label = _fewest(rows, width, {text, *taken})
        guessed.append(("label", label))
    notes = tuple(
        f"{what} read from column {names[place] if names else place + 1} (guessed; --{what}-column says otherwise)"
        for what, place in guessed
        if place is not None
    )
    return text, label, notes


def _refuse_repeated(where: str, names: Sequence[str], place: int | None, word: str | None, what: str) -> None:
    """Raises DataError where other columns have the name of the one that was found, and no number said which."""
    lowered = [name.lower() for name in names]
    if place is None or not lowered or (word is not None and word not in names):
        return
    alike = [str(other + 1) for other, name in enumerate(lowered) if name == lowered[place]]
    if len(alike) > 1:
        raise DataError(
            f"{where}: the columns {' and '.join(alike)} are both called {names[place]!r}; "
            f"say which one by its number, e.g. --{what}-column {alike[0]}"
        )


def named(names: Sequence[str], known: Sequence[str]) -> int | None:
    """Returns the place of the first known name that a header has, None where it has none."""
    lowered = [name.strip().lower().replace(" ", "_") for name in names]
    return next((lowered.index(name) for name in known if name in lowered), None)


def _has_header(
    first: Sequence[str], lines: Sequence[tuple[int, Sequence[str]]], asked: tuple[str | None, str | None]
) -> bool:
    """Tells whether the first row names the columns: by a name we know, or by being unlike all rows below it."""
    if any(word in first for word in asked if word) or named(first, (*TEXT_NAMES, *LABEL_NAMES)) is not None:
        return True
    below = [cells for _, cells in lines[1:LOOKED_AT]]
    if any(cell and not cell.isdecimal() and _of_numbers(below, place) for place, cell in enumerate(first)):
        return True
    place = _fewest(below, len(first), set())
    if place is None or len(first) == 1 or any(len(cell.split()) > 3 for cell in first):
        return False
    values = {cells[place].strip() for cells in below if len(cells) > place}
    return 2 * len(values) <= len(below) and first[place] not in values  # of a few rows the first may be one of them


def _of_numbers(rows: Sequence[Sequence[str]], place: int) -> bool:
    found = [cells[place].strip() for cells in rows if len(cells) > place]
    return bool(found) and all(map(str.isdecimal, found))


def _asked(path: Path, word: str, names: Sequence[str], width: int, what: str) -> int:
    if word in names:
        return list(names).index(word)
    if word.isdecimal() and 1 <= int(word) <= width:
        return int(word) - 1
    has = f"its columns are {', '.join(names)}" if names else f"it has {width} columns and no header"
    raise UsageError(f"--{what}-column {word}: {path} has no such column; {has}.{near_names(word, names)}")


def _longest(rows: Sequence[Sequence[str]], width: int, taken: set[int | None]) -> int | None:
    """Returns the column whose different cells are the longest in sum: a date or a query repeats, a text does not."""
    free = [place for place in range(width) if place not in taken]
    return max(free, key=lambda place: sum(map(len, {cells[place] for cells in rows})), default=None)


def _fewest(rows: Sequence[Sequence[str]], width: int, taken: set[int | None]) -> int | None:
    """Returns the column of the fewest different values, at least two and at most one for two rows."""
    counts = {place: len({cells[place].strip() for cells in rows if len(cells) > place}) for place in range(width)}
    likely = [place for place, count in counts.items() if place not in taken and 2 <= count <= max(2, len(rows) / 2)]
    return min(likely, key=lambda place: counts[place], default=None)
