"""Network in Network (Lin, Chen, Yan 2013, arXiv:1312.4400). Figure 2, layers as in the authors' Caffe models."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from torch import nn

from neocog.core.registry import network
from neocog.nn.initialise import he_fan_out
from neocog.nn.small_dense import small_dense

DROPOUT = 0.5


class Row(NamedTuple):
    """An mlpconv layer: a convolution and two 1x1 convolutions over it, of ``widths`` maps (section 3.1).

    The last 1x1 convolution of the last row is the head, which has as many maps as there are classes.
    """

    kernel: int
    stride: int
    padding: int
    widths: tuple[int, ...]


CIFAR = (
    Row(5, 1, 2, (192, 160, 96)),
    Row(5, 1, 2, (192, 192, 192)),
    Row(3, 1, 1, (192, 192)),
)
IMAGENET = (
    Row(11, 4, 0, (96, 96, 96)),
    Row(5, 1, 2, (256, 256, 256)),
    Row(3, 1, 1, (384, 384, 384)),
    Row(3, 1, 1, (1024, 1024)),
)


def _mlpconvs(rows: Sequence[Row], classes: int, channels: int) -> list[OrderedDict[str, nn.Module]]:
    """Returns the layers of each row, under the names of the authors' models (cccp for 1x1)."""
    result = []
    inputs, cccp = channels, 0
    for number, row in enumerate(rows, 1):
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for position, outputs in enumerate(row.widths):
            cccp += position > 0
            name = f"cccp{cccp}" if position else f"conv{number}"
            window = (1,) if position else (row.kernel, row.stride, row.padding)
            layers[name] = nn.Conv2d(inputs, outputs, *window)
            layers[f"{name}_relu"] = nn.ReLU()
            inputs = outputs
        result.append(layers)
    result[-1].update(head=nn.Conv2d(inputs, classes, 1), head_relu=nn.ReLU())
    return result


def _nin(mlpconvs: list[OrderedDict[str, nn.Module]], between: Sequence[dict[str, nn.Module]]) -> nn.Module:
    """Returns the mlpconv layers with what stands between them, and global average pooling over the classes' maps."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for mlpconv, after in zip(mlpconvs, [*between, {}], strict=True):
        layers.update(mlpconv)
        layers.update(after)
    layers.update(avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten())  # (B, classes)
    return small_dense(he_fan_out(nn.Sequential(layers)))


@network(
    paper="1312.4400",
    year=2013,
    task="image classification",
    input=(3, 32, 32),
    classes=10,
    params=966_986,
    macs=222_486_528,
    deviations="He's start (arXiv:1502.01852)",
)
def nin_cifar10(classes: int = 10, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """Network in Network for CIFAR-10: three mlpconv layers and no dense layer at all.

    ``dropout`` is the rate after both pools, 0.5 as published.
    """
    rate = DROPOUT if dropout is None else dropout
    between: list[dict[str, nn.Module]] = [  # last windows hang over, as Caffe's do: 32 becomes 16, then 8
        {"pool1": nn.MaxPool2d(3, 2, ceil_mode=True), "dropout1": nn.Dropout(rate)},
        {"pool2": nn.AvgPool2d(3, 2, ceil_mode=True), "dropout2": nn.Dropout(rate)},
    ]
    return _nin(_mlpconvs(CIFAR, classes, channels), between)


@network(
    paper="1312.4400",
    year=2013,
    task="image classification",
    input=(3, 224, 224),
    params=7_595_176,
    macs=969_460_864,
    deviations="pools round down, which leaves 5x5 maps; Caffe's round up and leave 6x6. He's start (arXiv:1502.01852)",
)
def nin_imagenet(classes: int = 1000, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """Network in Network for ImageNet: four mlpconv layers, of 96, 256, 384 and 1024 maps.

    ``dropout`` is the rate after the last pool, 0.5 as published.
    """
    rate = DROPOUT if dropout is None else dropout
    between: list[dict[str, nn.Module]] = [
        {"pool1": nn.MaxPool2d(3, 2)},  # (B, 96, 26, 26)
        {"pool2": nn.MaxPool2d(3, 2)},  # (B, 256, 12, 12)
        {"pool3": nn.MaxPool2d(3, 2), "dropout3": nn.Dropout(rate)},  # (B, 384, 5, 5)
    ]
    return _nin(_mlpconvs(IMAGENET, classes, channels), between)
