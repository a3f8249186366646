"""The page of a look into a network for texts: the words in colours, the n-grams of the filters, near words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from neocog.explain.words import words_in_html
from neocog.report.look_sentence import Part, Tag, bag_table, parts_table, tag_line
from neocog.report.markup import (
    LONGEST_VALUE,
    Column,
    Html,
    bullets,
    disclosure,
    element,
    facts,
    join,
    name,
    paragraph,
    percent,
    shorten,
    table,
    text,
)
from neocog.report.page import Page, Section

# Rows of: the filter, its words, its value, what it adds to the class or the text of the data that the words are of,
# and the piece of the sentence in which they stand.
NgramRow = tuple[int, str, float, float | str, str]
# A word with its cosine.
Near = tuple[str, float]


@dataclass(frozen=True)
class Coloured:
    """A method's scores, one a word; ``labels`` stand behind the words, ``parts`` are those of the words' features."""

    title: str
    about: str
    scores: Sequence[float]
    facts: Sequence[tuple[str, str]] = ()
    note: str = ""
    labels: Sequence[str] = ()
    parts: Sequence[Part] = ()


@dataclass(frozen=True)
class NgramTable:
    """What fired the filters of a layer; ``of_data`` where the rows are of data and not of the text above."""

    title: str
    about: str
    layer: str
    rows: Sequence[NgramRow]
    note: str = ""
    of_data: bool = False


@dataclass(frozen=True)
class TextSection:
    """A text with its answers and figures; ``unknown`` are the words that the model does not know.

    Of a tagged sentence ``tags`` are each word's tag with its probability; of a bag ``bag`` are its sentences with
    their attention.
    """

    name: str
    tokens: Sequence[str]
    unknown: Sequence[str]
    answers: Sequence[tuple[str, float]]
    coloured: Sequence[Coloured]
    ngrams: Sequence[NgramTable]
    refused: Sequence[tuple[str, str]] = ()
    between: str = " "
    tags: Sequence[Tag] = ()
    bag: Sequence[tuple[str, float]] = ()
    note: str = ""


@dataclass(frozen=True)
class Neighbours:
    """A word's nearest words now and before training (None where it is not known), and its cosines with others."""

    word: str
    now: Sequence[Near]
    before: Sequence[Near] | None
    others: Sequence[tuple[str, float, float | None]]


@dataclass(frozen=True)
class LookTextPage:
    """Everything on the page; ``unread`` the refused texts, ``left`` those that are in ``look.json`` alone.

    ``reading`` are sentences on how to read what is on this page beside what all such pages have.
    """

    title: str
    verdict: str
    facts: Sequence[tuple[str, str]]
    texts: Sequence[TextSection]
    network: Sequence[NgramTable] = ()
    neighbours: Sequence[Neighbours] = ()
    refused: Sequence[tuple[str, str]] = ()
    unread: Sequence[tuple[str, str]] = ()
    left: int = 0
    papers: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = field(default=())
    reading: Sequence[str] = field(default=())

    def page(self) -> Page:
        """Returns the page, to be written."""
        sections = [_text(each) for each in self.texts]
        if self.neighbours:
            sections.append(_neighbours(self.neighbours, self.notes))
        if self.network or self.refused:
            body = join((_ngrams(self.network), _refusals(self.refused)))
            sections.append(Section("The filters over the data", body))
        if self.unread or self.left:
            sections.append(Section("Not on this page", _absent(self.unread, self.left)))
        sections.append(_reading(self.papers, self.reading))
        return Page(self.title, sections, verdict=self.verdict, facts=self.facts)


def _text(each: TextSection) -> Section:
    rows = [(name(label), text(percent(chance))) for label, chance in each.answers]
    parts = [tag_line(each.tokens, each.tags)] if each.tags else []
    if rows:
        parts.append(table("Answers", (Column("Class"), Column("Probability", numeric=True)), rows))
    if each.bag:
        parts.append(bag_table(each.bag))
    if each.note:
        parts.append(paragraph(each.note, class_="file"))
    if each.unknown:
        listed = ", ".join(dict.fromkeys(each.unknown))
        parts.append(paragraph(f"Words that the model does not know: {listed}.", class_="file"))
    parts += [_coloured(one, each) for one in each.coloured]
    parts.append(_ngrams(each.ngrams))
    parts.append(_refusals(each.refused))
    return Section(shorten(each.name, 80), join(parts))


def _coloured(one: Coloured, of: TextSection) -> Html:
    words = Html(words_in_html(of.tokens, list(one.scores), between=of.between, labels=one.labels))
    line = element("p", words, class_="words")
    note = paragraph(one.note, class_="file") if one.note else Html("")
    about = paragraph(one.about, class_="lead")
    apart = parts_table(of.tokens, one.scores, one.parts) if one.parts else Html("")
    return join((Html(f"<h3>{text(one.title)}</h3>"), line, about, facts(one.facts), note, apart))


def _ngrams(tables: Sequence[NgramTable]) -> Html:
    """Returns the tables of all layers, what they are about once."""
    parts = []
    for place, each in enumerate(tables):
        if place == 0:
            parts += [Html(f"<h3>{text(each.title)}</h3>"), paragraph(each.about, class_="lead")]
        parts.append(_ngram_table(each))
    return join(parts)


def _ngram_table(each: NgramTable) -> Html:
    last = Column("Text") if each.of_data else Column("Adds to the score", numeric=True)
    placed = any(piece for *_, piece in each.rows)
    columns = (Column("Filter", numeric=True), Column("Words"), *([Column("Where")] if placed else []))
    columns = (*columns, Column("Answer", numeric=True), last)
    rows = [
        (
            text(number),
            name(words, LONGEST_VALUE),
            *([text(piece)] if placed else []),
            text(f"{value:.3g}"),
            _last(end),
        )
        for number, words, value, end, piece in each.rows
    ]
    made = table(f"Layer {each.layer}", columns, rows)
    if each.of_data:
        made = disclosure(f"Layer {each.layer}: {len({row[0] for row in each.rows}):,} filters", made)
    note = paragraph(each.note, class_="file") if each.note else Html("")
    return join((made, note))


def _last(end: float | str) -> Html:
    return name(end) if isinstance(end, str) else text(f"{end:+.3g}")


def _neighbours(found: Sequence[Neighbours], notes: Sequence[str]) -> Section:
    before = any(each.before is not None for each in found)
    columns = [Column("Word"), *([Column("Before training")] if before else []), Column("Now")]
    rows = [(name(each.word), *([_near(each.before)] if before else []), _near(each.now)) for each in found]
    parts = [table("Nearest words by cosine", columns, rows, kind="settings"), _pairs(found, before=before)]
    return Section("Near words", join((*parts, *(paragraph(each, class_="file") for each in notes))))


def _near(words: Sequence[Near] | None) -> Html:
    if words is None:
        return text("began at random")
    return join((Html(f"{name(word)} {text(f'{cosine:.2f}')}") for word, cosine in words), ", ")


def _pairs(found: Sequence[Neighbours], *, before: bool) -> Html:
    rows = []
    done: set[frozenset[str]] = set()
    for each in found:
        for other, now, then in each.others:
            pair = frozenset((each.word, other))
            if pair in done:
                continue
            done.add(pair)
            start = [text("–" if then is None else f"{then:.2f}")] if before else []
            rows.append((name(f"{each.word}, {other}"), *start, text(f"{now:.2f}")))
    if not rows:
        return Html("")
    columns = [
        Column("Pair"),
        *([Column("Before training", numeric=True)] if before else []),
        Column("Now", numeric=True),
    ]
    return table("Cosines of the words with each other", columns, rows)


def _refusals(refused: Sequence[tuple[str, str]]) -> Html:
    if not refused:
        return Html("")
    rows = bullets(Html(f"<b>{text(title)}</b>: {text(reason)}") for title, reason in refused)
    return join((Html("<h3>Refused</h3>"), rows))


def _absent(unread: Sequence[tuple[str, str]], left: int) -> Html:
    lead = paragraph(f"{left:,} more texts are in look.json.", class_="lead") if left else Html("")
    if not unread:
        return lead
    rows = [(name(one, LONGEST_VALUE), text(other)) for one, other in unread]
    return join((lead, table("Texts that were refused", (Column("Text"), Column("Reason")), rows)))


def _reading(papers: Sequence[tuple[str, str]], more: Sequence[str]) -> Section:
    rows = [(text(title), text(paper)) for title, paper in papers]
    lines = join(paragraph(each, class_="lead") for each in (*more, *_HOW_TO_READ))
    return Section(
        "How to read this", join((lines, table("Methods", (Column("Method"), Column("Paper")), rows, kind="settings")))
    )


_HOW_TO_READ = (
    "The words are the tokens that the network saw. The strongest word of a line has the full colour: orange speaks "
    "for the class, blue against it; a method without signs has orange alone. Each word's number is its title.",
    "An n-gram is what a filter answered to; a dot is padding before or behind the text. What it adds to the score is "
    "its answer times the gradient, which is exact behind a maximum over time and a dense layer.",
    "Trust: scores should change when the network forgets what it learned. 'Like random weights' is the rank "
    "correlation with the scores of the same network with random weights: near 0 is good. 'Deletion' is the mean "
    "probability of the class while the words are made unknown, the highest score first, which should be below that of "
    "a random order; 'insertion' while they come back, which should be above.",
)
