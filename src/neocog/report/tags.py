"""How good a tagger is: its types of spans or its tags, what it takes for what, and sentences with its mistakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from neocog.report.confusion import Confusion, Counts, confusion_section
from neocog.report.markup import (
    LONGEST_VALUE,
    NOTHING,
    Column,
    Html,
    disclosure,
    element,
    fraction,
    join,
    name,
    paragraph,
    plural,
    table,
    text,
)
from neocog.report.page import Section

OPEN_ROWS = 40
MOST_WORDS = 80  # of a sentence that is shown


class TagMistake(NamedTuple):
    """A sentence with wrong tags: its name, its words, and the true and the answered tag of each."""

    sample: str
    words: Sequence[str]
    truth: Sequence[str]
    answered: Sequence[str]


def tag_sections(
    what: str,
    rows: Sequence[Mapping[str, Any]],
    tags: Sequence[str],
    confusion: Counts,
    mistakes: Sequence[TagMistake],
    wrong: int,
    *,
    part: str,
) -> list[Section]:
    """Returns the sections; ``what`` the rows are, ``wrong`` the number of sentences with a mistake.

    A row has class, precision, recall and f1 (None where without meaning), support and predicted.
    """
    return [
        _rows_section(what, rows),
        confusion_section(Confusion(tags, confusion), part=part),
        _mistakes_section(mistakes, wrong),
    ]


def _rows_section(what: str, rows: Sequence[Mapping[str, Any]]) -> Section:
    if not rows:
        return Section(what, paragraph("None, true or answered."))
    columns = (Column(what), *(Column(title, True) for title in ("Precision", "Recall", "F1", "True", "Answered")))
    cells = [
        (
            name(row["class"]),
            *(NOTHING if row[key] is None else text(fraction(row[key])) for key in ("precision", "recall", "f1")),
            *(text(f"{row[key]:,}") for key in ("support", "predicted")),
        )
        for row in rows
    ]
    shown = table(what, columns, cells)
    return Section(what, disclosure(f"{what}: {len(rows):,}", shown) if len(rows) > OPEN_ROWS else shown)


def _mistakes_section(mistakes: Sequence[TagMistake], wrong: int) -> Section:
    heading = "Sentences with mistakes"
    if not mistakes:
        return Section(heading, paragraph("No mistakes to show."))
    lead = f"{plural(wrong, 'sentence')} with a wrong tag; these have the most. Under a word: the answer, the truth."
    items = join(element("li", _sentence(each)) for each in mistakes)
    return Section(heading, join((paragraph(lead, class_="lead"), element("ol", items, class_="tagged"))))


def _sentence(mistake: TagMistake) -> Html:
    rows = zip(mistake.words, mistake.truth, mistake.answered, strict=True)
    words = [_word(*row) for place, row in enumerate(rows) if place < MOST_WORDS]
    more = len(mistake.words) - len(words)
    rest = [text(f"and {plural(more, 'more word')}")] if more else []
    return join((*words, *rest, element("p", name(mistake.sample, LONGEST_VALUE), class_="file")), " ")


def _word(word: str, truth: str, answered: str) -> Html:
    if truth == answered:
        return element("span", text(word))
    said = join((element("b", text(answered)), Html(" "), element("i", text(truth))))
    return element("mark", join((text(word), element("small", said))))
