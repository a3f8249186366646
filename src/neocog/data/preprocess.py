"""The preprocessing of pictures as numbers: what evaluation uses, and the model file carries to everyone else."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Filter = Literal["bilinear", "bicubic", "nearest"]


@dataclass(frozen=True)
class PicturePreprocessing:
    """From a decoded picture to the network's input.

    ``size`` (height, width) of the input; ``resize`` the length that the picture's short side gets before the centre
    crop of ``size`` (0: the whole picture is stretched to ``size``); ``filter`` antialiased when shrinking;
    ``mean`` and ``std`` a channel, for values scaled to [0, 1], one value a channel; ``channels`` 1 (ITU-R 601 luma)
    or 3; ``exif`` whether the camera's orientation is applied; ``flip_average`` whether predictions average the
    probabilities of the picture and its mirror image; ``pad`` pixels added on each side
    after resizing, of value ``fill`` (0 to 255; None: the mean).
    """

    size: tuple[int, int]
    resize: int
    filter: Filter
    mean: tuple[float, ...]
    std: tuple[float, ...]
    channels: int
    pad: int = 0
    fill: int | None = None
    exif: bool = True
    flip_average: bool = False
    max_pixels: int = 178_956_970

    def to_contract(self) -> dict[str, Any]:
        """Returns the numbers as plain JSON values, for the model file's header."""
        numbers = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}
        return {"kind": "picture", **numbers}

    @classmethod
    def from_contract(cls, contract: dict[str, Any]) -> PicturePreprocessing:
        """Reads what `to_contract` wrote."""
        numbers: dict[str, Any] = {}
        for key, value in contract.items():
            numbers[key] = tuple(value) if isinstance(value, list) else value
        numbers.pop("kind", None)
        return cls(**numbers)
