"""Labelled texts as JSON lines, an object a line: which of its fields are text and label."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from neocog.core.errors import DataError, near_names
from neocog.data.text_columns import LABEL_NAMES, PART_NAMES, TEXT_NAMES, guess, named
from neocog.data.text_lines import read_text, refuse_long, split_lines
from neocog.data.text_reading import Reading, Row

LOOKED_AT = 2000  # lines by which fields without a known name are judged

# A line's number, and its object or why there is none.
Entry = tuple[int, dict[str, Any] | DataError]


def json_rows(path: Path, reading: Reading, *, labelled: bool) -> tuple[list[Row], list[str]]:
    """Returns the rows of a file in its order, and what was guessed.

    Without ``labelled`` there need be no labels, and a line that cannot be read is a row with the reason.
    Raises DataError, with the line, for what is no JSON object, no text and no label.
    """
    lines = enumerate(split_lines(read_text(path, reading.encoding)), 1)
    entries = [(number, _entry(f"{path}, line {number}", line)) for number, line in lines if line.strip()]
    reading, notes = _guessed(entries, reading, labelled=labelled)
    rows = []
    for number, entry in entries:
        try:
            if isinstance(entry, DataError):
                raise entry
            rows.append(_row(f"{path}, line {number}", number, entry, reading, labelled=labelled))
        except DataError as error:
            if labelled:
                raise
            rows.append(Row(number, "", "", why=str(error)))
    return rows, notes


def _entry(where: str, line: str) -> dict[str, Any] | DataError:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        return DataError(f"{where}: not JSON ({error}); expected one object a line")
    if not isinstance(entry, dict):
        return DataError(f"{where}: expected a JSON object a line, got {type(entry).__name__}")
    return entry


def _guessed(entries: Sequence[Entry], reading: Reading, *, labelled: bool) -> tuple[Reading, list[str]]:
    """Returns the reading with fields for text and label where the first object has none of a known name."""
    known = [entry for _, entry in entries[:LOOKED_AT] if isinstance(entry, dict)]
    names = list(dict.fromkeys(name for entry in known for name in entry))
    first = list(known[0]) if known else []
    text = reading.text_column or _name(first, TEXT_NAMES)
    label = reading.label_column or _name(first, LABEL_NAMES)
    if not names or (text is not None and (label is not None or not labelled)):
        return reading, []
    places = [names.index(each) if each in names else None for each in (text, label)]
    taken = {place for place, name in enumerate(names) if name.lower() in PART_NAMES}
    rows = [[_cell(entry.get(name)) for name in names] for entry in known]
    found_text, found_label, notes = guess(names, len(names), rows, places[0], places[1], taken, labelled=labelled)
    if text is None and found_text is not None:
        reading = replace(reading, text_column=names[found_text])
    if label is None and found_label is not None and labelled:
        reading = replace(reading, label_column=names[found_label])
    return reading, list(notes)


def _name(names: Sequence[str], known: Sequence[str]) -> str | None:
    place = named(names, known)
    return None if place is None else names[place]


def _cell(value: Any) -> str:
    return str(value) if isinstance(value, (str, bool, int)) else ""


def _row(where: str, number: int, entry: Mapping[str, Any], reading: Reading, *, labelled: bool) -> Row:
    text = _key(where, entry, reading.text_column, TEXT_NAMES, "text")
    label = _key(where, entry, reading.label_column, LABEL_NAMES, "label", needed=labelled)
    part = next((key for key in entry if key.lower() in PART_NAMES), None)
    if not isinstance(entry[text], str):
        raise DataError(f"{where}: {text!r} should be a text, got {json.dumps(entry[text])[:40]}")
    refuse_long(entry[text], where)
    own = "" if label is None else _label(where, label, entry[label])
    return Row(number, entry[text].strip(), own, str(entry[part]) if part else "")


def _label(where: str, key: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # in JSON 1.0 and 1 are one number
    if isinstance(value, (str, bool, int)):
        return str(value).strip()
    raise DataError(f"{where}: {key!r} should be one label, a text or a whole number; got {json.dumps(value)[:40]}")


def _key(
    where: str, entry: Mapping[str, Any], asked: str | None, names: Sequence[str], what: str, *, needed: bool = True
) -> Any:
    if asked is not None:
        if asked not in entry:
            raise DataError(f"{where}: no field {asked!r} (--{what}-column); it has {', '.join(entry)}."
                            f"{near_names(asked, entry)}")  # fmt: skip
        return asked
    found = named(list(entry), names)
    if found is not None:
        return list(entry)[found]
    if needed:
        raise DataError(f"{where}: no field called {names[0]}; it has {', '.join(entry)}; say --{what}-column NAME")
    return None
