"""What a run knows of the words of tagged sentences: which the model learns, and the vectors that they start from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from torch import nn

from neocog.core.errors import DataError
from neocog.core.spans import OUTSIDE, Scheme, check_scheme, is_span_tag, scheme_of
from neocog.data.conll import TaggedSentence
from neocog.data.dataset import DataSet, Part
from neocog.data.tag_features import SUFFIXES, UNKNOWN, forms, normalised, seen_as, suffix
from neocog.data.tag_preprocess import FEATURES, TagPreprocessing
from neocog.data.vectors import WordVectors
from neocog.data.vocabulary import vocabulary
from neocog.tasks.options import TrainOptions
from neocog.tasks.text_words import describe_vectors, fill_named, given_vectors

RARE = 2  # a word without a vector that is fewer times in the training part stands for all that are unknown
RARE_SUFFIX = 3
SLIPS = 20  # one tag in so many that are of spans may be a slip


@dataclass(frozen=True, eq=False)
class TagWords:
    """The words of one run, looked at once; made from the data and the options alone.

    ``scheme`` is that of the data's tags of spans, None for other tags.
    """

    data: DataSet[TaggedSentence]
    scheme: Scheme | None
    options: TrainOptions

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each word is in the training part, in lower case; without a vector its digits are ``0``."""
        given = set() if self.vectors is None else set(self.vectors.words)
        return Counter(
            seen_as(word, given) or normalised(word) for words in sentences(self.data, "train") for word in words
        )

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """The number of words of each training sentence."""
        return tuple(len(words) for words in sentences(self.data, "train"))

    @cached_property
    def vectors(self) -> WordVectors | None:
        """The vectors of the file that the user names, None without one."""
        return given_vectors(self.options, self._forms)

    def _forms(self) -> set[str]:
        return {form for words in sentences(self.data, "train") for word in words for form in forms(word)}

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words that the model knows, the one for unknown ones first."""
        given = set(self.vectors.words) if self.vectors else set()
        own = Counter({word: count for word, count in self.counts.items() if count >= RARE or word in given})
        return (UNKNOWN, *vocabulary(own, self.vectors.words if self.vectors else ()))

    @cached_property
    def suffixes(self) -> tuple[tuple[str, ...], ...]:
        """The suffixes that the model knows, by length."""
        found = []
        for size in SUFFIXES:
            counts = Counter(suffix(word, size) for words in sentences(self.data, "train") for word in words)
            found.append(vocabulary(Counter({each: n for each, n in counts.items() if n >= RARE_SUFFIX})))
        return tuple(found)

    def preprocessing(self) -> TagPreprocessing:
        """Returns how sentences become the network's numbers."""
        usual = (max(self.lengths, default=1), FEATURES)
        return TagPreprocessing(
            self.words, self.suffixes, self.scheme, learned_scheme(self.scheme, self.options), usual
        )

    def describe(self) -> tuple[str, ...]:
        """Returns the lines on words and vectors."""
        known = set(self.words)
        unknown = sum(count for word, count in self.counts.items() if word not in known)
        share = unknown / max(sum(self.counts.values()), 1)
        lines = (f"{len(self.words) - 1:,} words known, {share:.1%} of the training text is of words seen once",)
        return lines if self.vectors is None else (*lines, describe_vectors(self.counts, self.vectors))

    def fill(self, network: nn.Module, words: tuple[str, ...]) -> None:
        """Puts the vectors into the network's table of words."""
        fill_named(network, words, self.vectors)


def learned_scheme(scheme: Scheme | None, options: TrainOptions) -> Scheme | None:
    """Returns the scheme in which tags of spans are learned, None for other tags."""
    return None if scheme is None else check_scheme(options.scheme or "BIOES")


def scheme_in(data: DataSet[TaggedSentence]) -> Scheme | None:
    """Returns the scheme of the tags of spans, by those of the training part; None for other tags.

    A training part without a span, as a fold may have it, is of the other parts' scheme.
    """
    every = [part.items for part in data.parts.values()]
    train = data.parts["train"].items if "train" in data.parts else every[0]
    found = scheme_of(train.read(place).tags for place in range(len(train)))
    only_outside = all(tag == OUTSIDE for place in range(len(train)) for tag in train.read(place).tags)
    return scheme_of(items.read(at).tags for items in every for at in range(len(items))) if only_outside else found


def refuse_slips(*parts: Part[TaggedSentence]) -> None:
    """Raises DataError, with the sentence's name, where tags are of spans but for a few.

    All would be learned and scored as tags of words, because of a slip.
    """
    typed = others = 0
    first = ""
    for part in parts:
        for place in range(len(part)):
            sentence = part.items.read(place)
            for word, tag in zip(sentence.words, sentence.tags, strict=True):
                of_span = is_span_tag(tag)
                typed += of_span and "-" in tag
                others += not of_span
                first = first or ("" if of_span else f"{part.items.name(place)}: the tag {tag!r} of {word!r}")
    if typed and 0 < others <= max(1, typed // SLIPS):
        raise DataError(
            f"{first} is not one of a span, as {typed:,} others are; expected O, or B-, I-, E- or S- and a type"
        )


def sentences(data: DataSet[TaggedSentence], name: str) -> Iterable[tuple[str, ...]]:
    """Returns the words of each sentence of a part."""
    items = data.parts[name].items
    return (items.read(place).words for place in range(len(items)))
