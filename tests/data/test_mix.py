from __future__ import annotations

import pytest
import torch

from neocog.data.mix import cutmix, mixup, soft_targets


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def marked(count=8, side=8):
    """Pictures that are flat, each of its own value: what a mixture is made of can be read off."""
    return torch.arange(1, count + 1).float().view(-1, 1, 1, 1).expand(count, 3, side, side).clone()


def test_soft_targets_are_ones_at_the_labels():
    assert soft_targets(torch.tensor([2, 0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]
    soft = torch.tensor([[0.5, 0.5]])
    assert soft_targets(soft, 2) is soft


@pytest.mark.parametrize("seed", range(5))
def test_mixup_mixes_targets_as_it_mixes_pictures(seed):
    inputs, labels = marked(), torch.arange(8)
    mixed, targets = mixup(inputs, labels, 8, 0.4, seeded(seed))
    values = torch.arange(1, 9).float()
    torch.testing.assert_close(mixed[:, 0, 0, 0], targets @ values)
    torch.testing.assert_close(targets.sum(1), torch.ones(8))


@pytest.mark.parametrize("seed", range(8))
def test_cutmix_weights_are_the_areas_as_cut(seed):
    inputs, labels = marked(), torch.arange(8)
    mixed, targets = cutmix(inputs, labels, 8, 1.0, seeded(seed))
    for index in range(8):
        for value in mixed[index].unique().tolist():
            share = float((mixed[index, 0] == value).float().mean())
            assert float(targets[index, int(value) - 1]) == pytest.approx(share, abs=1e-6)
    torch.testing.assert_close(targets.sum(1), torch.ones(8))


def test_both_are_functions_of_the_generator_and_leave_their_inputs():
    inputs, labels = torch.rand(6, 3, 8, 8, generator=seeded(0)), torch.arange(6)
    for mix in (mixup, cutmix):
        kept = inputs.clone()
        first, again = (mix(inputs, labels, 6, 0.8, seeded(3)) for _ in "ab")
        assert torch.equal(first[0], again[0])
        assert torch.equal(first[1], again[1])
        assert torch.equal(inputs, kept)


def test_weights_are_spread_as_beta_says():
    """Beta(a, a) has mean 1/2 and variance 1 / (4 (2 a + 1))."""
    inputs, labels = torch.zeros(2, 1), torch.tensor([0, 1])
    weights = []
    for seed in range(600):
        _, targets = mixup(inputs, labels, 2, 0.5, seeded(seed))
        if targets[0, 0] < 1:
            weights.append(float(targets[0, 0]))
    drawn = torch.tensor(weights)
    assert abs(float(drawn.mean()) - 0.5) < 0.07
    assert abs(float(drawn.var()) - 1 / 8) < 0.03
