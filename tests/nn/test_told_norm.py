"""Batch norm that is told its input's statistics: the same numbers as torch's, in training and out of it."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from neocog.core.randomness import generator
from neocog.nn.dense import DenseBlock
from neocog.nn.told_norm import PIXELS, Statistics, ToldBatchNorm2d, batch_statistics, worth_telling


def pictures(*shape: int, seed: int = 1, dtype: torch.dtype = torch.double) -> Tensor:
    return 3 + 2 * torch.randn(*shape, dtype=dtype, generator=generator(seed))


def test_statistics_are_means_and_variances_over_n():
    x = torch.tensor([[[[1.0, 3.0]], [[0.0, 0.0]]], [[[5.0, 7.0]], [[0.0, 8.0]]]])
    found = batch_statistics(x)
    assert found.mean.tolist() == [4, 2]
    assert found.variance.tolist() == [5, 12]
    both = found.beside(Statistics(torch.tensor([9.0]), torch.tensor([1.0])))
    assert [each.tolist() for each in both] == [[4, 2, 9], [5, 12, 1]]


@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_told_is_as_measured(momentum, layout):
    told, plain = ToldBatchNorm2d(3, momentum=momentum).double(), nn.BatchNorm2d(3, momentum=momentum).double()
    for norm in (told, plain):
        with torch.no_grad():
            norm.weight.copy_(torch.tensor([1.0, -2.0, 0.5]))
            norm.bias.copy_(torch.tensor([0.0, 1.0, 2.0]))
    results = []
    for norm in (told, plain):
        for step in range(2):
            x = pictures(4, 3, 5, 6, seed=step).contiguous(memory_format=layout).requires_grad_()
            if norm is told:
                norm.told = batch_statistics(x)
            y = norm(x)
            (y.sin() * pictures(4, 3, 5, 6, seed=9)).sum().backward()
        results.append((y.detach(), x.grad, norm.weight.grad, norm.bias.grad, norm.state_dict()))
    torch.testing.assert_close(results[0], results[1])


def test_statistics_are_used_once_and_in_training_alone():
    norm = ToldBatchNorm2d(2)
    x = pictures(2, 2, 3, 3, dtype=torch.float32)
    wrong = Statistics(torch.zeros(2), torch.ones(2))
    norm.told = wrong
    assert torch.allclose(norm(x), x, atol=1e-3)  # by what it was told
    torch.testing.assert_close(norm(x), nn.BatchNorm2d(2)(x))  # by what it measured
    norm.eval().told = Statistics(torch.full((2,), 99.0), torch.ones(2))
    assert norm(x).abs().max() < 50
    assert norm.told is None


def test_frozen_weights_get_no_gradient():
    norm = ToldBatchNorm2d(2).requires_grad_(False)
    x = pictures(2, 2, 3, 3, dtype=torch.float32).requires_grad_()
    norm.told = batch_statistics(x)
    norm(x).square().sum().backward()
    assert norm.weight.grad is None
    assert x.grad is not None


def test_a_second_derivative_is_refused_rather_than_wrong():
    norm = ToldBatchNorm2d(2)
    x = pictures(2, 2, 3, 3, dtype=torch.float32).requires_grad_()
    norm.told = batch_statistics(x)
    (gradient,) = torch.autograd.grad(norm(x).pow(3).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


def test_where_telling_is_worth_it():
    many = torch.zeros(PIXELS, 3, 1, 1)
    assert worth_telling(many)
    assert not worth_telling(many[1:])
    assert not worth_telling(many.bfloat16())
    assert not worth_telling(many.to("meta"))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not worth_telling(many)


@pytest.mark.parametrize("frozen", [False, True])
def test_a_dense_block_that_tells_is_one_that_measures(monkeypatch, frozen):
    block = DenseBlock(4, 3, 2).double().train()
    other = copy.deepcopy(block)
    results = []
    for each in (block, other):
        if frozen:
            each.denselayer2.norm1.eval()
        tells = each is block
        monkeypatch.setattr("neocog.nn.dense.worth_telling", lambda _, tells=tells: tells)
        x = pictures(3, 4, 5, 5).requires_grad_()
        y = each(x)
        y.sin().sum().backward()
        results.append((y.detach(), x.grad, [weight.grad for weight in each.parameters()], each.state_dict()))
    torch.testing.assert_close(results[0], results[1])


def test_a_block_with_single_numbers_is_refused_as_by_torch():
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        DenseBlock(4, 2, 2).train()(torch.zeros(1, 4, 1, 1))


def test_other_norms_in_a_block_measure_for_themselves(monkeypatch):
    monkeypatch.setattr("neocog.nn.dense.worth_telling", lambda _: True)
    block = DenseBlock(4, 2, 2).train()
    block.denselayer2.norm1 = nn.GroupNorm(2, 6)
    assert block(pictures(2, 4, 3, 3, dtype=torch.float32)).shape == (2, 8, 3, 3)
