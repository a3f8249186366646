"""All-CNN (Springenberg, Dosovitskiy, Brox, Riedmiller 2014, arXiv:1412.6806). Tables 1 and 2."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from torch import nn

from neocog.core.registry import network
from neocog.nn.initialise import he_fan_out
from neocog.nn.small_dense import small_dense

DROPOUT, INPUT_SHARE = 0.5, 0.4  # 50 % after each strided convolution and 20 % of the input, section 3.2
DEVIATION = "He's start (arXiv:1502.01852)"


class Row(NamedTuple):
    """A convolution of table 1 or 2; those of stride 2 stand for the pools, and dropout follows them."""

    outputs: int
    kernel: int
    stride: int = 1
    padding: int = 0


ALL_CNN_A = (
    Row(96, 5, 1, 2),
    Row(96, 3, 2, 1),
    Row(192, 5, 1, 2),
    Row(192, 3, 2, 1),
    Row(192, 3, 1, 1),
    Row(192, 1),
)
ALL_CNN_B = (
    Row(96, 5, 1, 2),
    Row(96, 1),
    Row(96, 3, 2, 1),
    Row(192, 5, 1, 2),
    Row(192, 1),
    Row(192, 3, 2, 1),
    Row(192, 3, 1, 1),
    Row(192, 1),
)
ALL_CNN_C = (
    Row(96, 3, 1, 1),
    Row(96, 3, 1, 1),
    Row(96, 3, 2, 1),
    Row(192, 3, 1, 1),
    Row(192, 3, 1, 1),
    Row(192, 3, 2, 1),
    Row(192, 3),  # without padding: 8x8 becomes 6x6, as the paper's averaging over 6x6 needs
    Row(192, 1),
)


def _all_cnn(rows: Sequence[Row], classes: int, channels: int, dropout: float | None) -> nn.Module:
    """Returns the convolutions, a 1x1 convolution as head, and global average pooling."""
    rate = DROPOUT if dropout is None else dropout
    layers: OrderedDict[str, nn.Module] = OrderedDict(dropout0=nn.Dropout(INPUT_SHARE * rate))
    width = channels
    for number, row in enumerate(rows, 1):
        layers[f"conv{number}"] = nn.Conv2d(width, row.outputs, row.kernel, row.stride, row.padding)
        layers[f"conv{number}_relu"] = nn.ReLU()
        if row.stride > 1:
            layers[f"dropout{number}"] = nn.Dropout(rate)
        width = row.outputs
    layers.update(
        head=nn.Conv2d(width, classes, 1),
        head_relu=nn.ReLU(),
        avgpool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),  # (B, classes)
    )
    return small_dense(he_fan_out(nn.Sequential(layers)))


@network(
    paper="1412.6806",
    year=2014,
    task="image classification",
    input=(3, 32, 32),
    classes=10,
    params=1_254_250,
    macs=191_520_768,
    deviations=DEVIATION,
)
def all_cnn_a(classes: int = 10, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """All-CNN-A: one 5x5 convolution before each strided one.

    ``dropout`` is the rate after strided convolutions, 0.5 as published; on the input it is 0.4 of that.
    """
    return _all_cnn(ALL_CNN_A, classes, channels, dropout)


@network(
    paper="1412.6806",
    year=2014,
    task="image classification",
    input=(3, 32, 32),
    classes=10,
    params=1_300_618,
    macs=210_395_136,
    deviations=DEVIATION,
)
def all_cnn_b(classes: int = 10, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """All-CNN-B: a 1x1 convolution after each 5x5 one, as in Network in Network.

    ``dropout`` is the rate after strided convolutions, 0.5 as published; on the input it is 0.4 of that.
    """
    return _all_cnn(ALL_CNN_B, classes, channels, dropout)


@network(
    paper="1412.6806",
    year=2014,
    task="image classification",
    input=(3, 32, 32),
    classes=10,
    params=1_369_738,
    macs=270_798_336,
    deviations=DEVIATION,
)
def all_cnn_c(classes: int = 10, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """All-CNN-C: 3x3 convolutions only, and strided ones for pools.

    ``dropout`` is the rate after strided convolutions, 0.5 as published; on the input it is 0.4 of that.
    """
    return _all_cnn(ALL_CNN_C, classes, channels, dropout)
