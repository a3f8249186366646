"""From a picture to the network's input: geometry on uint8, then normalisation; there is no other way.

Evaluation in training, `test` and `predict` all come here.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from neocog.data.decode import Picture, from_array, open_picture, with_channels
from neocog.data.preprocess import Filter, PicturePreprocessing


def prepare(raw: Picture, preprocessing: PicturePreprocessing) -> Tensor:
    """Decodes and preprocesses one stored picture: uint8 (C, h, w), a large JPEG at a fraction of its size.

    Raises UnreadableInput.
    """
    if not isinstance(raw, bytes):
        return preprocess(from_array(raw, preprocessing.channels), preprocessing)
    opened = open_picture(raw, exif=preprocessing.exif, max_pixels=preprocessing.max_pixels)
    target = resized_size(opened.height, opened.width, preprocessing)
    scale = opened.scale(min(opened.height / target[0], opened.width / target[1]))
    picture = opened.pixels(preprocessing.channels, scale)
    extent = opened.height / scale, opened.width / scale
    return _fit(resize(picture, target, preprocessing.filter, extent), preprocessing)


def preprocess(picture: Tensor, preprocessing: PicturePreprocessing) -> Tensor:
    """Resizes, crops and pads a uint8 picture (C, H, W), or a stack (N, C, H, W) of one size, to ``size``; stays uint8.

    The picture is resized (short side, or stretched where ``resize`` is 0), its centre cut to ``size`` less the
    padding, and ``pad`` pixels of ``fill`` are put around; a picture that is still too small is padded with it, too.
    """
    picture = with_channels(picture, preprocessing.channels)
    height, width = picture.shape[-2:]
    target = resized_size(height, width, preprocessing)
    return _fit(resize(picture, target, preprocessing.filter), preprocessing)


def normalise(batch: Tensor, preprocessing: PicturePreprocessing) -> Tensor:
    """Returns float32 (B, C, H, W): ``(batch / 255 - mean) / std`` for a batch of uint8, or of floats in 0 to 255.

    Element by element, so that a picture's values do not depend on what else is in its batch.
    """
    mean = torch.tensor(preprocessing.mean, device=batch.device).mul_(255).view(-1, 1, 1)
    scale = torch.tensor(preprocessing.std, device=batch.device).mul_(255).reciprocal_().view(-1, 1, 1)
    return batch.to(torch.float32).sub(mean).mul_(scale)


def resize(picture: Tensor, size: tuple[int, int], filter: Filter, extent: tuple[float, float] | None = None) -> Tensor:
    """Resizes uint8 (C, H, W) or (N, C, H, W) to ``size`` (height, width); antialiased unless ``filter`` is nearest.

    ``extent`` is how many rows and columns of the picture are true, where its last ones are only partly so: a JPEG of
    1499 rows decoded at 1/4 has 374.75 of them in 375.
    """
    height, width = picture.shape[-2:]
    if (height, width) == tuple(size) and extent in (None, (height, width)):
        return picture
    stack = picture if picture.dim() == 4 else picture.unsqueeze(0)
    if filter == "nearest":
        resized = functional.interpolate(stack, size=size, mode="nearest-exact")
    else:
        resized = _antialiased(_channels_last(stack), size, filter, extent)[:, : stack.shape[1]]
    return resized if picture.dim() == 4 else resized.squeeze(0)


def _channels_last(stack: Tensor) -> Tensor:
    """Returns colours in the memory order that torch's uint8 kernel is quickest on, Pillow's fourth byte included."""
    if stack.shape[1] != 3:
        return stack
    if stack.stride(1) == 1 and stack.stride(3) == 4:
        return stack.as_strided((stack.shape[0], 4, *stack.shape[2:]), stack.stride())
    return stack.contiguous(memory_format=torch.channels_last)


def _antialiased(stack: Tensor, size: tuple[int, int], filter: Filter, extent: tuple[float, float] | None) -> Tensor:
    if extent in (None, tuple(stack.shape[-2:])):
        return functional.interpolate(stack, size=size, mode=filter, antialias=True)
    assert extent is not None
    # A hair more than the factor, since the kernel rounds the size that it computes from it down.
    factors = tuple(wanted / true * (1 + 1e-9) for wanted, true in zip(size, extent, strict=True))
    resized = functional.interpolate(stack, scale_factor=factors, mode=filter, antialias=True)
    return resized[..., : size[0], : size[1]]


def resized_size(height: int, width: int, preprocessing: PicturePreprocessing) -> tuple[int, int]:
    """Returns the (height, width) that a picture of this size is resized to before cropping and padding."""
    pad = 2 * preprocessing.pad
    if preprocessing.resize == 0:
        return preprocessing.size[0] - pad, preprocessing.size[1] - pad
    factor = preprocessing.resize / min(height, width)
    return max(1, round(height * factor)), max(1, round(width * factor))


def _fit(picture: Tensor, preprocessing: PicturePreprocessing) -> Tensor:
    height, width = preprocessing.size
    pad = preprocessing.pad
    picture = _centre(picture, height - 2 * pad, width - 2 * pad)
    if tuple(picture.shape[-2:]) == (height, width):
        return picture
    canvas = _fill(preprocessing).view(-1, 1, 1)  # (C, 1, 1)
    canvas = canvas.expand(*picture.shape[:-2], height, width).contiguous()
    top, left = (height - picture.shape[-2]) // 2, (width - picture.shape[-1]) // 2
    canvas[..., top : top + picture.shape[-2], left : left + picture.shape[-1]] = picture
    return canvas


def _fill(preprocessing: PicturePreprocessing) -> Tensor:
    if preprocessing.fill is not None:
        return torch.full((preprocessing.channels,), preprocessing.fill, dtype=torch.uint8)
    return torch.tensor(preprocessing.mean).mul_(255).round_().to(torch.uint8)


def _centre(picture: Tensor, height: int, width: int) -> Tensor:
    top = max(0, (picture.shape[-2] - height) // 2)
    left = max(0, (picture.shape[-1] - width) // 2)
    return picture[..., top : top + height, left : left + width]
