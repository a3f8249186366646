"""What ``neocog look`` prints of texts: the words in colours in a terminal, with their numbers elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from neocog.explain.words import plain_word, words_in_ansi

if TYPE_CHECKING:
    from neocog.verbs.look_text_result import LookedText, NearWords, TextFigure, TextLook

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
    label, chance = each.answers[0]
    yield f"{plain_word(label)}\t{chance:.4f}\t{plain_word(each.input)}"
    for figure in each.figures:
        if figure.error:
            continue
        if figure.scores is not None:
            yield _words(each, figure, coloured=coloured)
            continue
        for row in figure.ngrams[: min(SHOWN, figure.count)]:
            effect, target = row.effect or 0.0, plain_word(figure.target or "")
            yield f"  {figure.layer}:{row.filter}\t{target}\t{effect:+.4f}\t{plain_word(row.text)}"


def _words(each: LookedText, figure: TextFigure, *, coloured: bool) -> str:
    assert figure.scores is not None
    head = f"  {figure.method}\t{plain_word(figure.target or '')}\t"
    if coloured:
        return head + words_in_ansi(each.tokens, figure.scores, between=each.between)
    pairs = zip(each.tokens, figure.scores.tolist(), strict=True)
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
