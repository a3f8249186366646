"""Predictions as lines of text: a table for people, CSV and JSON lines for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice

from neocog.tasks.prediction import Prediction

LONGEST_SHOWN = 72  # characters of a text in a table; CSV and JSON lines have it whole
LONGEST_PATH = 1024  # what is longer, and has no space, is a text all the same
MEASURED = 50  # rows that decide the widths of a table's columns, so that the first rows need not wait for the last


def as_csv(predictions: Iterable[Prediction], top: int) -> Iterator[str]:
    """Yields a header, ``input,label,probability[,label_2,probability_2...],error``, and a line for each prediction."""
    yield _csv_line(["input", *_columns(top), "error"])
    for each in predictions:
        cells = _tag_cells(each, _exact) if each.words else _cells(each, top, _exact)
        yield _csv_line([each.input, *cells, each.error or ""])


def as_json_lines(predictions: Iterable[Prediction], top: int) -> Iterator[str]:
    """Yields an object for each prediction: input, label, probability, error; with ``top`` labels and probabilities.

    Of a refused input label is empty and probability null. All is ASCII: a byte of a file name that is no UTF-8 is
    written as the surrogate that Python reads it as.
    """
    for each in predictions:
        probability = None if each.probability is None else float(_exact(each.probability))
        row: dict[str, object] = {"input": each.input, "label": each.label, "probability": probability}
        if each.words:
            row = {"input": each.input, "words": list(each.words)}
        if top > 1 or each.words:
            row["labels"] = list(each.labels)
            row["probabilities"] = [float(_exact(value)) for value in each.probabilities]
        yield json.dumps({**row, "error": each.error}) + "\n"


def as_table(predictions: Iterable[Prediction], top: int) -> Iterator[str]:
    """Yields aligned lines; the first rows decide the columns' widths."""
    header = ["input", *_columns(top)]
    rows = (_table_row(each, top) for each in predictions)
    first = list(islice(rows, MEASURED))
    if not first:
        return
    widths = [max(map(len, column)) for column in zip(*(row[: len(header)] for row in [header, *first]), strict=True)]
    for row in chain([header], first, rows):
        cells = [_aligned(place, cell, width) for place, (cell, width) in enumerate(zip(row, widths, strict=False))]
        yield "  ".join([*cells, *row[len(widths) :]]).rstrip() + "\n"


def as_tagged_lines(predictions: Iterable[Prediction], top: int) -> Iterator[str]:
    """Yields a line for each sentence, ``word/tag word/tag ...``, or why it was refused; ``top`` does not matter."""
    del top
    for each in predictions:
        words = (f"{visible(word)}/{visible(tag)}" for word, tag in zip(each.words, each.labels, strict=False))
        yield (
            " ".join(words) if each.error is None else f"{visible(each.input)}  refused: {visible(each.error)}"
        ) + "\n"


def _columns(top: int) -> list[str]:
    further = ([f"label_{place}", f"probability_{place}"] for place in range(2, top + 1))
    return ["label", "probability", *chain.from_iterable(further)]


def _cells(each: Prediction, top: int, form: Callable[[float], str]) -> list[str]:
    """Returns label and probability of the ``top`` classes, empty cells for a refused input."""
    pairs = zip(each.labels, map(form, each.probabilities), strict=True)
    filled = list(chain.from_iterable(pairs))
    return filled + [""] * (2 * top - len(filled))


def _tag_cells(each: Prediction, form: Callable[[float], str]) -> list[str]:
    """Returns the tags of all words in one cell, and the least of their probabilities."""
    return [" ".join(each.labels), form(min(each.probabilities, default=0.0)) if each.error is None else ""]


def _exact(value: float) -> str:
    """Returns a probability with the nine digits that tell any two float32 apart."""
    return f"{value:.9g}"


def _csv_line(cells: list[str]) -> str:
    """Returns a line of CSV; names with commas, quotes and line breaks come back as they were from any CSV reader."""
    # Before Python 3.13 the csv module leaves a lone carriage return unquoted, which readers take for a line's end.
    line = io.StringIO(newline="")
    if any("\r" in cell for cell in cells):
        csv.writer(line, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(cells)
    else:
        csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _table_row(each: Prediction, top: int) -> list[str]:
    cells = [visible(cell) for cell in (_short(each.input), *_cells(each, top, "{:.2%}".format))]
    return cells if each.error is None else [*cells, f"refused: {visible(each.error)}"]


def _short(text: str) -> str:
    """Returns a name as a table shows it: of a text that stands for itself its beginning, a path whole."""
    whole = LONGEST_SHOWN if " " in text else LONGEST_PATH
    return text if len(text) <= whole else f"{text[: LONGEST_SHOWN - 1]}…"


def visible(text: str) -> str:
    """Returns the text on one line, with what a terminal would obey instead of show (line breaks, escapes) escaped."""
    return "".join(
        letter if letter.isprintable() or "\udc80" <= letter <= "\udcff" else ascii(letter)[1:-1] for letter in text
    )


def _aligned(place: int, cell: str, width: int) -> str:
    number = place > 0 and place % 2 == 0
    return cell.rjust(width) if number else cell.ljust(width)
