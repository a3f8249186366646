"""Maps that change places: by hand, in both memory orders, and with their gradients."""

from __future__ import annotations

import pytest
import torch

from neocog.core.errors import NetworkError
from neocog.nn.shuffle import ChannelShuffle, Interleave, Maps


def numbered(maps: int, first: int = 0) -> torch.Tensor:
    """Returns (2, maps, 2, 3): map i holds ``first + i`` at its first pixel of the first sample."""
    pixels = torch.arange(2 * 6.0).view(2, 1, 2, 3) * 100
    return pixels + torch.arange(first, first + maps).view(1, maps, 1, 1)


def order(maps: torch.Tensor) -> list[float]:
    return maps[0, :, 0, 0].tolist()


def test_groups_are_taken_in_turns() -> None:
    assert order(ChannelShuffle(6, 3)(numbered(6))) == [0, 2, 4, 1, 3, 5]
    assert order(ChannelShuffle(6, 2)(numbered(6))) == [0, 3, 1, 4, 2, 5]
    assert order(ChannelShuffle(4, 1)(numbered(4))) == [0, 1, 2, 3]


def test_branches_are_taken_in_turns() -> None:
    assert order(Interleave()(numbered(3), numbered(3, first=3))) == [0, 3, 1, 4, 2, 5]


def test_a_shuffle_by_the_other_factor_undoes_it() -> None:
    inputs = torch.randn(2, 12, 3, 5)
    assert torch.equal(ChannelShuffle(12, 4)(ChannelShuffle(12, 3)(inputs)), inputs)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("batch", [0, 1, 2])
def test_both_memory_orders_give_the_same_maps_and_gradients(layout: torch.memory_format, batch: int) -> None:
    first, second = torch.randn(batch, 4, 3, 5), torch.randn(batch, 4, 3, 5)
    expected = torch.stack((first, second), 2).flatten(1, 2)
    branches = [each.contiguous(memory_format=layout).requires_grad_() for each in (first, second)]
    got = Interleave()(*branches)
    assert torch.equal(got, expected)
    assert torch.equal(ChannelShuffle(8, 2)(torch.cat(branches, 1)), expected)
    weights = torch.randn_like(got)
    (got * weights).sum().backward()
    assert torch.equal(branches[0].grad, weights[:, 0::2])
    assert torch.equal(branches[1].grad, weights[:, 1::2])
    with torch.no_grad():
        assert torch.equal(Interleave()(*branches), expected)
        assert torch.equal(Interleave()(branches[0][:, :2], branches[1][:, 2:]), expected_halves(first, second))


def expected_halves(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    return torch.stack((first[:, :2], second[:, 2:]), 2).flatten(1, 2)


def test_parts_are_views() -> None:
    inputs = numbered(6)
    part = Maps(2, 5)(inputs)
    assert order(part) == [2, 3, 4]
    assert part.untyped_storage().data_ptr() == inputs.untyped_storage().data_ptr()


def test_groups_that_do_not_divide_the_maps_are_refused() -> None:
    with pytest.raises(NetworkError, match="4 groups do not divide 6 maps"):
        ChannelShuffle(6, 4)
