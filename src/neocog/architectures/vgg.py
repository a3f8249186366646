"""VGG (Simonyan, Zisserman 2014, arXiv:1409.1556). Table 1; batch norm as torchvision adds it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from torch import nn

from neocog.core.arithmetic import Window, size_through
from neocog.core.registry import Errors, network
from neocog.nn.initialise import he_fan_out
from neocog.nn.small_dense import small_dense

DENSE, DROPOUT, POOLED_SIDE = 4096, 0.5, 7
TORCHVISION_ERRORS = "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"

# Table 1, column by column: a number is a 3x3 convolution with as many maps, 1x before it makes the kernel 1x1, and |
# is max pooling, which follows the last block as well.
TABLE_1 = {
    "A": "64 | 128 | 256 256 | 512 512 | 512 512",
    "B": "64 64 | 128 128 | 256 256 | 512 512 | 512 512",
    "C": "64 64 | 128 128 | 256 256 1x256 | 512 512 1x512 | 512 512 1x512",
    "D": "64 64 | 128 128 | 256 256 256 | 512 512 512 | 512 512 512",
    "E": "64 64 | 128 128 | 256 256 256 256 | 512 512 512 512 | 512 512 512 512",
}
FIVE_POOLS = (Window(2, 2),) * 5


def _rows(configuration: str) -> list[list[tuple[int, int]]]:
    """Returns a list of (kernel, maps) for each block of a column of table 1."""
    return [
        [(1 if word.startswith("1x") else 3, int(word.removeprefix("1x"))) for word in block.split()]
        for block in TABLE_1[configuration].split("|")
    ]


def _features(configuration: str, channels: int, *, normalised: bool = False) -> OrderedDict[str, nn.Module]:
    blocks: OrderedDict[str, nn.Module] = OrderedDict()
    width = channels
    for number, row in enumerate(_rows(configuration), 1):
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for position, (kernel, outputs) in enumerate(row, 1):
            layers[f"conv{position}"] = nn.Conv2d(width, outputs, kernel, padding=kernel // 2)
            if normalised:
                layers[f"conv{position}_bn"] = nn.BatchNorm2d(outputs)
            layers[f"conv{position}_relu"] = nn.ReLU()
            width = outputs
        layers["pool"] = nn.MaxPool2d(2)
        blocks[f"block{number}"] = nn.Sequential(layers)
    return blocks


def _vgg(
    configuration: str, classes: int, channels: int, dropout: float | None, *, normalised: bool = False
) -> nn.Module:
    """Returns the network for any input of at least 32x32: larger maps are pooled to 7x7 before the dense layers."""
    rate = DROPOUT if dropout is None else dropout
    layers = _features(configuration, channels, normalised=normalised)
    layers.update(
        avgpool=nn.AdaptiveAvgPool2d(POOLED_SIDE),  # (B, 512, 7, 7)
        flatten=nn.Flatten(),  # (B, 25088)
        fc6=nn.Linear(512 * POOLED_SIDE**2, DENSE),  # (B, 4096)
        fc6_relu=nn.ReLU(),
        fc6_dropout=nn.Dropout(rate),
        fc7=nn.Linear(DENSE, DENSE),  # (B, 4096)
        fc7_relu=nn.ReLU(),
        fc7_dropout=nn.Dropout(rate),
        head=nn.Linear(DENSE, classes),  # (B, classes)
    )
    return small_dense(he_fan_out(nn.Sequential(layers)))


def _feature_names(configuration: str, *, normalised: bool) -> dict[str, str]:
    """Returns torchvision's names, which count all layers in one row, and ours for each layer with weights."""
    names, index = {}, 0
    for number, row in enumerate(_rows(configuration), 1):
        for position in range(1, len(row) + 1):
            names[f"features.{index}"] = f"block{number}.conv{position}"
            if normalised:
                names[f"features.{index + 1}"] = f"block{number}.conv{position}_bn"
            index += 3 if normalised else 2
        index += 1  # the pool
    return names


def _keras_names(configuration: str) -> dict[str, str]:
    return {
        f"block{number}_conv{position}": f"block{number}.conv{position}"
        for number, row in enumerate(_rows(configuration), 1)
        for position in range(1, len(row) + 1)
    }


def _renames(configuration: str, *, normalised: bool) -> dict[str, dict[str, str]]:
    features = _feature_names(configuration, normalised=normalised)
    names = {
        "torchvision": features | {"classifier.0": "fc6", "classifier.3": "fc7", "classifier.6": "head"},
        "timm": features | {"pre_logits.fc1": "fc6", "pre_logits.fc2": "fc7", "head.fc": "head"},
    }
    if configuration in "DE" and not normalised:
        names["keras"] = _keras_names(configuration) | {"fc1": "fc6", "fc2": "fc7", "predictions": "head"}
    return names


def _record(
    configuration: str, *, params: int, macs: int, top1: float, top5: float, normalised: bool = False
) -> Callable[[Any], Any]:
    """Records a network of table 1 that torchvision has."""
    return network(
        paper="1409.1556",
        year=2014,
        task="image classification",
        input=(3, 224, 224),
        params=params,
        macs=macs,
        errors=Errors(top1, top5, TORCHVISION_ERRORS),
        renames=_renames(configuration, normalised=normalised),
        deviations="adaptive pooling before the dense layers, so that any size fits; He's start (arXiv:1502.01852)"
        + ("; batch norm (arXiv:1502.03167) after each convolution" if normalised else ""),
    )


@_record("A", params=132_863_336, macs=7_609_090_048, top1=30.98, top5=11.372)
def vgg11(classes: int = 1000, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """VGG-11, column A. ``dropout`` is the rate after both dense layers, 0.5 as published."""
    return _vgg("A", classes, channels, dropout)


@_record("A", params=132_868_840, macs=7_609_090_048, top1=29.63, top5=10.19, normalised=True)
def vgg11_bn(classes: int = 1000, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """VGG-11 with batch norm. ``dropout`` is the rate after both dense layers, 0.5 as published."""
    return _vgg("A", classes, channels, dropout, normalised=True)


@_record("B", params=133_047_848, macs=11_308_466_176, top1=30.072, top5=10.754)
def vgg13(classes: int = 1000, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """VGG-13, column B. ``dropout`` is the rate after both dense layers, 0.5 as published."""
    return _vgg("B", classes, channels, dropout)


@_record("B", params=133_053_736, macs=11_308_466_176, top1=28.414, top5=9.626, normalised=True)
def vgg13_bn(classes: int = 1000, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """VGG-13 with batch norm. ``dropout`` is the rate after both dense layers, 0.5 as published."""
    return _vgg("B", classes, channels, dropout, normalised=True)


@_record("D", params=138_357_544, macs=15_470_264_320, top1=28.408, top5=9.618)
def vgg16(classes: int = 1000, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """VGG-16, column D. ``dropout`` is the rate after both dense layers, 0.5 as published."""
    return _vgg("D", classes, channels, dropout)


@_record("D", params=138_365_992, macs=15_470_264_320, top1=26.64, top5=8.484, normalised=True)
def vgg16_bn(classes: int = 1000, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """VGG-16 with batch norm. ``dropout`` is the rate after both dense layers, 0.5 as published."""
    return _vgg("D", classes, channels, dropout, normalised=True)


@_record("E", params=143_667_240, macs=19_632_062_464, top1=27.624, top5=9.124)
def vgg19(classes: int = 1000, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """VGG-19, column E. ``dropout`` is the rate after both dense layers, 0.5 as published."""
    return _vgg("E", classes, channels, dropout)


@_record("E", params=143_678_248, macs=19_632_062_464, top1=25.782, top5=8.158, normalised=True)
def vgg19_bn(classes: int = 1000, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """VGG-19 with batch norm. ``dropout`` is the rate after both dense layers, 0.5 as published."""
    return _vgg("E", classes, channels, dropout, normalised=True)


@network(
    paper="1409.1556",
    year=2014,
    task="image classification",
    input=(3, 224, 224),
    params=133_638_952,
    macs=11_770_888_192,
    errors=Errors(28.1, 9.4, "paper, table 3, single scale S = Q = 256, dense evaluation"),
    deviations="adaptive pooling before the dense layers, so that any size fits; He's start (arXiv:1502.01852)",
)
def vgg16_c(classes: int = 1000, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """VGG-16, column C, with three 1x1 kernels. ``dropout`` is the rate after both dense layers, 0.5 as published."""
    return _vgg("C", classes, channels, dropout)


@network(
    paper="1409.1556",
    year=2021,
    task="image classification",
    input=(3, 300, 300),
    classes=10,
    params=57_193_290,
    macs=27_154_723_840,
    renames={"keras": _keras_names("D") | {"dense_1": "head"}},
    deviations="VGG-16's convolutions with a course's own classifier; nothing is frozen before training says so",
)
def vgg16_transfer(classes: int = 10, channels: int = 3, *, size: int = 300) -> nn.Module:
    """VGG-16 for transfer learning: its convolutions, a dense layer of 1024 on all of their maps, a new head.

    ``size`` is the input's height and width, which the dense layer's shape depends on.
    """
    layers = _features("D", channels)
    layers.update(
        flatten=nn.Flatten(),  # (B, 41472)
        dense=nn.Linear(512 * size_through(size, FIVE_POOLS) ** 2, 1024),  # (B, 1024)
        dense_relu=nn.ReLU(),
        head=nn.Linear(1024, classes),  # (B, classes)
    )
    return small_dense(he_fan_out(nn.Sequential(layers)))
