"""Whether lengths tell classes, on labels whose share is known."""

import math

import pytest
import torch

from neocog.data.length_tells import lengths_to_sort_by, told_by_length


def test_lengths_that_part_the_classes_tell_all():
    lengths = torch.cat([torch.randint(1, 8, (400,)), torch.randint(20, 40, (400,))])
    labels = torch.tensor([0] * 400 + [1] * 400)
    assert told_by_length(lengths, labels) == pytest.approx(1.0, abs=0.02)
    assert lengths_to_sort_by(lengths, labels) is None


def test_a_class_that_is_told_for_half_of_the_lengths():
    # The shorter half is of class 0; the longer half is of both equally. H(1/4) - ln 2 / 2 of H(1/4) is told.
    labels = torch.cat([torch.zeros(8000), torch.arange(8000) % 2]).long()
    entropy = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert told_by_length(torch.arange(16000), labels) == pytest.approx(1 - math.log(2) / 2 / entropy, abs=0.01)


@pytest.mark.parametrize("classes", [2, 6, 40])
def test_chance_tells_nothing(classes):
    draws = torch.Generator().manual_seed(classes)
    told = [
        told_by_length(torch.randint(1, 50, (3000,), generator=draws), torch.randint(classes, (3000,), generator=draws))
        for _ in range(20)
    ]
    assert sum(told) / len(told) < 0.01


@pytest.mark.parametrize("labels", [[], [3], [1] * 500, [0, 1] * 20], ids=["none", "one", "one class", "too few"])
def test_where_there_is_nothing_to_tell(labels):
    lengths = torch.arange(len(labels))
    assert told_by_length(lengths, torch.tensor(labels, dtype=torch.int64)) == 0
    assert lengths_to_sort_by(lengths, torch.tensor(labels, dtype=torch.int64)) is lengths
