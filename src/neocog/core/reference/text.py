"""The counts of a sentence classifier (Kim 2014, arXiv:1408.5882): vocabulary, coverage, parameters."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from neocog.core.arithmetic import convolution_parameters, dense_parameters


def vocabulary(sentences: Iterable[Sequence[str]]) -> set[str]:
    """Returns the different words of sentences."""
    return {word for sentence in sentences for word in sentence}


def average_length(sentences: Collection[Sequence[str]]) -> float:
    """Returns how many words a sentence has on average."""
    return sum(map(len, sentences)) / len(sentences)


def coverage(words: Collection[str], known: Collection[str]) -> float:
    """Returns the share, 0 to 1, of different words that have a vector of their own in ``known``."""
    return sum(word in known for word in words) / len(words)


def embedding_parameters(words: int, dimension: int = 300) -> int:
    """Returns the numbers of a table with a vector for each of so many words, and one for padding."""
    return (words + 1) * dimension


def sentence_network_parameters(
    classes: int, maps: int = 100, windows: Sequence[int] = (3, 4, 5), dimension: int = 300
) -> int:
    """Returns the weights of the network above its word vectors.

    ``maps`` filters over each window of so many words, whole vectors high; of each the largest answer; a dense layer.
    """
    filters = sum(convolution_parameters(dimension, maps, (words,)) for words in windows)
    return filters + dense_parameters(maps * len(windows), classes)
