"""Branches, forks, auxiliary heads and the pools of the inception families, on small cases."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from neocog.core.outputs import WithAuxiliary
from neocog.core.randomness import generator
from neocog.core.receptive import receptive_fields
from neocog.nn.auxiliary import GridPool, WithHeads
from neocog.nn.branch_names import conv_names, indexed_names, with_norms
from neocog.nn.branches import Branches, Conv, Fork, branch_outputs, conv_bn_relu, conv_relu, outputs_of
from neocog.nn.fold import folded
from neocog.nn.same_pool import SameMaxPool2d

FORKED = ((Conv(2),), (Conv(3), Fork(Conv(4, (1, 3)), Conv(5, (3, 1)))), (lambda: nn.AvgPool2d(3, 1, 1), Conv(6)))


def test_maps_stand_in_the_order_of_the_branches():
    block = Branches(1, FORKED, conv_relu)
    inputs = torch.randn(2, 1, 4, 4, generator=generator(0))
    branch = block.branch2
    middle = branch.conv1_relu(branch.conv1(inputs))
    expected = [
        block.branch1(inputs),
        branch.fork.left(middle),
        branch.fork.right(middle),
        block.branch3.conv1_relu(block.branch3.conv1(functional.avg_pool2d(inputs, 3, 1, 1))),
    ]
    assert torch.equal(block(inputs), torch.cat(expected, 1))
    assert [each.shape[1] for each in expected] == [2, 4, 5, 6]
    assert outputs_of(1, FORKED) == 17


def test_a_fork_is_copied_once(monkeypatch):
    copies = []
    concatenate = torch.cat
    monkeypatch.setattr(torch, "cat", lambda *given: copies.append(1) or concatenate(*given))
    Branches(1, FORKED, conv_relu)(torch.zeros(1, 1, 4, 4))
    assert copies == [1]


def test_a_branch_of_pools_keeps_its_maps():
    assert branch_outputs(7, (nn.Identity,)) == 7


def test_kernels_are_padded_by_half_unless_valid():
    block = Branches(3, ((Conv(1, (1, 7)),), (Conv(1, 5),)), conv_relu)
    assert block(torch.zeros(1, 3, 9, 8)).shape == (1, 2, 9, 8)
    block = Branches(3, ((Conv(1, 3, 2, valid=True),), (lambda: nn.MaxPool2d(3, 2),)), conv_relu)
    assert block(torch.zeros(1, 3, 9, 8)).shape == (1, 4, 4, 3)


def test_branches_are_traced_for_their_receptive_fields():
    network = nn.Sequential(OrderedDict(block=Branches(1, FORKED, conv_relu), last=nn.Conv2d(17, 1, 1)))
    fields = receptive_fields(network, torch.zeros(0, 1, 9, 9))
    assert [field.size for field in fields["block.branch2.fork.left.conv"]] == [1, 3]
    assert [field.size for field in fields["last"]] == [3, 3]


def test_batch_norms_in_branches_and_forks_are_folded():
    block = Branches(1, FORKED, conv_bn_relu).eval()
    for module in block.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
    inputs = torch.randn(2, 1, 4, 4, generator=generator(0))
    quick = folded(block)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in quick.modules())
    with torch.inference_mode():
        assert torch.allclose(quick(inputs), block(inputs), atol=1e-5)


def test_names_of_convolutions():
    assert conv_names(FORKED) == [
        "branch1.conv1",
        *("branch2.conv1", "branch2.fork.left.conv", "branch2.fork.right.conv"),
        "branch3.conv1",
    ]
    assert all(name in dict(Branches(1, FORKED, conv_relu).named_modules()) for name in conv_names(FORKED))
    assert indexed_names(FORKED[::2]) == ["branch0", "branch1.1"]
    assert with_norms({"a": "b"}) == {"a.conv": "b", "a.bn": "b_bn"}


def chain_with_heads() -> WithHeads:
    return WithHeads(
        OrderedDict(first=nn.Linear(2, 2), aux1=nn.Linear(2, 3), second=nn.Linear(2, 2), head=nn.Linear(2, 3)),
        weight=0.5,
    )


def test_heads_branch_off_where_they_stand():
    network = chain_with_heads()
    inputs = torch.randn(4, 2, generator=generator(0))
    outputs = network(inputs)
    assert isinstance(outputs, WithAuxiliary)
    middle = network.first(inputs)
    assert torch.equal(outputs.auxiliary[0], network.aux1(middle))
    assert torch.equal(outputs.logits, network.head(network.second(middle)))
    assert outputs.weight == 0.5
    assert torch.equal(network.eval()(inputs), outputs.logits)


def test_a_chain_without_heads_gives_its_logits_in_training_too():
    network = WithHeads({"head": nn.Linear(2, 3)}, weight=0.3).train()
    assert network(torch.zeros(1, 2)).shape == (1, 3)


@pytest.mark.parametrize(
    ("size", "side", "kernel", "stride"), [(14, 4, 5, 3), (17, 5, 5, 3), (8, 4, 2, 2), (4, 4, 1, 1)]
)
def test_grid_pooling_is_the_published_pooling_at_the_published_size(size, side, kernel, stride):
    inputs = torch.randn(2, 3, size, size, generator=generator(0))
    assert torch.equal(GridPool(side)(inputs), functional.avg_pool2d(inputs, kernel, stride))


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 6))
def test_grid_pooling_gives_its_grid_and_keeps_a_constant(height, width, side):
    pooled = GridPool(side)(torch.full((1, 1, height, width), 2.5))
    assert pooled.shape == (1, 1, side, side)
    assert torch.allclose(pooled, torch.tensor(2.5))


@given(st.integers(1, 12), st.integers(1, 12), st.integers(2, 4), st.integers(2, 3))
def test_same_pooling_is_padding_by_the_formula_and_pooling(height, width, kernel, stride):
    if kernel < stride:  # pads nothing, and would leave inputs out
        return
    inputs = torch.randn(1, 2, height, width, generator=generator(height * 100 + width))
    out_height, out_width = -(-height // stride), -(-width // stride)
    down = max((out_height - 1) * stride + kernel - height, 0)
    across = max((out_width - 1) * stride + kernel - width, 0)
    padded = functional.pad(
        inputs, (across // 2, across - across // 2, down // 2, down - down // 2), value=-float("inf")
    )
    assert torch.equal(SameMaxPool2d(kernel, stride)(inputs), functional.max_pool2d(padded, kernel, stride))


def test_the_receptive_field_of_same_pooling():
    (field, _) = receptive_fields(nn.Sequential(SameMaxPool2d(3, 2)), torch.zeros(0, 1, 74, 74))["0"]
    assert (field.size, field.jump, field.start) == (3, 2, 0)
    (field, _) = receptive_fields(nn.Sequential(SameMaxPool2d(3, 2)), torch.zeros(0, 1, 147, 147))["0"]
    assert (field.size, field.jump, field.start) == (3, 2, -1)
