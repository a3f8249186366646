"""The data that a picture is compared with: patches that excite a channel, and the nearest pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from neocog.core.errors import DataError, UnreadableInput
from neocog.data.open import open_pictures
from neocog.report.overlay import in_colours
from neocog.report.sheet import Tile, short
from neocog.report.thumbnails import Pixels
from neocog.tasks.model import Model

PATCHES, NEIGHBOURS = 9, 6
BATCH = 16
# From here on the letters of the sheets have gaps: a class is then named by its number.
_NO_LETTERS = "\u0530"


class Reference:
    """Pictures of a data set as the model sees them, read when they are asked for.

    At most ``samples`` pictures, spread evenly over all parts, are looked at; what was found is kept for the next
    picture. ``statement`` says which data they are.
    """

    def __init__(self, model: Model, data: str | Path, *, root: str | Path | None, samples: int) -> None:
        self._model = model
        stored = open_pictures(data, root=root, for_training=False)
        every = [(part, place) for part in stored.parts.values() for place in range(len(part))]
        step = max(1, -(-len(every) // samples))
        self._chosen = every[::step]
        self._classes = stored.classes
        self._readable: list[int] = []
        self._records: dict[str, Any] = {}
        self._features: dict[str, Tensor] = {}
        taken = f"{len(self._chosen):,} of {len(every):,} pictures" if step > 1 else f"{len(every):,} pictures"
        self.statement = f"Out of {taken} of {stored.source}."

    def strongest(self, network: nn.Module, layer: str, channel: int) -> list[Tile]:
        """Returns the patches that excite a channel most, strongest first."""
        from neocog import explain

        if layer not in self._records:
            self._records[layer] = explain.strongest_activations(network, self._batches(), layer=layer, count=PATCHES)
        found = [each for each in self._records[layer] if each.channel == channel]
        return [Tile(self._patch(each), f"{short(each.value)} {self._label(each.sample)}") for each in found]

    def nearest(self, network: nn.Module, inputs: Tensor, layer: str) -> list[Tile]:
        """Returns the pictures whose features are nearest to those of the inputs (1, C, H, W), nearest first."""
        from neocog import explain

        if layer not in self._features:
            self._features[layer] = explain.features(network, self._batches(), layer=layer)
        rows = self._features[layer]
        asked = explain.features(network, [inputs], layer=layer)
        found = explain.nearest_neighbours(rows, asked, min(NEIGHBOURS, len(rows)))
        # The same picture in a batch of another size has features that differ by rounding.
        same = 1e-5 * float(asked.norm())
        pairs = zip(found.distances[0].tolist(), found.indices[0].tolist(), strict=True)
        return [
            Tile(self._pixels(row), f"{short(distance if distance > same else 0)}\n{self._label(row)}")
            for distance, row in pairs
        ]

    def _batches(self) -> Iterator[Tensor]:
        """Yields the pictures as the network takes them; unreadable ones are left out, and rows count the others."""
        self._readable = []
        held: list[Tensor] = []
        for place in range(len(self._chosen)):
            try:
                held.append(self._read(place))
            except UnreadableInput:
                continue
            self._readable.append(place)
            if len(held) == BATCH:
                yield self._inputs(held)
                held = []
        if held:
            yield self._inputs(held)
        if not self._readable:
            raise DataError(f"{self.statement} None of them could be read; `neocog check` names each fault.")

    def _read(self, place: int) -> Tensor:
        part, index = self._chosen[place]
        return self._model.predictor.read(part.items.read(index))

    def _inputs(self, samples: list[Tensor]) -> Tensor:
        return normalised(self._model, torch.stack(samples))

    def _pixels(self, row: int) -> Pixels:
        return in_colours(self._read(self._readable[row]).permute(1, 2, 0).contiguous().numpy())

    def _patch(self, record: Any) -> Pixels:
        pixels = self._pixels(record.sample)
        if record.box is None:  # what the unit sees is not known: the whole picture holds it
            return pixels
        rows, columns = record.box
        return pixels[rows.start : rows.stop, columns.start : columns.stop]

    def _label(self, row: int) -> str:
        part, index = self._chosen[self._readable[row]]
        name = self._classes[part.labels[index]]
        if any(letter >= _NO_LETTERS for letter in name):
            return f"class {part.labels[index]}"
        return name if len(name) <= 12 else f"{name[:11]}…"


def normalised(model: Model, pictures: Tensor) -> Tensor:
    """Returns uint8 pictures (B, C, H, W) as the model's network takes them, on its device."""
    from neocog.data.resize import normalise
    from neocog.tasks.picture_prediction import PicturePredictor

    if not isinstance(model.predictor, PicturePredictor):
        raise DataError(f"pictures can be looked at, the model's task is {model.contract.task!r}.")
    return normalise(pictures.to(model.device), model.predictor.preprocessing)
