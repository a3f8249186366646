"""The worst mistakes: what the network was surest of and wrong about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from neocog.report.markup import LONGEST_VALUE, Html, element, join, name, paragraph, percent, plural, text
from neocog.report.page import Section
from neocog.report.thumbnails import Pixels, thumbnail

BUDGET = 250_000
Shown = Pixels | str  # a sample as a report shows it


@dataclass(frozen=True)
class Mistake:
    """One wrong answer.

    ``picture`` uint8 (H, W) or (H, W, C), or None for what is no picture; ``excerpt`` stands in its place (a sentence).
    ``probability`` is that of the answer, ``truth_probability`` that of the true class.
    """

    sample: str
    truth: str
    answer: str
    probability: float
    truth_probability: float
    picture: Pixels | None = None
    excerpt: str = ""


def mistakes_section(mistakes: Sequence[Mistake], total: int) -> Section:
    """Returns the mistakes in the order given, as many as fit; ``total`` counts all wrong answers of the part."""
    heading = "Worst mistakes"
    if not mistakes:
        return Section(heading, paragraph("No mistakes to show."))
    cards: list[Html] = []
    spent = 0
    for mistake in mistakes:
        card = _card(mistake)
        spent += len(card)
        if cards and spent > BUDGET:
            break
        cards.append(card)
    words = f"The {len(cards)} of {plural(total, 'wrong answer')} that the network was surest of, surest first."
    if len(cards) == total:
        words = "Every wrong answer, the one the network was surest of first."
    return Section(heading, join((paragraph(words, class_="lead"), element("ol", join(cards), class_="cards"))))


def _card(mistake: Mistake) -> Html:
    shown = thumbnail(mistake.picture, "") if mistake.picture is not None else quotation(mistake.excerpt)
    said = f"<dt>Answer</dt><dd>{name(mistake.answer)} <b>{text(percent(mistake.probability))}</b></dd>"
    true = f"<dt>Truth</dt><dd>{name(mistake.truth)} <b>{text(percent(mistake.truth_probability))}</b></dd>"
    file = element("p", name(mistake.sample, LONGEST_VALUE), class_="file")
    return Html(f'<li><div class="pic">{shown}</div><dl>{said}{true}</dl>{file}</li>\n')


def quotation(words: str) -> Html:
    """Returns the beginning of a text as a quotation."""
    return element("blockquote", text(words[:300])) if words else Html("")
