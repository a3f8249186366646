"""Recurrent taggers: counts by arithmetic, both directions, sentences of different lengths."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from neocog.architectures import create, record
from neocog.core.arithmetic import dense_parameters, recurrent_macs, recurrent_parameters
from neocog.core.errors import NetworkError
from neocog.core.layers import count_parameters
from neocog.core.randomness import seed_everything

GATES = {"elman_tagger": 1, "gru_tagger": 3, "lstm_tagger": 4}
every = pytest.mark.parametrize("name", GATES)


def small(name: str, **options: object) -> torch.nn.Module:
    seed_everything(0, name)
    return create(name, classes=3, channels=20, dimension=6, suffixes=(3, 4), **{"dropout": 0.0, **options})


def sentences(*lengths: int) -> Tensor:
    seed_everything(2)
    made = torch.zeros(len(lengths), max(lengths), 4, dtype=torch.int64)
    for row, length in enumerate(lengths):
        made[row, :length, 0] = torch.randint(1, 21, (length,))
        made[row, :length, 1:] = torch.randint(0, 3, (length, 3))
    return made


@every
def test_counts_by_arithmetic(name):
    tables = 100_000 * 50 + 4 * 5
    own = 2 * recurrent_parameters(55, 128, gates=GATES[name])
    transitions = count_parameters(create(name, likelihood="sentence", channels=2)) - count_parameters(
        create(name, likelihood="word", channels=2)
    )
    assert transitions == 46 * 45  # from each tag, and from the start, to each
    assert record(name).params == tables + own + dense_parameters(256, 45) + transitions
    assert record(name).macs == 2 * recurrent_macs(55, 128, 64, gates=GATES[name]) + 64 * 256 * 45


@every
@pytest.mark.parametrize("bidirectional", [False, True])
def test_words_behind_a_sentence_change_nothing(name, bidirectional):
    network = small(name, bidirectional=bidirectional).eval()
    batch = sentences(7, 4, 1)
    with torch.no_grad():
        together = network(batch)
        for row, length in enumerate((7, 4, 1)):
            torch.testing.assert_close(together[row, :length], network(batch[row : row + 1, :length])[0])
    assert network(batch[:0]).shape == (0, 7, 3)


@every
def test_a_tag_is_told_from_all_words_or_from_those_before(name):
    batch = sentences(9)
    for bidirectional, seen in ((True, set(range(9))), (False, set(range(4, 9)))):
        network = small(name, bidirectional=bidirectional).eval()
        other = batch.clone()
        other[0, 4, 0] = batch[0, 4, 0] % 20 + 1
        with torch.no_grad():
            moved = (network(batch) != network(other)).any(2)[0].nonzero().flatten().tolist()
        assert set(moved) == seen


@every
def test_a_gradient_reaches_every_parameter(name):
    network, batch = small(name), sentences(6, 6, 6, 6)
    scores = network(batch)
    network.crf(scores, torch.randint(0, 3, (4, 6)), batch[:, :, 0] != 0).sum().backward()
    assert [key for key, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()] == []
    assert small(name, likelihood="word").crf is None
    with pytest.raises(NetworkError, match="Did you mean sentence"):
        small(name, likelihood="sentense")
