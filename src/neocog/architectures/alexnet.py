"""AlexNet (Krizhevsky, Sutskever, Hinton 2012, doi:10.1145/3065386; Krizhevsky 2014, arXiv:1404.5997)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from torch import nn

from neocog.core.arithmetic import Window, size_through
from neocog.core.registry import Errors, network
from neocog.nn.initialise import he_fan_out
from neocog.nn.small_dense import small_dense

DENSE, DROPOUT = 4096, 0.5
POOL = Window(3, 2)  # overlapping pooling, section 3.4


class Row(NamedTuple):
    """A convolution of section 3.5, and whether response normalisation and pooling follow it."""

    outputs: int
    kernel: int
    stride: int = 1
    padding: int = 0
    groups: int = 1
    normalised: bool = False
    pooled: bool = False


# Section 3.5 and figure 2. Groups are the two towers: where there are two, each sees the maps of its own GPU only.
SECTION_3_5 = (
    Row(96, 11, 4, 0, 1, normalised=True, pooled=True),  # conv1
    Row(256, 5, 1, 2, 2, normalised=True, pooled=True),  # conv2
    Row(384, 3, 1, 1, 1),  # conv3
    Row(384, 3, 1, 1, 2),  # conv4
    Row(256, 3, 1, 1, 2, pooled=True),  # conv5
)
ONE_TOWER = tuple(row._replace(groups=1, normalised=False) for row in SECTION_3_5)
# arXiv:1404.5997, as torchvision has it.
ONE_WEIRD_TRICK = (
    Row(64, 11, 4, 2, pooled=True),  # conv1
    Row(192, 5, 1, 2, pooled=True),  # conv2
    Row(384, 3, 1, 1),  # conv3
    Row(256, 3, 1, 1),  # conv4
    Row(256, 3, 1, 1, pooled=True),  # conv5
)


def response_norm() -> nn.LocalResponseNorm:
    """Returns the normalisation of section 3.3: a / (2 + 1e-4 x the sum of squares over five maps)^0.75.

    torch takes the mean of the squares where the paper takes their sum, so its alpha is five times the paper's.
    """
    return nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2)


def _features(rows: Sequence[Row], channels: int) -> OrderedDict[str, nn.Module]:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    width = channels
    for number, row in enumerate(rows, 1):
        layers[f"conv{number}"] = nn.Conv2d(width, row.outputs, row.kernel, row.stride, row.padding, groups=row.groups)
        layers[f"conv{number}_relu"] = nn.ReLU()
        if row.normalised:
            layers[f"norm{number}"] = response_norm()
        if row.pooled:
            layers[f"pool{number}"] = nn.MaxPool2d(POOL.kernel, POOL.stride)
        width = row.outputs
    return layers


def _side(size: int, rows: Sequence[Row]) -> int:
    """Returns the size after the last pooling; what has stride 1 keeps the size."""
    windows = []
    for row in rows:
        windows += [Window(row.kernel, row.stride)] if row.stride > 1 else []
        windows += [POOL] if row.pooled else []
    return size_through(size, windows)


def _alexnet(rows: Sequence[Row], classes: int, channels: int, dropout: float | None, size: int) -> nn.Module:
    rate = DROPOUT if dropout is None else dropout
    layers = _features(rows, channels)
    layers.update(
        flatten=nn.Flatten(),  # (B, 9216)
        fc6=nn.Linear(rows[-1].outputs * _side(size, rows) ** 2, DENSE),  # (B, 4096)
        fc6_relu=nn.ReLU(),
        fc6_dropout=nn.Dropout(rate),
        fc7=nn.Linear(DENSE, DENSE),  # (B, 4096)
        fc7_relu=nn.ReLU(),
        fc7_dropout=nn.Dropout(rate),
        head=nn.Linear(DENSE, classes),  # (B, classes)
    )
    return small_dense(he_fan_out(nn.Sequential(layers)))


@network(
    paper="10.1145/3065386",
    year=2012,
    task="image classification",
    input=(3, 227, 227),
    params=62_378_344,
    macs=1_135_256_096,
    deviations="one tower without groups and without response normalisation, as the courses' table has it; 227 pixels, "
    "which the strides need, where the paper says 224; He's start, since the published one is for raw pixel values",
)
def alexnet(classes: int = 1000, channels: int = 3, *, dropout: float | None = None, size: int = 227) -> nn.Module:
    """AlexNet without groups: the table of 62.4 million parameters.

    ``dropout`` is the rate after both dense layers, 0.5 as published. ``size`` is the input's height and width, which
    the dense layers' shapes depend on.
    """
    return _alexnet(ONE_TOWER, classes, channels, dropout, size)


@network(
    paper="10.1145/3065386",
    year=2012,
    task="image classification",
    input=(3, 227, 227),
    params=60_965_224,
    macs=724_406_816,
    errors=Errors(42.9, 19.8, "BVLC/caffe bvlc_alexnet readme, centre crop"),
    deviations="227 pixels, which the strides need, where the paper says 224; He's start, since the published one is "
    "for raw pixel values",
)
def alexnet_grouped(
    classes: int = 1000, channels: int = 3, *, dropout: float | None = None, size: int = 227
) -> nn.Module:
    """AlexNet as published: two towers (groups in conv2, conv4 and conv5), response normalisation before pooling.

    ``dropout`` is the rate after both dense layers, 0.5 as published. ``size`` is the input's height and width, which
    the dense layers' shapes depend on.
    """
    return _alexnet(SECTION_3_5, classes, channels, dropout, size)


def _torchvision_names(rows: Sequence[Row]) -> dict[str, str]:
    """Returns torchvision's names, which count convolutions, activations and pools in one row, and ours for each."""
    names, index = {}, 0
    for number, row in enumerate(rows, 1):
        names[f"features.{index}"] = f"conv{number}"
        index += 3 if row.pooled else 2
    return names | {"classifier.1": "fc6", "classifier.4": "fc7", "classifier.6": "head"}


@network(
    paper="1404.5997",
    year=2014,
    task="image classification",
    input=(3, 224, 224),
    params=61_100_840,
    macs=714_188_480,
    errors=Errors(43.478, 20.934, "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"),
    renames={"torchvision": _torchvision_names(ONE_WEIRD_TRICK)},
    deviations="torchvision's: 256 maps in conv4 where the paper has 384, adaptive pooling before the dense layers",
)
def alexnet_torchvision(classes: int = 1000, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """AlexNet of "One weird trick", which torchvision calls alexnet: 64 maps first, one tower, any size from 63.

    ``dropout`` is the rate before both dense layers, 0.5 as published. Weights start as torch's layers do.
    """
    rate = DROPOUT if dropout is None else dropout
    layers = _features(ONE_WEIRD_TRICK, channels)
    layers.update(
        avgpool=nn.AdaptiveAvgPool2d(6),  # (B, 256, 6, 6)
        flatten=nn.Flatten(),  # (B, 9216)
        fc6_dropout=nn.Dropout(rate),
        fc6=nn.Linear(ONE_WEIRD_TRICK[-1].outputs * 6 * 6, DENSE),  # (B, 4096)
        fc6_relu=nn.ReLU(),
        fc7_dropout=nn.Dropout(rate),
        fc7=nn.Linear(DENSE, DENSE),  # (B, 4096)
        fc7_relu=nn.ReLU(),
        head=nn.Linear(DENSE, classes),  # (B, classes)
    )
    return nn.Sequential(layers)
