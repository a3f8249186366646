"""Predicting for pictures: every kind of picture a user may hold, through the model file's preprocessing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn

from neocog.core.errors import UnreadableInput
from neocog.core.outputs import primary
from neocog.core.task import Inputs
from neocog.data.decode import DAMAGE, from_array
from neocog.data.modes import to_channels
from neocog.data.preprocess import PicturePreprocessing
from neocog.data.resize import normalise, prepare, preprocess
from neocog.tasks.prediction import Answer, ranked


@dataclass(frozen=True)
class PicturePredictor:
    """`neocog.tasks.prediction.Predictor` for pictures.

    A picture may be a path, a file's bytes, a Pillow image, a uint8 array (H, W) or (H, W, 1|3), or a uint8 tensor
    (C, H, W). Floats are refused: whether they were already normalised cannot be known.
    """

    preprocessing: PicturePreprocessing
    instant: ClassVar[bool] = False
    # The maps of a small batch stay in a core's cache: in batches of 16 EfficientNet-Lite0 takes less than half the
    # time that a picture takes in batches of 64.
    batches: ClassVar[tuple[int, int]] = (16, 128)

    @classmethod
    def from_contract(cls, contract: Mapping[str, Any]) -> PicturePredictor:
        """Returns the predictor that follows a model file's preprocessing; raises TypeError for unknown numbers."""
        return cls(PicturePreprocessing.from_contract(dict(contract)))

    def singles(self, inputs: Any) -> Iterable[Any]:
        """Returns the pictures one by one; a stack is an array (N, H, W[, C]) or a tensor (N, C, H, W)."""
        if isinstance(inputs, np.ndarray):
            one = inputs.ndim < 3 or (inputs.ndim == 3 and inputs.shape[2] in (1, 3))
            return [inputs] if one else inputs
        if isinstance(inputs, Tensor):
            return inputs if inputs.dim() == 4 else [inputs]
        single = isinstance(inputs, (str, bytes, Path, Image.Image))
        return [inputs] if single else inputs

    def read(self, raw: Any) -> Tensor:
        """Returns a picture as uint8 (C, height, width) of the model's input size.

        Raises UnreadableInput.
        """
        if isinstance(raw, (str, Path)):
            raw = _file_bytes(Path(raw))
        if isinstance(raw, (bytes, np.ndarray)):
            return prepare(raw, self.preprocessing)
        if isinstance(raw, Image.Image):
            return preprocess(self._from_pillow(raw), self.preprocessing)
        if isinstance(raw, Tensor):
            return preprocess(_from_tensor(raw, self.preprocessing.channels), self.preprocessing)
        raise UnreadableInput(f"expected a path, bytes, a Pillow image, an array or a tensor, got {type(raw).__name__}")

    def collate(self, samples: Sequence[Tensor]) -> Tensor:
        """Returns uint8 (B, C, H, W)."""
        return torch.stack(list(samples))

    def outputs(self, network: nn.Module, inputs: Inputs) -> Tensor:
        """Returns log-probabilities (B, K) for uint8 (B, C, H, W), with the mirror image's where the model says so."""
        if not isinstance(inputs, Tensor):
            raise TypeError(f"expected one tensor of pictures, got {len(inputs)}")
        pictures = normalise(inputs, self.preprocessing).contiguous(memory_format=torch.channels_last)
        return log_probabilities(network, pictures, self.preprocessing.flip_average).cpu()

    def nothing(self, classes: int) -> Tensor:
        """Returns the log-probabilities (0, K) of no samples."""
        return torch.empty(0, classes)

    def answers(self, outputs: Tensor, classes: Sequence[str], top: int) -> list[Answer]:
        """Returns the most probable classes of each picture."""
        return ranked(outputs, classes, top)

    def _from_pillow(self, image: Image.Image) -> Tensor:
        """Returns an image as uint8 (C, H, W); the image itself stays as it is."""
        pixels = image.width * image.height
        if pixels > self.preprocessing.max_pixels:
            raise UnreadableInput(f"{pixels:,} pixels are more than the {self.preprocessing.max_pixels:,} allowed")
        try:
            image = image.copy()  # reads the pixels
            upright = ImageOps.exif_transpose(image) if self.preprocessing.exif else image
            return from_array(np.array(to_channels(upright, self.preprocessing.channels)), self.preprocessing.channels)
        except UnreadableInput:
            raise
        except DAMAGE as error:
            raise UnreadableInput(f"damaged: {str(error) or type(error).__name__}") from error


def log_probabilities(network: nn.Module, pictures: Tensor, flip_average: bool) -> Tensor:
    """Returns log-probabilities (B, K) for normalised pictures (B, C, H, W).

    With ``flip_average`` the probabilities of each picture and of its mirror image are averaged.
    """
    logs = primary(network(pictures)).float().log_softmax(1)  # (B, K)
    if not flip_average:
        return logs
    mirrored = primary(network(pictures.flip(-1))).float().log_softmax(1)
    return torch.logaddexp(logs, mirrored) - math.log(2)


def _file_bytes(path: Path) -> bytes:
    try:
        if path.exists() and not (path.is_file() or path.is_fifo()):
            raise UnreadableInput("expected a file, got a folder or device")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UnreadableInput("there is no such file") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UnreadableInput(f"cannot be read: {reason or error}") from error


def _from_tensor(picture: Tensor, channels: int) -> Tensor:
    if picture.dtype != torch.uint8 or picture.dim() != 3 or picture.shape[0] not in (1, 3):
        raise UnreadableInput(
            f"expected a uint8 tensor (1|3, height, width), got {picture.dtype} {tuple(picture.shape)}"
        )
    return from_array(picture.detach().cpu().permute(1, 2, 0).numpy(), channels)
