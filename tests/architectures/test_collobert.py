"""Collobert's two networks: their published sizes, padding that changes nothing, each place on its own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from neocog import architectures
from neocog.core.errors import NetworkError
from neocog.core.layers import count_parameters
from neocog.nn.sentence_network import StrongestForEach

NAMES = ("collobert_window", "collobert_sentence")


def tokens(*lengths: int, words: int = 20) -> Tensor:
    drawn = torch.Generator().manual_seed(3)
    made = torch.zeros(len(lengths), max(lengths), 4, dtype=torch.int64)
    for row, length in enumerate(lengths):
        made[row, :length, 0] = torch.randint(1, words, (length,), generator=drawn)
        made[row, :length, 1:] = torch.randint(0, 3, (length, 3), generator=drawn)
    return made


@pytest.mark.parametrize(("classes", "count"), [(45, 5_098_435), (42, 5_097_268), (17, 5_088_243)])
def test_the_window_network_has_the_published_sizes(classes: int, count: int) -> None:
    """The paper's part-of-speech, chunk and named-entity taggers, transitions included."""
    assert count_parameters(architectures.create("collobert_window", classes=classes)) == count


@pytest.mark.parametrize("name", NAMES)
def test_words_behind_a_sentence_change_nothing(name: str) -> None:
    network = architectures.create(name, classes=3, channels=20, dimension=6, suffixes=(3, 4)).eval()
    batch = tokens(7, 4, 1)
    with torch.no_grad():
        together = network(batch)
        for row, length in enumerate((7, 4, 1)):
            alone = network(batch[row : row + 1, :length])
            torch.testing.assert_close(together[row, :length], alone[0], atol=1e-6, rtol=1e-5)


def test_a_window_sees_two_words_to_each_side() -> None:
    network = architectures.create("collobert_window", classes=3, channels=20, dimension=6).eval()
    batch = tokens(9)
    other = batch.clone()
    other[0, 4, 0] = 1 + other[0, 4, 0] % 19
    with torch.no_grad():
        moved = (network(batch) != network(other)).any(2)[0].nonzero().flatten().tolist()
    assert moved == [2, 3, 4, 5, 6]


def test_the_sentence_network_sees_every_word() -> None:
    network = architectures.create("collobert_sentence", classes=3, channels=20, dimension=6).eval()
    batch, grown = tokens(9), torch.zeros(9)
    with torch.no_grad():
        before = network(batch)
        for value in range(1, 20):
            other = batch.clone()
            other[0, 8, 0] = value
            grown += (network(other) != before).any(2)[0]
    assert (grown > 0).all()


@pytest.mark.parametrize(("length", "width"), [(1, 3), (5, 3), (6, 5)])
def test_the_largest_answers_are_those_of_a_plain_loop(length: int, width: int) -> None:
    torch.manual_seed(length)
    layer = StrongestForEach(3, 4, width, reach=2)
    vectors, inside = torch.randn(1, length, 3), torch.ones(1, length, dtype=torch.bool)
    weight, half = layer.weight, width // 2
    for word in range(length):
        answers = []
        for place in range(length):
            total = layer.bias
            for column in range(width):
                seen = place + column - half
                far = max(-2, min(2, seen - word)) + 2
                known = vectors[0, seen] if 0 <= seen < length else torch.zeros(3)
                total = total + weight[:, :, column] @ torch.cat([known, layer.distances[far]])
            answers.append(total)
        expected = torch.stack(answers).amax(0)
        torch.testing.assert_close(layer(vectors, inside)[0, word], expected, atol=1e-5, rtol=1e-5)


def test_long_sentences_go_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = StrongestForEach(3, 4, 3, reach=50)
    vectors, inside = torch.randn(2, 30, 3), torch.ones(2, 30, dtype=torch.bool)
    whole = layer(vectors, inside)
    monkeypatch.setattr("neocog.nn.sentence_network.LARGEST", 1000)
    torch.testing.assert_close(layer(vectors, inside), whole)


def test_another_likelihood_is_refused() -> None:
    with pytest.raises(NetworkError, match="Did you mean sentence"):
        architectures.create("collobert_window", classes=2, channels=5, likelihood="sentense")
