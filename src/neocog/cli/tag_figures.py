"""A tagger's figures as text for people."""

from __future__ import annotations

from neocog.cli.figures import SHOWN_MISTAKES, aligned, percent
from neocog.cli.rows import visible
from neocog.tasks.tag_result import MistakenSentence, TaggingResult


def tags_text(result: TaggingResult) -> str:
    """Returns the overall figures, a row a type of span or a tag, the confusions, and sentences with mistakes."""
    blocks = [_overall(result), _rows(result), _confusions(result), _mistakes(result)]
    return "\n".join("\n".join(block) + "\n" for block in blocks if block)


def _overall(result: TaggingResult) -> list[str]:
    titles = {"f1": "F1", "accuracy": "tags right", "sentence_accuracy": "sentences right"}
    rows = []
    for name, value in result.metrics.items():
        ends = result.intervals.get(name)
        rows.append((titles.get(name, name), percent(value), f"{ends.low:.2%} to {ends.high:.2%}" if ends else ""))
    heading = (
        f"{result.contract.network} on {visible(result.statement)}: {result.samples:,} sentences, "
        f"{len(result.words.truth):,} words"
    )
    return [heading, "", *aligned([("", "value", "95 % interval (over sentences)"), *rows])]


def _rows(result: TaggingResult) -> list[str]:
    if not result.class_rows():
        return ["no spans, true or answered"]
    header = ("span" if result.words.spans_are_tagged else "tag", "precision", "recall", "F1", "true", "answered")
    rows = [
        (
            visible(row["class"]),
            *(percent(float("nan") if row[key] is None else row[key]) for key in ("precision", "recall", "f1")),
            f"{row['support']:,}",
            f"{row['predicted']:,}",
        )
        for row in result.class_rows()
    ]
    return aligned([header, *rows])


def _confusions(result: TaggingResult) -> list[str]:
    counts, names = result.confusion, [visible(tag) for tag in result.tags]
    pairs = [
        (int(counts[true, answer]), f"{names[true]} -> {names[answer]}")
        for true in range(len(names))
        for answer in range(len(names))
        if true != answer and counts[true, answer]
    ]
    worst = sorted(pairs, key=lambda pair: -pair[0])[:SHOWN_MISTAKES]
    rows = [(said, f"{count:,}") for count, said in worst]
    return aligned([("most frequent confusions (true -> answer)", "words"), *rows]) if rows else []


def _mistakes(result: TaggingResult) -> list[str]:
    mistakes = result.mistakes(SHOWN_MISTAKES)
    return ["sentences with the most wrong tags (word/answer, and the truth in brackets)", *map(_line, mistakes)][
        : None if mistakes else 0
    ]


def _line(mistake: MistakenSentence) -> str:
    words = (
        word if true == answer else f"{word}/{answer} [{true}]"
        for word, true, answer in zip(mistake.words, mistake.truth, mistake.answered, strict=True)
    )
    return f"{visible(mistake.name)}: {visible(' '.join(words))}"
