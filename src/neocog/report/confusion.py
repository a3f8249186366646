"""The confusion matrix: as a table while a person can read one, beyond that its worst pairs and a map of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neocog.report.markup import Column, Html, element, join, name, paragraph, percent, scroller, table, text
from neocog.report.page import Section
from neocog.report.thumbnails import exact_uri

MOST_CLASSES = 40
MOST_PAIRS = 20
MAP_SIDE = 256

Counts = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Confusion:
    """``counts[t, p]``: samples of class t that were called p, (K, K); ``classes`` the K names in that order."""

    classes: Sequence[str]
    counts: Counts


def confusion_section(confusion: Confusion, *, part: str = "test") -> Section:
    """Returns the section; ``part`` says which samples were counted."""
    lead = paragraph(
        f"Rows are the true classes, columns the network's answers, over the {part} part. "
        "The shade of a cell is its share of its row; empty cells are zero.",
        class_="lead",
    )
    if len(confusion.classes) <= MOST_CLASSES:
        return Section(
            "Confusion matrix",
            join((lead, element("div", join((_matrix(confusion), _pairs(confusion, 10))), class_="pair"))),
        )
    lead = paragraph(
        f"With {len(confusion.classes):,} classes: what was taken for what most often over the {part} part, "
        "and a map of all answers.",
        class_="lead",
    )
    return Section(
        "Confusion matrix",
        join((lead, element("div", join((_map(confusion), _pairs(confusion, MOST_PAIRS))), class_="pair"))),
    )


def _shares(counts: Counts) -> NDArray[np.float64]:
    return np.asarray(counts / np.maximum(counts.sum(1, keepdims=True), 1), dtype=np.float64)


def _matrix(confusion: Confusion) -> Html:
    shares = _shares(confusion.counts)
    names = [name(label) for label in confusion.classes]
    heads = join(Html(f'<th scope="col"><span>{label}</span></th>') for label in names)
    rows = join(
        Html(f'<tr><th scope="row">{label}</th>{_cells(index, confusion.counts[index], shares[index])}</tr>')
        for index, label in enumerate(names)
    )
    caption = "True class by row, answer by column"
    inner = f"<caption>{caption}</caption><thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody>"
    return scroller(caption, element("table", Html(inner), class_="matrix"))


def _cells(row: int, counts: Counts, shares: NDArray[np.float64]) -> Html:
    return join(
        _cell(int(count), float(share), row == column)
        for column, (count, share) in enumerate(zip(counts, shares, strict=True))
    )


def _cell(count: int, share: float, right: bool) -> Html:
    if not count:
        return Html("<td></td>")
    # The faintest shade can still be seen, and the strongest still lets the dark text be read.
    kind = "r" if right else "w"
    return Html(f'<td class={kind} style="--v:{0.2 + 0.5 * share:.2f}">{count}</td>')


def _pairs(confusion: Confusion, most: int) -> Html:
    """The pairs of classes confused most often, by count, then by share of the true class."""
    wrong = confusion.counts * (1 - np.eye(len(confusion.classes), dtype=np.int64))
    truths, answers = np.nonzero(wrong)
    if not len(truths):
        return paragraph("No sample was taken for another class.")
    shares = _shares(confusion.counts)
    order = np.lexsort((answers, truths, -shares[truths, answers], -wrong[truths, answers]))[:most]
    rows = [
        (
            name(confusion.classes[truths[at]]),
            name(confusion.classes[answers[at]]),
            text(f"{wrong[truths[at], answers[at]]:,}"),
            text(percent(float(shares[truths[at], answers[at]]))),
        )
        for at in order
    ]
    columns = (Column("True class"), Column("Answer"), Column("Times", True), Column("Of the class", True))
    return table("Most confused", columns, rows)


def _map(confusion: Confusion) -> Html:
    """Every answer as a picture: transparent where there is none, so that it stands on light and dark alike."""
    shares = _shares(confusion.counts)
    right = np.eye(len(shares), dtype=bool)
    layers = np.stack([np.where(right, shares, 0), np.where(right, 0, shares)])  # (2, K, K)
    strength = np.sqrt(_shrunk(layers, MAP_SIDE))  # (2, S, S); the root lets rare mistakes be seen
    wrong = strength[1] > strength[0]
    pixels = np.zeros((*wrong.shape, 4), np.uint8)
    pixels[..., :3] = np.where(wrong[..., None], (214, 106, 20), (64, 128, 208))
    pixels[..., 3] = np.round(strength.max(0) * 255)
    alt = f"Map of {len(shares)} by {len(shares)} classes; the strong diagonal are right answers."
    picture = f'<img class="map px" src="{exact_uri(pixels)}" alt="{text(alt)}">'
    words = "Classes in order, true from top to bottom, answers from left to right. Blue: right, orange: wrong."
    return Html(f"<figure>{picture}<figcaption>{text(words)}</figcaption></figure>")


def _shrunk(layers: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """The largest value of each block, so that the map is at most ``side`` wide and one strong mistake still shows."""
    classes = layers.shape[1]
    starts = np.unique(np.arange(min(side, classes)) * classes // min(side, classes))
    tall: NDArray[np.float64] = np.maximum.reduceat(layers, starts, axis=1)
    return np.asarray(np.maximum.reduceat(tall, starts, axis=2))
