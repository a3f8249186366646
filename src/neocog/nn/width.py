"""The width multiplier of mobile networks (Howard et al. 2017, arXiv:1704.04861, section 3.3)."""

from __future__ import annotations


def scaled_width(maps: int, multiplier: float, divisor: int = 8) -> int:
    """Returns ``maps * multiplier`` as the nearest multiple of ``divisor``, at least one of them, halves rounded up.

    Where rounding down would lose more than a tenth, it is rounded up (the authors' code of MobileNetV2 and
    EfficientNet).
    """
    exact = maps * multiplier
    rounded = max(divisor, int(exact + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * exact else rounded
