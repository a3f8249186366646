"""The data's summary: parts, classes, what was skipped, and a look at some samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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
    plural,
    table,
    text,
)
from neocog.report.mistakes import Shown, quotation
from neocog.report.page import Section
from neocog.report.thumbnails import thumbnail

OPEN_CLASSES = 20
MOST_CLASSES = 1000
MOST_SKIPPED = 50
MOST_EXAMPLES = 4
BUDGET = 250_000


@dataclass(frozen=True)
class DataSummary:
    """What was trained and measured on.

    ``counts`` are samples a class by part, in the order of ``classes``; ``skipped`` samples with the reason;
    ``notes`` plain sentences; ``examples`` uint8 pictures a class, (H, W) or (H, W, C), or texts: four are shown.
    """

    source: str
    classes: Sequence[str]
    counts: Mapping[str, Sequence[int]]
    notes: Sequence[str] = ()
    skipped: Sequence[tuple[str, str]] = ()
    examples: Mapping[str, Sequence[Shown]] = field(default_factory=dict)


def data_section(data: DataSummary) -> Section:
    """Returns the section; many classes are folded away, and examples stop where the page would grow heavy."""
    totals = [(part.capitalize(), f"{sum(counts):,}") for part, counts in data.counts.items()]
    pairs = [("Source", data.source), ("Classes", f"{len(data.classes):,}"), *totals]
    body = (facts(pairs), _notes(data.notes), _skipped(data.skipped), _examples(data), _counts(data))
    return Section("Data", join(body))


def _notes(notes: Sequence[str]) -> Html:
    return bullets(text(note[:500]) for note in notes[:MOST_SKIPPED])


def _skipped(skipped: Sequence[tuple[str, str]]) -> Html:
    if not skipped:
        return Html("")
    items = bullets(
        Html(f"{name(sample, LONGEST_VALUE)}: {text(reason[:200])}") for sample, reason in skipped[:MOST_SKIPPED]
    )
    more = len(skipped) - MOST_SKIPPED
    rest = paragraph(f"And {more:,} more.") if more > 0 else Html("")
    return disclosure(f"Skipped: {plural(len(skipped), 'unreadable sample')}", join((items, rest)))


def _counts(data: DataSummary) -> Html:
    if any(len(counts) != len(data.classes) for counts in data.counts.values()):
        return Html("")  # samples that are of no one class
    columns = (Column("Class"), *(Column(part.capitalize(), True) for part in data.counts))
    rows = [
        (name(label), *(text(f"{counts[index]:,}") for counts in data.counts.values()))
        for index, label in enumerate(data.classes[:MOST_CLASSES])
    ]
    totals = (Html("Total"), *(text(f"{sum(counts):,}") for counts in data.counts.values()))
    shown = table("Samples by class and part", columns, rows, footer=totals)
    if len(rows) > OPEN_CLASSES:
        cut = "the first " if len(rows) < len(data.classes) else ""
        return disclosure(f"Samples of each of {cut}{len(rows):,} classes", shown)
    return shown


def _examples(data: DataSummary) -> Html:
    strips: list[Html] = []
    spent = 0
    for label in data.classes:
        if not data.examples.get(label):
            continue
        strip = _strip(label, data.examples[label])
        spent += len(strip)
        if strips and spent > BUDGET:
            break
        strips.append(strip)
    if not strips:
        return Html("")
    grid = element("div", join(strips), class_="examples")
    cut = len(strips) < sum(1 for label in data.classes if data.examples.get(label))
    words = f"Training examples of the first {len(strips)} classes" if cut else "Training examples of each class"
    return Html(f"<h3>{words}</h3>{grid}")


def _strip(label: str, samples: Sequence[Shown]) -> Html:
    images = join(
        quotation(sample) if isinstance(sample, str) else thumbnail(sample, "") for sample in samples[:MOST_EXAMPLES]
    )
    return Html(f"<figure><figcaption>{name(label)}</figcaption><div>{images}</div></figure>\n")
