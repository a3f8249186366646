"""The page of a look into a network: each picture with what was answered, and each method's figure with its facts."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from PIL import Image

from neocog.report.markup import (
    LONGEST_VALUE,
    Column,
    Html,
    bullets,
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
from neocog.report.thumbnails import Pixels, thumbnail

# A lossless picture beyond this is a photograph: on the page, not on the disk, a JPEG of it takes its place.
LARGEST_PNG = 120_000


@dataclass(frozen=True)
class Drawn:
    """A figure on the page: a sheet, uint8 (H, W, 3); ``about`` what the method shows; all words plain text."""

    title: str
    about: str
    pixels: Pixels
    facts: Sequence[tuple[str, str]] = ()
    note: str = ""
    file: str = ""


@dataclass(frozen=True)
class PictureSection:
    """A picture with its answers, the figures of the methods, and the refusals as pairs of title and reason.

    ``name`` is its path, of which the last part is the heading.
    """

    name: str
    picture: Pixels
    answers: Sequence[tuple[str, float]]
    figures: Sequence[Drawn]
    refused: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class LookPage:
    """Everything on the page.

    ``unread`` are the pictures that could not be read, with the reasons; ``left`` the names of those whose figures lie
    in the folder and not on the page; ``papers`` rows of title, what it shows and paper.
    """

    title: str
    verdict: str
    facts: Sequence[tuple[str, str]]
    pictures: Sequence[PictureSection]
    network: Sequence[Drawn] = ()
    refused: Sequence[tuple[str, str]] = ()
    unread: Sequence[tuple[str, str]] = ()
    left: Sequence[str] = ()
    papers: Sequence[tuple[str, str, str]] = ()
    notes: Sequence[str] = field(default=())

    def page(self) -> Page:
        """Returns the page, to be written."""
        sections = [_picture(each) for each in self.pictures]
        if self.network or self.refused:
            sections.append(Section("The network alone", join((_figures(self.network), _refusals(self.refused)))))
        if self.unread or self.left:
            sections.append(Section("Not on this page", join((_unread(self.unread), _left(self.left)))))
        sections.append(_reading(self.papers, self.notes))
        return Page(self.title, sections, verdict=self.verdict, facts=self.facts)


def _picture(each: PictureSection) -> Section:
    shown = Html(f'<div class="pic">{thumbnail(each.picture, "what the network saw")}</div>')
    rows = [(name(label), text(percent(chance))) for label, chance in each.answers]
    answers = table("Answers", (Column("Class"), Column("Probability", numeric=True)), rows)
    head = Html(f'<div class="pair">{shown}<div>{answers}</div></div>')
    file = element("p", name(each.name, LONGEST_VALUE), class_="file")
    heading = shorten(PurePath(each.name).name or each.name)
    return Section(heading, join((head, file, _figures(each.figures), _refusals(each.refused))))


def _figures(figures: Sequence[Drawn]) -> Html:
    return join(_figure(each) for each in figures)


def _figure(each: Drawn) -> Html:
    height, width = each.pixels.shape[:2]
    image = (
        f'<img class="sheet" src="{sheet_uri(each.pixels)}" alt="{text(_alt(each))}" width="{width}" height="{height}">'
    )
    about = paragraph(each.about, class_="lead")
    note = paragraph(each.note, class_="file") if each.note else Html("")
    return Html(f"<h3>{text(each.title)}</h3><figure>{image}</figure>{about}{facts(each.facts)}{note}")


def _alt(each: Drawn) -> str:
    return " ".join([each.title + ".", *(f"{label}: {value}." for label, value in each.facts), each.note]).strip()


def _refusals(refused: Sequence[tuple[str, str]]) -> Html:
    if not refused:
        return Html("")
    rows = bullets(Html(f"<b>{text(title)}</b>: {text(reason)}") for title, reason in refused)
    return join((Html("<h3>Refused</h3>"), rows))


def _unread(unread: Sequence[tuple[str, str]]) -> Html:
    if not unread:
        return Html("")
    return table("Pictures that could not be read", (Column("Picture"), Column("Reason")), _pairs(unread))


def _pairs(pairs: Sequence[tuple[str, str]]) -> list[tuple[Html, Html]]:
    return [(name(one, LONGEST_VALUE), text(other)) for one, other in pairs]


def _left(left: Sequence[str]) -> Html:
    if not left:
        return Html("")
    lead = paragraph(f"The figures of {len(left)} more pictures are in the folder.", class_="lead")
    return join((lead, bullets(name(each, LONGEST_VALUE) for each in left)))


def _reading(papers: Sequence[tuple[str, str, str]], notes: Sequence[str]) -> Section:
    columns = (Column("Method"), Column("Paper"))
    rows = [(text(title), text(paper)) for title, _, paper in papers]
    lines = join(paragraph(each, class_="lead") for each in (*_HOW_TO_READ, *notes))
    return Section("How to read this", join((lines, table("Methods", columns, rows, kind="settings"))))


_HOW_TO_READ = (
    "Every map lies on the picture exactly as the network saw it: after the model's own resizing and cropping. Where "
    "a map has values of both signs, orange is above zero and blue below; else dark is nothing and pale yellow most. "
    "The strongest half a percent of a map's values share the last colour.",
    "Trust: a map should change when the network forgets what it learned. 'Like random weights' is the rank "
    "correlation of the map with that of the same network with random weights: near 0 is good, near 1 means that the "
    "map shows the picture and not what was learned. 'Deletion' is the mean probability of the class while the places "
    "that the map calls strongest are taken away first, which should be below that of a random order; 'insertion' "
    "while they are put into a blurred picture first, which should be above.",
)


def sheet_uri(pixels: Pixels) -> str:
    """Returns a sheet as a ``data:`` URI: PNG, or JPEG where that would be large."""
    written = io.BytesIO()
    image = Image.fromarray(pixels)
    image.save(written, "png", optimize=True)
    form = "png"
    if written.tell() > LARGEST_PNG:
        written, form = io.BytesIO(), "jpeg"
        image.save(written, form, quality=88, subsampling=0, optimize=True)
    return f"data:image/{form};base64,{base64.b64encode(written.getvalue()).decode('ascii')}"
