"""Which inputs a unit can see, axis by axis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from neocog.core.arithmetic.sizes import extent, output_size
from neocog.core.errors import NetworkError


@dataclass(frozen=True)
class Window:
    """What a layer looks at along one axis: ``kernel`` taps ``dilation`` apart, every ``stride`` inputs.

    ``before`` is the number of zeros in front of the first input.
    """

    kernel: int
    stride: int = 1
    before: int = 0
    dilation: int = 1

    def touched(self, unit: int) -> set[int]:
        """Returns the inputs under the taps of one unit; those outside the input are zeros of padding."""
        first = unit * self.stride - self.before
        return {first + tap * self.dilation for tap in range(self.kernel)}


@dataclass(frozen=True)
class TransposedWindow:
    """What a transposed convolution looks at: input j reaches the units ``j * stride - before + tap * dilation``.

    How many inputs a unit touches depends on the unit, so that no one field describes the layer.
    """

    kernel: int
    stride: int = 1
    before: int = 0
    dilation: int = 1

    def touched(self, unit: int) -> set[int]:
        """Returns the inputs that reach one unit, none if it lies between them all."""
        places = (unit + self.before - tap * self.dilation for tap in range(self.kernel))
        return {place // self.stride for place in places if place % self.stride == 0}


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

    def inside(self, unit: int, size: int) -> range:
        """Returns the part of a unit's field that lies inside an axis of ``size`` inputs.

        At the far border a unit can see less: where a strided layer leaves inputs over, what lies behind its last
        window is padding to the layers above (`inputs_seen` with ``sizes`` is exact).
        """
        first = self.start + unit * self.jump
        return range(min(max(first, 0), size), max(min(first + self.size, size), 0))

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


def inputs_seen(
    windows: Sequence[Window | TransposedWindow], unit: int = 0, sizes: Sequence[int] | None = None
) -> tuple[int, ...]:
    """Returns the positions of the inputs that a unit on top of a chain really touches, ascending.

    Dilated layers can leave holes in a field ("gridding"): dilations 2 and 2 span nine inputs and touch five.
    ``sizes`` are the lengths of the axis before each layer; given them, positions in the padding of any layer are left
    out, since zeros see nothing.
    """
    units = {unit}
    for number in reversed(range(len(windows))):
        units = set().union(*(windows[number].touched(each) for each in units))
        if sizes is not None:
            units = {each for each in units if 0 <= each < sizes[number]}
    return tuple(sorted(units))
