"""Which network suits these pictures, and how they meet its input; each choice comes with its reason."""

from __future__ import annotations

from dataclasses import dataclass, replace

from neocog.core.registry import Record, Weights
from neocog.data.preprocess import PicturePreprocessing
from neocog.tasks.survey import Survey

# Pictures at most this large on their short side are "small": digits, Fashion-MNIST, CIFAR, not photographs.
SMALL = 48
PRETRAINED = "efficientnet_lite0"


@dataclass(frozen=True)
class Choice:
    """A network's name, the name of the weights to start from (``"none"`` from scratch), and why."""

    net: str
    weights: str
    reason: str


def choose_network(look: Survey) -> Choice:
    """Returns the network for pictures like these: pretrained for photographs, small from scratch for small ones."""
    size = f"{look.height}x{look.width}"
    if look.short_side > SMALL:
        reason = f"pictures of about {size} are photographs to a network, and it brings ImageNet weights"
        return Choice(PRETRAINED, "imagenet", reason)
    if look.grey and look.short_side <= 16:
        return Choice("lenet5", "none", f"grey pictures of {size} are what LeNet-5 was made for")
    kind = "grey" if look.grey else "colour"
    return Choice("keras_cifar", "none", f"{kind} pictures of {size} suit a small network trained from scratch")


def preprocessing_for(
    record: Record, weights: Weights | None, look: Survey, *, size: int | None, grey: bool | None
) -> PicturePreprocessing:
    """Returns how pictures like these become the network's input.

    With weights: their own size, filter, mean and standard deviation, since a network is only as good as its input is
    what it was trained on; but the short side is not cut, since what a user photographs fills the frame. From scratch:
    the network's published input, small pictures enlarged as little as that takes and padded with what surrounds them.
    Mean and standard deviation from scratch are 0.5 and 0.25 until the training part's own take their place.
    """
    channels = _channels(weights, look, grey)
    if weights is not None:
        side = size or weights.size
        return PicturePreprocessing(
            size=(side, side),
            resize=side,
            filter=weights.filter,  # type: ignore[arg-type]
            mean=weights.mean if channels == 3 else (sum(weights.mean) / 3,),
            std=weights.std if channels == 3 else (sum(weights.std) / 3,),
            channels=channels,
        )
    side = size or _side(record, look)
    plain = PicturePreprocessing(
        size=(side, side),
        resize=side,
        filter="bilinear",
        mean=(0.5,) * channels,
        std=(0.25,) * channels,
        channels=channels,
    )
    if look.short_side > SMALL:
        return replace(plain, resize=round(side * 8 / 7))  # 256 for 224, the usual margin of a centre crop
    return replace(plain, resize=side - 2 * _margin(side, look), pad=_margin(side, look), fill=look.border)


def describe_input(look: Survey, numbers: PicturePreprocessing) -> str:
    """Returns the line that says how pictures of this size meet the network's input."""
    size = f"{look.height}x{look.width}" if look.same_size else f"about {look.height}x{look.width}"
    height, width = numbers.size
    if look.same_size and (look.height, look.width) == numbers.size:
        how = "taken as they are"
    elif numbers.pad:
        inner = f"{height - 2 * numbers.pad}x{width - 2 * numbers.pad}"
        resized = "kept" if numbers.resize == look.short_side else f"enlarged to {inner} ({numbers.filter})"
        how = f"{resized}, with {numbers.pad} pixels of value {numbers.fill} around"
    else:
        how = f"short side to {numbers.resize} ({numbers.filter}, antialiased), the centre cut out"
    return f"input {height}x{width}x{numbers.channels}: pictures of {size} {how}"


def _channels(weights: Weights | None, look: Survey, grey: bool | None) -> int:
    if grey is not None:
        return 1 if grey else 3
    # Pretrained kernels expect three channels: grey pictures are given as three equal ones.
    return 3 if weights is not None or not look.grey else 1


def _side(record: Record, look: Survey) -> int:
    published = record.input[-1]
    if published <= 64 or look.short_side >= published:
        return published
    return max(32, look.short_side)


def _margin(side: int, look: Survey) -> int:
    """Returns the pixels to pad on each side, so that a small picture is enlarged by a whole factor at most.

    A 28x28 picture keeps its pixels in 32x32 (2 on each side, as LeCun et al. 1998 section III did with MNIST); an 8x8
    one is enlarged three times, to 24x24, and gets 4.
    """
    if look.short_side > side:
        return 0
    enlarged = look.short_side * (side // look.short_side)
    if enlarged == side and side // look.short_side > 1:
        enlarged -= look.short_side
    return (side - enlarged) // 2
