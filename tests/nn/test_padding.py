"""Padding and batch norms by framework."""

from __future__ import annotations

import pytest
import torch

from neocog.core.errors import NetworkError
from neocog.nn.padding import way_of


def ones_through(padding: str, side: int) -> list[float]:
    layer = way_of(padding).convolution(1, 1, 3, 2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([1.0, 10.0, 100.0]).expand(1, 1, 3, 3))
        return layer(torch.ones(1, 1, side, side))[0, 0, 1].tolist()


def test_the_zero_of_an_even_side_lies_at_the_end_or_in_front() -> None:
    # Three rows of ones, each tap's digit shows whether it met a pixel: 3 x (1 + 10 + 100), or a part of that.
    assert ones_through("tensorflow", 6) == [333.0, 333.0, 33.0]
    assert ones_through("symmetric", 6) == [330.0, 333.0, 333.0]


def test_odd_sides_are_padded_alike() -> None:
    assert ones_through("tensorflow", 5) == ones_through("symmetric", 5) == [330.0, 333.0, 33.0]


def test_norms_go_with_the_padding() -> None:
    assert way_of("tensorflow").norm(4).eps == 1e-3
    assert way_of("symmetric").norm(4).eps == 1e-5


def test_another_word_is_refused() -> None:
    with pytest.raises(NetworkError, match=r"symmetric, tensorflow; got 'tensor'.*Did you mean tensorflow"):
        way_of("tensor")
