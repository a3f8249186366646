"""What a report says of a language model: what it writes, what surprised it, and what each token costs."""

from __future__ import annotations

from neocog.report.markup import Column, Html, disclosure, join, name, paragraph, table, text
from neocog.report.page import Section
from neocog.tasks.language_result import LanguageResult, LineCost

LEAST_TOKENS = 10  # of a line whose mean says something
SHOWN_LINES = 12
SHOWN_TOKENS = 40
OPEN_TOKENS = 15


def sections(result: LanguageResult) -> list[Section]:
    """Returns the sections of the report."""
    return [_written(result), _lines(result), _tokens(result)]


def _written(result: LanguageResult) -> Section:
    lead = (
        "From the start of a line on, seed 0. A low temperature keeps to what is likeliest and repeats itself; "
        "a high one dares more and errs more."
    )
    samples = join(
        join((Html(f"<h3>Temperature {temperature:g}</h3>"), _block(words)))
        for temperature, words in result.written.items()
    )
    return Section("What it writes", join((paragraph(lead, class_="lead"), samples)))


def _block(words: str) -> Html:
    return Html(f'<pre style="white-space:pre-wrap">{text(words)}</pre>')


def _lines(result: LanguageResult) -> Section:
    heading = "What surprised it most"
    costs = sorted((each for each in result.lines() if each.tokens >= LEAST_TOKENS), key=lambda each: -each.bits)
    if not costs:
        return Section(heading, paragraph("No line is long enough to say."))
    columns = (Column("Line"), Column("Text"), Column(f"Bits per {result.unit}", True))
    rows = [_line(each) for each in costs[:SHOWN_LINES]]
    least = costs[-1]
    end = paragraph(f"The least: {least.name} with {least.bits:.2f} bits, {least.text.strip()[:120]!r}.")
    return Section(heading, join((table("Lines that cost most", columns, rows), end)))


def _line(each: LineCost) -> tuple[Html, ...]:
    return name(each.name), text(each.text.strip()[:160]), text(f"{each.bits:.2f}")


def _tokens(result: LanguageResult) -> Section:
    columns = (Column(result.unit.capitalize()), Column("Times", True), Column("Bits", True))
    costs = result.by_token()[:SHOWN_TOKENS]
    rows = [(text(repr(each.token)), text(f"{each.times:,}"), text(f"{each.bits:.2f}")) for each in costs]
    shown = table(f"Cost of the most frequent {result.unit}s", columns, rows)
    if len(rows) > OPEN_TOKENS:
        shown = disclosure(f"Cost of the {len(rows)} most frequent {result.unit}s", shown)
    return Section(f"What each {result.unit} costs", shown)
