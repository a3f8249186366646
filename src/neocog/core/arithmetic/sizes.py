"""How long an axis is after a convolution, a pooling or a transposed convolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from neocog.core.errors import NetworkError

Padding = int | Literal["valid", "same", "full"]


def extent(kernel: int, dilation: int = 1) -> int:
    """Returns how many inputs a kernel spans, from its first to its last tap: D (K - 1) + 1."""
    return dilation * (kernel - 1) + 1


def same_padding(size: int, kernel: int, stride: int = 1, dilation: int = 1) -> tuple[int, int]:
    """Returns the zeros before and after that make the output ceil(size / stride); an odd one goes after."""
    total = max((-(-size // stride) - 1) * stride + extent(kernel, dilation) - size, 0)
    return total // 2, total - total // 2


def padding_of(padding: Padding, size: int, kernel: int, stride: int = 1, dilation: int = 1) -> tuple[int, int]:
    """Returns the zeros before and after the axis that a padding given as a number or a name stands for.

    ``"valid"`` is none, ``"same"`` keeps the size at stride 1, ``"full"`` lets the kernel overlap by a single tap.

    Raises NetworkError for another name and for a negative number.
    """
    if padding == "same":
        return same_padding(size, kernel, stride, dilation)
    named = {"valid": 0, "full": extent(kernel, dilation) - 1}
    each = named.get(padding, -1) if isinstance(padding, str) else padding
    if each < 0:
        raise NetworkError(f"padding should be 0 or more, or one of valid, same, full; got {padding!r}.")
    return each, each


def output_size(
    size: int, kernel: int, stride: int = 1, padding: Padding = 0, dilation: int = 1, *, ceil: bool = False
) -> int:
    """Returns the length of an axis after a convolution or a pooling.

    With ``ceil`` a last window may hang over the end, as long as it begins inside the input or the zeros before it
    (Caffe's pooling, which GoogLeNet needs); on a short axis that is the only one.

    Raises NetworkError when not a single window fits, or when a number is impossible.
    """
    _positive(size=size, kernel=kernel, stride=stride, dilation=dilation)
    before, after = padding_of(padding, size, kernel, stride, dilation)
    over = stride - 1 if ceil else 0
    room = size + before + after + over - extent(kernel, dilation)
    if room < 0:
        raise NetworkError(
            f"a kernel that spans {extent(kernel, dilation)} does not fit an axis of {size} padded by {before} + "
            f"{after}; give an input of at least {size - room}."
        )
    windows = room // stride + 1
    return windows - 1 if ceil and (windows - 1) * stride >= size + before else windows


def transposed_output_size(
    size: int, kernel: int, stride: int = 1, padding: int = 0, output_padding: int = 0, dilation: int = 1
) -> int:
    """Returns the length of an axis after a transposed convolution: (I - 1) S - 2 P + D (K - 1) + 1 + output padding.

    Raises NetworkError when nothing is left, or when a number is impossible.
    """
    _positive(size=size, kernel=kernel, stride=stride, dilation=dilation)
    result = (size - 1) * stride - 2 * padding + extent(kernel, dilation) + output_padding
    if result < 1:
        raise NetworkError(f"a transposed convolution that pads by {padding} leaves nothing of an axis of {size}.")
    return result


def output_shape(
    shape: Sequence[int],
    kernel: int | Sequence[int],
    stride: int | Sequence[int] = 1,
    padding: Padding | Sequence[Padding] = 0,
    dilation: int | Sequence[int] = 1,
    *,
    ceil: bool = False,
) -> tuple[int, ...]:
    """Returns the lengths of all axes after a convolution or a pooling; each setting is for all axes or one an axis.

    Raises NetworkError as `output_size` does, and when a setting has another number of axes than ``shape``.
    """
    settings = (each_axis(setting, len(shape)) for setting in (kernel, stride, padding, dilation))
    return tuple(output_size(*axis, ceil=ceil) for axis in zip(shape, *settings, strict=True))


def transposed_output_shape(
    shape: Sequence[int],
    kernel: int | Sequence[int],
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
) -> tuple[int, ...]:
    """Returns the lengths of all axes after a transposed convolution; each setting is for all axes or one an axis.

    Raises NetworkError as `transposed_output_size` does, and when a setting has another number of axes than ``shape``.
    """
    settings = (each_axis(setting, len(shape)) for setting in (kernel, stride, padding, output_padding, dilation))
    return tuple(transposed_output_size(*axis) for axis in zip(shape, *settings, strict=True))


def each_axis(setting: Any, axes: int) -> tuple[Any, ...]:
    """Returns a layer's setting for each axis, whether it was given once or axis by axis.

    Raises NetworkError when it was given for another number of axes.
    """
    if isinstance(setting, str) or not isinstance(setting, Sequence):
        return (setting,) * axes
    if len(setting) != axes:
        raise NetworkError(f"a setting should be one number, or one for each of {axes} axes; got {tuple(setting)}.")
    return tuple(setting)


def _positive(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise NetworkError(f"{name} should be 1 or more, got {number}.")
