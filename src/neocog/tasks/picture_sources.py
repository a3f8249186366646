"""Where a run's pictures come from: small ones and evaluation parts are held in memory, photographs read."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from neocog.core.errors import UnreadableInput
from neocog.core.recipe import Augmentation
from neocog.data.dataset import Part
from neocog.data.decode import Picture
from neocog.data.items import ArrayItems
from neocog.data.preprocess import PicturePreprocessing
from neocog.data.resize import prepare
from neocog.data.scan import in_threads
from neocog.data.sources import NO_AUGMENTATION, ArrayPictures, FilePictures, array_pictures

HELD_BYTES = 1 << 30
MEASURED = 1024


def training_source(
    part: Part[Picture], numbers: PicturePreprocessing, augmentation: Augmentation, *, small: bool, workers: int | None
) -> ArrayPictures | FilePictures:
    """Returns the training pictures: held when they are small, else decoded and cropped anew at each step.

    A held picture is augmented at the network's size; a photograph's random crop is cut from its full resolution.
    """
    if small and fits(len(part), numbers):
        return held(part, numbers, augmentation, workers=workers)
    return FilePictures(part, numbers, augmentation)


def plain_source(
    part: Part[Picture], numbers: PicturePreprocessing, *, keep: bool, workers: int | None
) -> ArrayPictures | FilePictures:
    """Returns pictures without augmentation; with ``keep`` held if they fit, since evaluation asks for them often."""
    return held(part, numbers, workers=workers) if keep and fits(len(part), numbers) else FilePictures(part, numbers)


def fits(count: int, numbers: PicturePreprocessing) -> bool:
    """Returns whether so many preprocessed pictures stay below a gibibyte."""
    return count * numbers.channels * math.prod(numbers.size) <= HELD_BYTES


def held(
    part: Part[Picture],
    numbers: PicturePreprocessing,
    augmentation: Augmentation = NO_AUGMENTATION,
    *,
    workers: int | None = None,
) -> ArrayPictures:
    """Preprocesses a whole part into one uint8 tensor (N, C, h, w)."""
    if isinstance(part.items, ArrayItems):
        return array_pictures(part, numbers, augmentation)
    return ArrayPictures(_stacked(part, numbers, workers), part.labels, augmentation)


def mean_and_std(part: Part[Picture], numbers: PicturePreprocessing) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns mean and standard deviation of each channel, in [0, 1], over up to 1024 preprocessed training pictures.

    A channel without any variation gets a standard deviation of 1, since there is nothing to scale.
    """
    step = max(1, len(part) // MEASURED)
    some = part.subset(range(0, len(part), step))
    values = _stacked(some, numbers).double().div_(255)  # (N, C, h, w)
    deviation, mean = torch.std_mean(values, dim=(0, 2, 3), correction=0)
    plain = [round(float(value), 6) for value in deviation]
    return tuple(round(float(value), 6) for value in mean), tuple(value if value > 1e-3 else 1.0 for value in plain)


def _stacked(part: Part[Picture], numbers: PicturePreprocessing, workers: int | None = None) -> Tensor:
    """Returns every picture of a part as uint8 (N, C, h, w); raises UnreadableInput with the sample's name."""
    stack = torch.empty(len(part), numbers.channels, *numbers.size, dtype=torch.uint8)

    def fill(place: int) -> None:
        try:
            stack[place] = prepare(part.items.read(place), numbers)
        except UnreadableInput as error:
            raise UnreadableInput(f"{part.items.name(place)}: {error}") from error

    in_threads(fill, range(len(part)), workers)
    return stack
