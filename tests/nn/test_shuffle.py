"""Maps that change places: by hand, in both memory orders, and with their gradients."""

from __future__ import annotations

import pytest
import torch

from neocog.core.errors import NetworkError
from neocog.nn.shuffle import ChannelShuffle, Halves, Interleave


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
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("batch", [0, 1, 2])
def test_every_memory_order_gives_the_same_maps_and_gradients(layout, dtype, batch) -> None:
    whole, second = torch.randn(batch, 8, 3, 5, dtype=dtype), torch.randn(batch, 4, 3, 5, dtype=dtype)
    whole, second = (each.contiguous(memory_format=layout).requires_grad_() for each in (whole, second))
    expected = torch.stack((whole[:, :4], second), 2).flatten(1, 2)
    got = Interleave()(Halves()(whole)[0], second)
    assert torch.equal(got, expected)
    assert batch == 0 or got.is_contiguous(memory_format=layout)
    assert torch.equal(ChannelShuffle(8, 2)(torch.cat((whole[:, :4], second), 1)), expected)
    weights = torch.randn_like(got)
    (got * weights).sum().backward()
    assert torch.equal(whole.grad[:, :4], weights[:, 0::2])
    assert not whole.grad[:, 4:].any()
    assert torch.equal(second.grad, weights[:, 1::2])
    with torch.inference_mode():
        assert torch.equal(Interleave()(whole[:, :4], second), expected)


def test_halves_are_views() -> None:
    inputs = numbered(6)
    first, second = Halves()(inputs)
    assert (order(first), order(second)) == ([0, 1, 2], [3, 4, 5])
    assert second.untyped_storage().data_ptr() == inputs.untyped_storage().data_ptr()


def test_groups_that_do_not_divide_the_maps_are_refused() -> None:
    with pytest.raises(NetworkError, match="4 groups do not divide 6 maps"):
        ChannelShuffle(6, 4)
