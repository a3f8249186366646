"""The arithmetic of convolution in whole numbers: output sizes, receptive fields, parameters, multiply-accumulates.

Everything here is for one axis or for a count, so that the same few functions serve sound (1-D), pictures (2-D) and
volumes (3-D).  The courses' formula O = (I - K + 2 P) / S + 1 is `output_size`; dilation D replaces K by D (K - 1) + 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

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
    (Caffe's pooling, which GoogLeNet needs).

    Raises NetworkError when not a single window fits, or when a number is impossible.
    """
    _positive(size=size, kernel=kernel, stride=stride, dilation=dilation)
    before, after = padding_of(padding, size, kernel, stride, dilation)
    room = size + before + after - extent(kernel, dilation)
    if room < 0:
        raise NetworkError(
            f"a kernel that spans {extent(kernel, dilation)} does not fit an axis of {size} padded by {before} + "
            f"{after}; give an input of at least {extent(kernel, dilation) - before - after}."
        )
    windows = (-(-room // stride) if ceil else room // stride) + 1
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


@dataclass(frozen=True)
class Window:
    """What a layer looks at along one axis: ``kernel`` taps ``dilation`` apart, every ``stride`` inputs.

    ``before`` is the number of zeros in front of the first input.
    """

    kernel: int
    stride: int = 1
    before: int = 0
    dilation: int = 1


@dataclass(frozen=True)
class Field:
    """The inputs that one unit can see along one axis (its theoretical receptive field).

    Unit i sees the inputs ``start + i * jump`` to ``start + i * jump + size - 1``; where these numbers leave the
    picture, the unit sees zeros of padding.
    """

    size: int = 1
    jump: int = 1
    start: int = 0

    @property
    def centre(self) -> float:
        """The centre of the first unit's field, in coordinates in which the first input is the interval [0, 1]."""
        return self.start + self.size / 2

    def through(self, window: Window) -> Field:
        """Returns the field of a unit one layer further up."""
        return Field(
            self.size + (extent(window.kernel, window.dilation) - 1) * self.jump,
            self.jump * window.stride,
            self.start - window.before * self.jump,
        )

    def over(self, units: int) -> Field:
        """Returns the field of a unit that sees ``units`` neighbouring ones: a global pooling or a dense layer."""
        return self.through(Window(units, units))

    def joined(self, other: Field) -> Field | None:
        """Returns the smallest field that holds both, for branches that are added or concatenated.

        None when their units lie differently far apart, so that no one field describes them.
        """
        if self.jump != other.jump:
            return None
        start = min(self.start, other.start)
        end = max(self.start + self.size, other.start + other.size)
        return Field(end - start, self.jump, start)


def receptive_field(windows: Iterable[Window]) -> Field:
    """Returns the receptive field of a unit on top of a chain of layers, the first layer first."""
    field = Field()
    for window in windows:
        field = field.through(window)
    return field


def size_through(size: int, windows: Sequence[Window]) -> int:
    """Returns the length that is left of an axis after a chain of layers without padding.

    Raises NetworkError when the axis is shorter than the chain's receptive field, which is the least that it takes.
    """
    needed = receptive_field(windows).size
    if size < needed:
        raise NetworkError(f"the layers need an input of at least {needed} a side, got {size}; give a larger size.")
    for window in windows:
        size = output_size(size, window.kernel, window.stride, 0, window.dilation)
    return size


def inputs_seen(windows: Sequence[Window]) -> tuple[int, ...]:
    """Returns the positions of the inputs that the first unit on top of a chain really touches, ascending.

    Dilated layers can leave holes in a field ("gridding"): dilations 2 and 2 span nine inputs and touch five.
    """
    units = {0}
    for window in reversed(windows):
        units = {
            unit * window.stride - window.before + tap * window.dilation
            for unit in units
            for tap in range(window.kernel)
        }
    return tuple(sorted(units))


def convolution_parameters(
    inputs: int, outputs: int, kernel: Sequence[int], *, groups: int = 1, bias: bool = True
) -> int:
    """Returns the number of weights of a convolution: outputs x (kernel x inputs / groups), and a bias an output map.

    Raises NetworkError when the groups divide the maps unevenly.
    """
    if inputs % groups or outputs % groups:
        raise NetworkError(f"{groups} groups do not divide {inputs} input maps and {outputs} output maps evenly.")
    return outputs * prod(kernel) * (inputs // groups) + (outputs if bias else 0)


def convolution_macs(
    inputs: int, outputs: int, kernel: Sequence[int], output_shape: Sequence[int], *, groups: int = 1
) -> int:
    """Returns the multiply-accumulates of a convolution: its weights, without biases, at every output position."""
    weights = convolution_parameters(inputs, outputs, kernel, groups=groups, bias=False)
    return weights * prod(output_shape)


def dense_parameters(inputs: int, outputs: int, *, bias: bool = True) -> int:
    """Returns the number of weights of a dense layer."""
    return outputs * inputs + (outputs if bias else 0)


def dense_macs(inputs: int, outputs: int) -> int:
    """Returns the multiply-accumulates of a dense layer for one sample."""
    return outputs * inputs


def _positive(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise NetworkError(f"{name} should be 1 or more, got {number}.")
