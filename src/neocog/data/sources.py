"""What a loader reads: picture files one by one, or a whole part held as one tensor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from threading import Lock

import torch
from torch import Tensor

from neocog.core.errors import UnreadableInput
from neocog.core.recipe import Augmentation
from neocog.core.task import Batch
from neocog.data.augment import CROP_DRAWS, crop_box
from neocog.data.dataset import Items, Part
from neocog.data.decode import Picture, from_array, open_picture
from neocog.data.items import ArrayItems
from neocog.data.preprocess import PicturePreprocessing
from neocog.data.resize import prepare, preprocess, resize

NO_AUGMENTATION = Augmentation()
MEMORY = 1 << 29


class FilePictures:
    """Pictures decoded each time they are asked for: batches of uint8 (B, C, h, w).

    Drawn for training, each is a random resized crop where the augmentation has one, else the preprocessed picture.
    Where no crop could be decoded at less than full size, the decoded picture is kept, up to ``memory`` bytes in all.
    ``remaining`` is the augmentation still to be done on the device. Raises UnreadableInput, with the sample's name.
    """

    instant = False

    def __init__(
        self,
        part: Part[Picture],
        preprocessing: PicturePreprocessing,
        augmentation: Augmentation = NO_AUGMENTATION,
        *,
        memory: int = MEMORY,
    ) -> None:
        self.items: Items[Picture] = part.items
        self.labels = torch.tensor(part.labels, dtype=torch.int64)
        self.preprocessing = preprocessing
        self.augmentation = augmentation
        self.remaining = replace(augmentation, crop_scale=None)
        self.draws = CROP_DRAWS if augmentation.crop_scale else 0
        self._memory = memory
        self._kept: dict[int, Tensor] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self.items)

    def load(self, indices: Tensor, uniform: Tensor | None = None) -> Batch:
        """Returns the samples at ``indices`` (B,); cropped by ``uniform`` (B, draws) where given."""
        rows = uniform.tolist() if uniform is not None else [None] * len(indices)
        pictures = [self._picture(int(index), row) for index, row in zip(indices.tolist(), rows, strict=True)]
        empty = torch.empty(0, self.preprocessing.channels, *self.preprocessing.size, dtype=torch.uint8)
        return Batch(torch.stack(pictures) if pictures else empty, self.labels[indices], indices)

    def _picture(self, index: int, uniform: Sequence[float] | None) -> Tensor:
        try:
            if uniform is None:
                return prepare(self.items.read(index), self.preprocessing)
            return self._crop(index, uniform)
        except UnreadableInput as error:
            raise UnreadableInput(f"{self.items.name(index)}: {error}") from error

    def _crop(self, index: int, uniform: Sequence[float]) -> Tensor:
        """Cuts the box out of the picture as decoded for that box: a small box needs more of the file's resolution."""
        numbers = self.preprocessing
        whole = self._kept.get(index)
        raw = self.items.read(index) if whole is None else b""
        if whole is None and not isinstance(raw, bytes):
            whole = from_array(raw, numbers.channels)
        if whole is not None:
            return self._cut(whole, crop_box(whole.shape[-2], whole.shape[-1], self.augmentation, uniform))
        assert isinstance(raw, bytes)
        opened = open_picture(raw, exif=numbers.exif, max_pixels=numbers.max_pixels)
        box = crop_box(opened.height, opened.width, self.augmentation, uniform)
        scale = opened.scale(min(box[2] / numbers.size[0], box[3] / numbers.size[1]))
        picture = opened.pixels(numbers.channels, scale)
        if opened.scale(max(opened.height / numbers.size[0], opened.width / numbers.size[1])) == 1:
            self._keep(index, picture)  # no box of it is ever decoded smaller, so what is kept is what would be read
        return self._cut(picture, tuple(round(length / scale) for length in box))

    def _cut(self, picture: Tensor, box: tuple[int, ...]) -> Tensor:
        top, left, height, width = box
        cut = picture[:, top : top + height, left : left + width]
        return resize(cut, self.preprocessing.size, self.preprocessing.filter)

    def _keep(self, index: int, picture: Tensor) -> None:
        with self._lock:
            size = picture.untyped_storage().nbytes()
            if size <= self._memory and index not in self._kept:
                self._memory -= size
                self._kept[index] = picture


class ArrayPictures:
    """A part held whole, already preprocessed, as uint8 (N, C, h, w); a batch is a slice of it."""

    instant = True
    draws = 0

    def __init__(self, pictures: Tensor, labels: Sequence[int], augmentation: Augmentation = NO_AUGMENTATION) -> None:
        self.pictures = pictures
        self.labels = torch.tensor(labels, dtype=torch.int64)
        self.remaining = augmentation

    def __len__(self) -> int:
        return len(self.labels)

    def load(self, indices: Tensor, uniform: Tensor | None = None) -> Batch:
        """Returns the samples at ``indices`` (B,); nothing random happens here."""
        del uniform
        return Batch(self.pictures.index_select(0, indices), self.labels.index_select(0, indices), indices)


def array_pictures(
    part: Part[Picture], preprocessing: PicturePreprocessing, augmentation: Augmentation = NO_AUGMENTATION
) -> ArrayPictures:
    """Preprocesses a part of array rows all at once.

    Raises UnreadableInput where the part is not made of array rows.
    """
    if not isinstance(part.items, ArrayItems):
        raise UnreadableInput("only a part of array rows can be held whole")
    stored = torch.from_numpy(part.items.array)
    stored = (stored.unsqueeze(-1) if stored.dim() == 3 else stored).permute(0, 3, 1, 2)  # (N, C, H, W)
    whole = torch.empty(len(stored), preprocessing.channels, *preprocessing.size, dtype=torch.uint8)
    for start in range(0, len(stored), 1024):
        whole[start : start + 1024] = preprocess(stored[start : start + 1024], preprocessing)
    return ArrayPictures(whole, part.labels, augmentation)
