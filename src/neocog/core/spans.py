"""Spans of words and their tags: IOB1, IOB2 and BIOES, read as conlleval reads them, written, checked, converted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, get_args

from neocog.core.errors import DataError, UsageError, near_names

Scheme = Literal["IOB1", "IOB2", "BIOES"]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
OUTSIDE = "O"

_OPENS = ("B", "S")  # a span begins here whatever came before
_CLOSES = ("E", "S")  # a span ends here whatever comes after
# Other letters for those of BIOES: the last and the single word of BILOU (Ratinov and Roth 2009), the middle of BMES.
_RENAMED = {"BILOU": {"L": "E", "U": "S"}, "BMES": {"M": "I"}}


class Span(NamedTuple):
    """The words from ``start`` to before ``end``, and what they are."""

    start: int
    end: int
    type: str


def split_tag(tag: str) -> tuple[str, str]:
    """Returns a tag's letter and type, e.g. ``("B", "NP")``; the type may hold hyphens, or be empty.

    Raises DataError for what is no tag of a span.
    """
    letter, _, kind = tag.partition("-")
    if is_span_tag(tag):
        return letter, kind
    raise DataError(f"{tag!r} is not a tag of a span; expected O, or B-, I-, E- or S- and a type, e.g. B-NP")


def is_span_tag(tag: str) -> bool:
    """Tells whether `split_tag` takes a tag."""
    return tag == OUTSIDE or tag.partition("-")[0] in ("B", "I", "E", "S")


def spans(tags: Sequence[str]) -> list[Span]:
    """Returns the spans of a sentence's tags, in their order.

    Ill-formed tags are read as conlleval reads them: ``I`` after ``O`` or after another type begins a span, and a span
    ends where the sentence does. So the same reading serves IOB1, IOB2 and BIOES. Raises DataError for another tag.
    """
    found: list[Span] = []
    start, before, kind_before = 0, OUTSIDE, ""
    for place, tag in enumerate([*tags, OUTSIDE]):
        letter, kind = split_tag(tag)
        goes_on = continues(before, kind_before, letter, kind)
        if before != OUTSIDE and not goes_on:
            found.append(Span(start, place, kind_before))
        if not goes_on:
            start = place
        before, kind_before = letter, kind
    return found


def continues(before: str, kind_before: str, letter: str, kind: str) -> bool:
    """Tells whether a tag belongs to the span of the tag before it."""
    inside = OUTSIDE not in (before, letter)
    return inside and kind == kind_before and letter not in _OPENS and before not in _CLOSES


def tags_of(found: Iterable[Span], length: int, scheme: Scheme = "IOB2") -> list[str]:
    """Returns the tags of a sentence of ``length`` words in which these spans lie.

    Raises DataError for spans that overlap, are empty or lie outside the sentence, UsageError for an unknown scheme.
    """
    check_scheme(scheme)
    tags = [OUTSIDE] * length
    end_before, kind_before = 0, None
    for span in sorted(found):
        if not 0 <= span.start < span.end <= length:
            raise DataError(f"a span from {span.start} to {span.end} does not lie in a sentence of {length} words")
        if span.start < end_before:
            raise DataError(f"two spans overlap at word {span.start}; a word has one tag")
        touches = span.start == end_before and span.type == kind_before
        letters = _letters(span.end - span.start, scheme, touches=touches)
        tags[span.start : span.end] = [f"{letter}-{span.type}" if span.type else letter for letter in letters]
        end_before, kind_before = span.end, span.type
    return tags


def _letters(length: int, scheme: Scheme, *, touches: bool) -> str:
    if scheme == "BIOES":
        return "S" if length == 1 else "B" + "I" * (length - 2) + "E"
    return ("B" if scheme == "IOB2" or touches else "I") + "I" * (length - 1)


def converted(tags: Sequence[str], scheme: Scheme) -> list[str]:
    """Returns the tags of the same spans in another scheme; what was ill-formed becomes well-formed."""
    return tags_of(spans(tags), len(tags), scheme)


def may_follow(before: str | None, tag: str | None, scheme: Scheme) -> bool:
    """Tells whether ``tag`` may come behind ``before``; None stands for the sentence's start and end.

    Raises DataError for what is no tag of the scheme.
    """
    last, kind_before = (OUTSIDE, "") if before is None else _of_scheme(before, scheme)
    letter, kind = (OUTSIDE, "") if tag is None else _of_scheme(tag, scheme)
    if scheme == "BIOES":
        opened = last in ("B", "I")
        return (letter in ("I", "E") and kind == kind_before) if opened else letter not in ("I", "E")
    same = last != OUTSIDE and kind == kind_before
    if scheme == "IOB2":
        return letter != "I" or same
    return letter != "B" or same


def _of_scheme(tag: str, scheme: Scheme) -> tuple[str, str]:
    letter, kind = split_tag(tag)
    if scheme != "BIOES" and letter in _CLOSES:
        raise DataError(f"{tag!r} is not a tag of {scheme}, which has B, I and O; E and S are of BIOES")
    return letter, kind


def is_well_formed(tags: Sequence[str], scheme: Scheme) -> bool:
    """Tells whether tags obey a scheme from the sentence's start to its end."""
    try:
        return all(
            may_follow(before, tag, scheme) for before, tag in zip([None, *tags], [*tags, None], strict=True) if tags
        )
    except DataError:
        return False


def scheme_of(sentences: Iterable[Sequence[str]]) -> Scheme | None:
    """Returns the scheme of the tags of sentences, or None where they are no tags of spans (parts of speech, say).

    E and S make BIOES. Else it is IOB1 where a span that touches no other begins with I, and none with B: ill-formed
    IOB2 has both, and is IOB2.
    """
    letters: set[str] = set()
    begins_inside = begins_alone = False
    for tags in sentences:
        before, kind_before = OUTSIDE, ""
        for tag in tags:
            try:
                letter, kind = split_tag(tag)
            except DataError:
                return None
            letters.add(letter)
            if before == OUTSIDE or kind != kind_before:
                begins_inside |= letter == "I"
                begins_alone |= letter == "B"
            before, kind_before = letter, kind
    if letters & set(_CLOSES):
        return "BIOES"
    if not letters & {"B", "I"}:
        return None
    return "IOB1" if begins_inside and not begins_alone else "IOB2"


def in_bioes(tags: Iterable[str]) -> tuple[str, dict[str, str]] | None:
    """Returns the name of a scheme that has other letters than BIOES, BILOU or BMES, and BIOES's tag for each tag.

    None where ``tags``, those of all sentences, are of neither.
    """
    known = {tag: tag.partition("-") for tag in set(tags) - {OUTSIDE}}
    letters = {letter for letter, _, kind in known.values() if kind}
    if not all(kind for _, _, kind in known.values()):
        return None
    for name, renamed in _RENAMED.items():
        if letters & set(renamed) and letters <= set(name):
            return name, {tag: f"{renamed.get(letter, letter)}-{kind}" for tag, (letter, _, kind) in known.items()}
    return None


def check_scheme(name: str) -> Scheme:
    """Returns the scheme of that name; raises UsageError, with near names, where there is none."""
    for scheme in SCHEMES:
        if name == scheme:
            return scheme
    raise UsageError(
        f"no scheme of tags is called {name!r}.{near_names(name, SCHEMES)} There are {', '.join(SCHEMES)}."
    )
