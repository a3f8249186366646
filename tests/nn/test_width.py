"""The width multiplier: to the nearest eight, and never a tenth narrower."""

from __future__ import annotations

import pytest

from neocog.nn.width import scaled_width


@pytest.mark.parametrize(
    ("maps", "multiplier", "expected"),
    [
        (32, 1.0, 32),
        (32, 1.4, 48),  # 44.8 lies nearer to 48
        (24, 1.4, 32),  # 33.6
        (96, 1.4, 136),  # 134.4
        (24, 0.5, 16),  # 12 lies half way, and goes up
        (16, 0.5, 8),
        (40, 1.1, 48),  # 44 goes up
        (8, 0.1, 8),  # never less than eight
        (16, 1.15, 24),  # 18.4 would be 16, a tenth too few: 16 < 0.9 x 18.4
    ],
)
def test_widths_by_hand(maps: int, multiplier: float, expected: int) -> None:
    assert scaled_width(maps, multiplier) == expected


@pytest.mark.parametrize("multiplier", [0.25, 0.35, 0.5, 0.75, 1.0, 1.1, 1.2, 1.4])
def test_widths_are_multiples_near_the_exact_ones(multiplier: float) -> None:
    for maps in range(8, 1281, 8):
        width = scaled_width(maps, multiplier)
        assert width % 8 == 0
        assert width == 8 or 0.9 * maps * multiplier <= width <= maps * multiplier + 8
