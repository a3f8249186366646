"""What ``neocog look`` prints of texts: the words in colours in a terminal, with their numbers elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from neocog.explain.words import plain_word, words_in_ansi

if TYPE_CHECKING:
    from neocog.verbs.look_text_result import FilterNgram, LookedText, NearWords, TextFigure, TextLook

SHOWN = 5  # n-grams a layer


def lines(found: TextLook, *, coloured: bool) -> Iterator[str]:
    """Yields the lines: of each text its answer, a line a method, and the n-grams that move the score most.

    Without colours a line is tab-separated: method, class, then ``word=score`` each.
    """
    for each in found.texts:
        if not each.error:
            yield from _text(each, coloured=coloured)
    for figure in found.figures:
        if not figure.error:
            yield from _of_data(figure)
    for near in found.neighbours:
        yield from _near(near)


def _text(each: LookedText, *, coloured: bool) -> Iterator[str]:
    yield _answer(each)
    for sentence, weight in each.bag:
        yield f"  attention\t{weight:.4f}\t{plain_word(sentence)}"
    for figure in each.figures:
        if figure.error:
            continue
        if figure.scores is not None:
            yield _words(each, figure, coloured=coloured)
            continue
        yield from _ngrams(each, figure)


def _ngrams(each: LookedText, figure: TextFigure) -> Iterator[str]:
    """Yields the n-grams that move the score most; filters that see the same window of one word share a line."""
    groups: dict[object, list[FilterNgram]] = {}
    for place, row in enumerate(figure.ngrams[: min(SHOWN, figure.count)]):
        groups.setdefault(place if figure.word is None else row.words, []).append(row)
    for rows in groups.values():
        filters = ",".join(str(row.filter) for row in rows)
        effect = sum(row.effect or 0.0 for row in rows)
        yield f"  {figure.layer}:{filters}\t{_target(each, figure)}\t{effect:+.4f}\t{plain_word(rows[0].text)}"


def _answer(each: LookedText) -> str:
    """Returns a text's line: its class and probability, or of a tagged sentence ``word/tag`` each."""
    if each.answers:
        label, chance = each.answers[0]
        return f"{plain_word(label)}\t{chance:.4f}\t{plain_word(each.input)}"
    return " ".join(f"{plain_word(word)}/{tag}" for word, tag in zip(each.tokens, each.labels, strict=True))


def _target(each: LookedText, figure: TextFigure) -> str:
    """Returns the class that is explained, of a tagged sentence with its word."""
    target = plain_word(figure.target or "")
    return target if figure.word is None else f"{plain_word(each.tokens[figure.word])}/{target}"


def _words(each: LookedText, figure: TextFigure, *, coloured: bool) -> str:
    assert figure.scores is not None
    head = f"  {figure.method}\t{_target(each, figure)}\t"
    marks = each.marks() or ("",) * len(each.tokens)
    words = [f"{token}/{mark}" if mark else token for token, mark in zip(each.tokens, marks, strict=True)]
    if coloured:
        return head + words_in_ansi(words, figure.scores, between=each.between)
    pairs = zip(words, figure.scores.tolist(), strict=True)
    return head + " ".join(f"{plain_word(word)}={score:+.4g}" for word, score in pairs)


def _of_data(figure: TextFigure) -> Iterator[str]:
    first: dict[int, str] = {}
    for row in figure.ngrams:
        first.setdefault(row.filter, f"{figure.layer}:{row.filter}\t{row.value:.4f}\t{plain_word(row.text)}")
    yield from first.values()


def _near(near: NearWords) -> Iterator[str]:
    for when, words in (("before", near.before), ("now", near.now)):
        if words is not None:
            listed = ", ".join(f"{plain_word(word)} {cosine:.2f}" for word, cosine in words)
            yield f"{plain_word(near.word)}\t{when}\t{listed}"
    for other, now, before in near.others:
        start = "" if before is None else f"{before:.2f} before, "
        yield f"{plain_word(near.word)} and {plain_word(other)}\t{start}{now:.2f} now"
