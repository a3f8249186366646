"""Which layer a method looks at when nobody says: found in the network's own table of layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor, nn

from neocog.core.errors import NetworkError
from neocog.core.layers import LayerRow, layer_table
from neocog.core.receptive import POINTWISE_LAYERS
from neocog.explain.layers import last_maps

# A unit shows parts of a picture when it sees at most this share of its side.
PART = 0.6
_ENDED = (nn.Hardtanh, nn.Hardsigmoid)  # ReLU6 is a Hardtanh


@dataclass(frozen=True)
class Layers:
    """The layers of a network that make maps of its input, in the order in which they run.

    ``maps`` are the activations behind its convolutions, or the convolutions where none follows; ``units`` the same but
    for activations that end at a highest value (ReLU6), before which they stop: there all strong units would be equally
    strong, and no gradient would pass. ``last`` is what
    `neocog.explain.layers.last_maps` finds; ``features`` the layer that the head sees; both None where there is none.
    ``side`` is the input's shorter side.
    """

    maps: tuple[LayerRow, ...]
    units: tuple[LayerRow, ...]
    last: str | None
    features: str | None
    side: int

    @property
    def first(self) -> str | None:
        """The first layer of maps."""
        return self.maps[0].name if self.maps else None

    @property
    def part(self) -> str | None:
        """The last layer whose units see a part of the input and not all of it."""
        seeing = [row for row in self.units if row.receptive_field and max(row.receptive_field) <= PART * self.side]
        activated = [row for row in seeing if not row.kind.startswith(("Conv", "BatchNorm"))]
        return (activated or seeing)[-1].name if seeing else self.first

    @property
    def depths(self) -> tuple[str, ...]:
        """The first, a middle and the last layer of maps."""
        middle = self.maps[len(self.maps) // 2].name if len(self.maps) > 2 else None
        return tuple(dict.fromkeys(name for name in (self.first, middle, self.last) if name))


def layers_of(network: nn.Module, inputs: Tensor) -> Layers:
    """Returns the layers of a network for inputs (1, C, H, W); raises NetworkError for such that it cannot take."""
    rows = _numbered(layer_table(network, inputs.shape[1:]))
    pointwise = {name for name, each in network.named_modules() if _passes(each)}
    convolutions = [place for place, row in enumerate(rows) if row.kernel and row.macs and _spread(row)]
    ended = {name for name, each in network.named_modules() if isinstance(each, _ENDED)}
    maps, units = (
        tuple({row.name: row for row in (_activated(rows, place, known) for place in convolutions)}.values())
        for known in (pointwise, pointwise - ended)
    )
    return Layers(maps, units, _last(network, inputs), _features(rows), min(inputs.shape[2:]))


def _numbered(rows: Sequence[LayerRow]) -> list[LayerRow]:
    """Gives each call of a layer that runs several times its own name, ``name@2``."""
    total = Counter(row.name for row in rows)
    calls: Counter[str] = Counter()
    result = []
    for row in rows:
        calls[row.name] += 1
        result.append(replace(row, name=f"{row.name}@{calls[row.name]}") if total[row.name] > 1 else row)
    return result


def _passes(module: nn.Module) -> bool:
    return isinstance(module, POINTWISE_LAYERS) or bool(getattr(module, "pointwise", False))


def _spread(row: LayerRow) -> bool:
    return len(row.output_shape) > 1 and max(row.output_shape[1:]) > 1


def _activated(rows: Sequence[LayerRow], place: int, pointwise: set[str]) -> LayerRow:
    """Returns the last of the norm and the activation that follow a convolution within its own block."""
    row = rows[place]
    owner = row.name.rpartition(".")[0]
    for after in rows[place + 1 : place + 3]:
        name = after.name.partition("@")[0]
        same = after.input_shape == row.output_shape == after.output_shape and name.rpartition(".")[0] == owner
        if not same or name not in pointwise:
            break
        row = replace(after, receptive_field=after.receptive_field or row.receptive_field)
    return row


def _last(network: nn.Module, inputs: Tensor) -> str | None:
    try:
        return last_maps(network, inputs)
    except NetworkError:  # a network without maps has none, and the methods that need some say so
        return None


def _features(rows: Sequence[LayerRow]) -> str | None:
    """Returns the layer whose output the last dense layer takes."""
    dense = [place for place, row in enumerate(rows) if row.macs and len(row.output_shape) == 1]
    if not dense:
        return None
    shape = rows[dense[-1]].input_shape
    before = [row for row in rows[: dense[-1]] if row.output_shape == shape and not row.kind.startswith("Dropout")]
    return before[-1].name if before else None
