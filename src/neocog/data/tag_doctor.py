"""The data doctor for tagged sentences: copies, leaks, tags in conflict or out of their scheme; changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from statistics import median

from neocog.core.errors import DataError
from neocog.core.spans import Scheme, is_well_formed, may_follow, scheme_of
from neocog.data.conll import TaggedSentence
from neocog.data.dataset import DataSet
from neocog.data.findings import TINY, Finding, Progress, Sample, copies, in_order

KINDS = {
    "conflict": "the same sentence under different tags",
    "leak": "the same sentence in two parts",
    "duplicate": "the same sentence again",
    "ill-formed": "tags that their scheme does not allow; they are read as conlleval reads them",
    "long": "far longer than the others; perhaps a blank line is missing",
    "one class": "nothing to tell apart",
    "missing class": "a tag of another part that is not in train; it can never be answered",
    "tiny class": "too few words of a tag to learn from",
}
LONG = 10  # times the median number of words
OFTEN_SAID = 6
SHOWN = 8  # words of a sentence in a detail


def examine(dataset: DataSet[TaggedSentence], *, progress: Progress | None = None) -> tuple[Finding, ...]:
    """Returns all findings, those of one kind together, in the order of `KINDS`; tells ``progress`` how far it is.

    Proposed for leaving out: copies but one, of those in two parts the one outside the test part; not of sentences of
    fewer than `OFTEN_SAID` words, which people say again and again (``Thank you !``).
    """
    sentences = dict(_samples(dataset))
    scheme = scheme_of(each.tags for sample, each in sentences.items() if sample.part == "train")
    findings: list[Finding] = []
    for place, (sample, sentence) in enumerate(sentences.items(), 1):
        findings += _ill_formed(sample, sentence, scheme)
        if progress is not None:
            progress(place, len(sentences))
    whole = [sample for sample, sentence in sentences.items() if len(sentence) >= OFTEN_SAID]
    findings += copies(whole, [" ".join(tags) for tags in _tag_rows(dataset)])
    findings += _long(sentences)
    findings += _of_tags(dataset)
    return in_order(findings, KINDS)


def _tag_rows(dataset: DataSet[TaggedSentence]) -> list[tuple[str, ...]]:
    """Returns the different rows of tags that sentences have, in order of first use."""
    rows = (part.items.read(place).tags for part in dataset.parts.values() for place in range(len(part)))
    return list(dict.fromkeys(rows))


def _samples(dataset: DataSet[TaggedSentence]) -> Iterator[tuple[Sample, TaggedSentence]]:
    number = {tags: place for place, tags in enumerate(_tag_rows(dataset))}
    for name, part in dataset.parts.items():
        for place in range(len(part)):
            sentence = part.items.read(place)
            yield Sample(name, part.items.name(place), number[sentence.tags], part.items.digest(place)), sentence


def _ill_formed(sample: Sample, sentence: TaggedSentence, scheme: Scheme | None) -> Iterator[Finding]:
    if scheme is None or is_well_formed(sentence.tags, scheme):
        return
    tags = (None, *sentence.tags, None)
    for place, (before, tag) in enumerate(pairwise(tags)):
        if not _allowed(before, tag, scheme):
            word = sentence.words[min(place, len(sentence.words) - 1)]
            said = f"{tag or 'the end'} behind {before or 'the start'} at {word!r}, in {scheme}"
            yield Finding("ill-formed", sample.part, sample.name, said)
            return


def _allowed(before: str | None, tag: str | None, scheme: Scheme) -> bool:
    try:
        return may_follow(before, tag, scheme)
    except DataError:
        return False


def _long(sentences: dict[Sample, TaggedSentence]) -> Iterator[Finding]:
    usual = median(len(each) for each in sentences.values()) if sentences else 0
    for sample, sentence in sentences.items():
        if len(sentence) > LONG * usual:
            said = f"{len(sentence):,} words, where half of the sentences have {usual:g} or fewer"
            yield Finding("long", sample.part, sample.name, f"{said}: {' '.join(sentence.words[:SHOWN])} ...")


def _of_tags(dataset: DataSet[TaggedSentence]) -> Iterator[Finding]:
    if len(dataset.classes) < 2:
        yield Finding("one class", "", "", ", ".join(dataset.classes))
    counts = {
        name: Counter(tag for place in range(len(part)) for tag in part.items.read(place).tags)
        for name, part in dataset.parts.items()
    }
    train = counts.get("train", Counter())
    for name, count in counts.items():
        missing = [tag for tag in sorted(count) if train and not train[tag]]
        if missing:
            yield Finding("missing class", name, "", ", ".join(missing))
    for tag, number in sorted(train.items()):
        if number < TINY:
            yield Finding("tiny class", "train", "", f"{tag}: {number} {'word' if number == 1 else 'words'}")
