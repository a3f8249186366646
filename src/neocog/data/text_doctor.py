"""The data doctor for texts: examines every text of a data set and what they are to each other; changes nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from neocog.data.dataset import DataSet
from neocog.data.findings import Finding, Progress, Sample, alike, copies, in_order, near_copy, of_classes
from neocog.data.text_items import TextItems

KINDS = {
    "empty": "no text; training refuses it",
    "conflict": "the same text under different labels",
    "leak": "the same text in two parts",
    "near leak": "equal but for case, marks and spaces, in two parts",
    "duplicate": "the same text again",
    "near duplicate": "equal but for case, marks and spaces",
    "number duplicate": "equal but for numbers, case, marks and spaces",
    "wordless": "no letter and no digit",
    "lost characters": "U+FFFD stands where a character was lost",
    "wrong encoding": "UTF-8 that was read as Latin-1 or Windows-1252",
    "control characters": "Windows-1252 that was read as Latin-1 (try --encoding cp1252), or no text",
    "long": "far longer than the others; perhaps several texts in one",
    "one class": "nothing to tell apart",
    "alike names": "class names equal but for case or spaces; training refuses them",
    "tiny class": "too few texts to learn from",
    "missing class": "a class without texts in a part",
    "imbalance": "classes of very different size",
}
LONG = 10  # times the median number of characters
SHOWN = 60  # characters of a text in a detail

# What Latin-1 and Windows-1252 make of the bytes 0x80 to 0xBF, which continue a character of UTF-8.
_CONTINUES = re.escape(
    "".join(
        sorted({bytes([byte]).decode(codec, "ignore") for byte in range(0x80, 0xC0) for codec in ("latin-1", "cp1252")})
    )
)
# A character of two bytes is looked for in the scripts that have many (Latin, Greek, Cyrillic, Hebrew, Arabic); one of
# three bytes not where the second is a no-break space, which French sets behind an accent and before its quotes.
_MOJIBAKE = re.compile(rf"[ÂÃÄÅÎÏÐÑ×ØÙ][{_CONTINUES}]|[à-ï](?!\xa0)[{_CONTINUES}]{{2}}|ð[{_CONTINUES}]{{3}}")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")  # without white space, and the new line of EBCDIC


def examine(dataset: DataSet[str], *, near: bool = True, progress: Progress | None = None) -> tuple[Finding, ...]:
    """Returns all findings, those of one kind together, in the order of `KINDS`; tells ``progress`` how far it is.

    Proposed for leaving out: empty texts; exact copies but one; of copies in two parts, also of those that are equal
    but for case, marks and spaces, the one outside the test part, so that the test stays what it was; every copy in
    train of a text under different labels. A text of another number ("order 7", "order 8") is told and stays.
    """
    texts: dict[Sample, str] = {}
    findings: list[Finding] = []
    total = sum(map(len, dataset.parts.values()))
    for sample, text in _samples(dataset):
        texts[sample] = text
        findings += (Finding(kind, sample.part, sample.name, said, kind == "empty") for kind, said in _peculiar(text))
        if progress is not None:
            progress(len(texts), total)
    full = [sample for sample, text in texts.items() if text.strip()]
    findings += copies(full, dataset.classes)
    findings += _near_copies({sample: texts[sample] for sample in full}, dataset.classes) if near else []
    findings += _long({sample: texts[sample] for sample in full})
    findings += of_classes(dataset, "text")
    return in_order(findings, KINDS)


def _samples(dataset: DataSet[str]) -> Iterator[tuple[Sample, str]]:
    for name, part in dataset.parts.items():
        items = part.items
        assert isinstance(items, TextItems)
        for index, text in enumerate(items.texts):
            yield Sample(name, items.name(index), part.labels[index], items.digest(index)), text


def _peculiar(text: str) -> Iterator[tuple[str, str]]:
    """Yields (kind, detail) of what one text shows by itself."""
    if not text.strip():
        yield "empty", "no text beside its label"
    elif not any(map(str.isalnum, text)):
        yield "wordless", _around(text, 0)
    if text.isascii() and text.isprintable():
        return
    if "\ufffd" in text:
        yield "lost characters", _around(text, text.index("\ufffd"))
    wrong = _MOJIBAKE.search(text)
    if wrong is not None:
        yield "wrong encoding", _around(text, wrong.start())
    control = _CONTROL.search(text)
    if control is not None and wrong is None:
        yield "control characters", _around(text, control.start())


def _around(text: str, place: int) -> str:
    """Returns a piece of a text about a place, as Python writes it."""
    begin, end = max(0, place - SHOWN // 2), max(SHOWN, place + SHOWN // 2)
    return ("..." if begin else "") + repr(text[begin:end]) + ("..." if end < len(text) else "")


class _Kept(dict[int, str]):
    """What `str.translate` takes to drop all characters but those of these categories of Unicode, by first letters."""

    def __init__(self, categories: str) -> None:
        super().__init__()
        self.categories = categories

    def __missing__(self, code: int) -> str:
        kept = chr(code) if unicodedata.category(chr(code))[0] in self.categories else ""
        return self.setdefault(code, kept)


_LETTERS, _WRITTEN = _Kept("LM"), _Kept("LMN")  # marks are vowels in the scripts of India


def _near_copies(texts: Mapping[Sample, str], classes: Sequence[str]) -> Iterator[Finding]:
    # Exact copies are reported as such: one of them in each part is enough here.
    unlike: dict[tuple[str, str], Sample] = {}
    for sample in texts:
        unlike.setdefault((sample.digest, sample.part), sample)
    written = {sample: _folded(texts[sample]).translate(_WRITTEN) for sample in unlike.values()}
    written = {sample: key for sample, key in written.items() if key}
    first: dict[tuple[str, str], Sample] = {}
    for sample, key in written.items():
        first.setdefault((key, sample.part), sample)
    for kept, *others in alike(written, lambda sample: written[sample]):
        yield from (near_copy(kept, other, classes) for other in others if other.digest != kept.digest)
    letters = {sample: written[sample].translate(_LETTERS) for sample in first.values()}
    for kept, *others in alike((sample for sample, key in letters.items() if key), lambda sample: letters[sample]):
        for other in others:
            if written[other] != written[kept]:
                yield Finding("number duplicate", other.part, other.name, near_copy(kept, other, classes).detail)


def _folded(text: str) -> str:
    """Returns the text in one case and one way of writing each character."""
    return unicodedata.normalize("NFKC", text).casefold()


def _long(texts: Mapping[Sample, str]) -> Iterator[Finding]:
    usual = median(map(len, texts.values())) if texts else 0
    for sample, text in texts.items():
        if len(text) > LONG * usual:
            yield Finding("long", sample.part, sample.name, f"{len(text):,} characters; the median is {usual:,.0f}")
