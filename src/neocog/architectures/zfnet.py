"""ZFNet (Zeiler, Fergus 2013, arXiv:1311.2901). Figure 3, and table 2 (b)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from torch import nn

from neocog.core.arithmetic import output_size
from neocog.core.registry import Errors, network
from neocog.nn.initialise import he_fan_out
from neocog.nn.small_dense import small_dense

DENSE, DROPOUT = 4096, 0.5
DEVIATIONS = (
    "one tower; contrast normalisation with the constants of Krizhevsky et al. 2012, which the paper does not repeat; "
    "He's start, since the published one is for raw pixel values"
)


class Row(NamedTuple):
    """A layer of figure 3: a convolution, and whether pooling and contrast normalisation follow it."""

    outputs: int
    kernel: int
    stride: int = 1
    padding: int = 0
    pooled: bool = False
    normalised: bool = False


FIGURE_3 = (
    Row(96, 7, 2, 1, pooled=True, normalised=True),  # layer 1
    Row(256, 5, 2, 0, pooled=True, normalised=True),  # layer 2
    Row(384, 3, 1, 1),  # layer 3
    Row(384, 3, 1, 1),  # layer 4
    Row(256, 3, 1, 1, pooled=True),  # layer 5
)
TABLE_2_B = tuple(
    row._replace(outputs=outputs) for row, outputs in zip(FIGURE_3, (96, 256, 512, 1024, 512), strict=True)
)


def _layers(inputs: int, number: int, row: Row) -> dict[str, nn.Module]:
    layers: dict[str, nn.Module] = {
        f"conv{number}": nn.Conv2d(inputs, row.outputs, row.kernel, row.stride, row.padding),
        f"conv{number}_relu": nn.ReLU(),
    }
    if row.pooled:  # a last window may hang over: 110 becomes 55, and 26 becomes 13
        layers[f"pool{number}"] = nn.MaxPool2d(3, 2, ceil_mode=True)
    if row.normalised:  # alpha is for the mean of five squares, 1e-4 for their sum
        layers[f"norm{number}"] = nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2)
    return layers


def _side(size: int, rows: Sequence[Row]) -> int:
    for row in rows:
        size = output_size(size, row.kernel, row.stride, row.padding)
        size = output_size(size, 3, 2, ceil=True) if row.pooled else size
    return size


def _zfnet(rows: Sequence[Row], classes: int, channels: int, dropout: float | None, size: int) -> nn.Module:
    rate = DROPOUT if dropout is None else dropout
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    width = channels
    for number, row in enumerate(rows, 1):
        layers.update(_layers(width, number, row))
        width = row.outputs
    layers.update(
        flatten=nn.Flatten(),  # (B, 9216)
        fc6=nn.Linear(width * _side(size, rows) ** 2, DENSE),  # (B, 4096)
        fc6_relu=nn.ReLU(),
        fc6_dropout=nn.Dropout(rate),
        fc7=nn.Linear(DENSE, DENSE),  # (B, 4096)
        fc7_relu=nn.ReLU(),
        fc7_dropout=nn.Dropout(rate),
        head=nn.Linear(DENSE, classes),  # (B, classes)
    )
    return small_dense(he_fan_out(nn.Sequential(layers)))


@network(
    paper="1311.2901",
    year=2013,
    task="image classification",
    input=(3, 224, 224),
    params=62_357_608,
    macs=1_168_032_896,
    errors=Errors(38.4, 16.5, "paper, table 2, one network as in figure 3, validation set, ten crops"),
    deviations=DEVIATIONS,
)
def zfnet(classes: int = 1000, channels: int = 3, *, dropout: float | None = None, size: int = 224) -> nn.Module:
    """ZFNet: AlexNet with a finer first layer, 7x7 at stride 2, which deconvolution showed to be needed.

    ``dropout`` is the rate after both dense layers, 0.5 as published. ``size`` is the input's height and width, which
    the dense layers' shapes depend on.
    """
    return _zfnet(FIGURE_3, classes, channels, dropout, size)


@network(
    paper="1311.2901",
    year=2013,
    task="image classification",
    input=(3, 224, 224),
    params=107_627_624,
    macs=2_476_704_896,
    errors=Errors(37.5, 16.0, "paper, table 2 (b), validation set, ten crops"),
    deviations=DEVIATIONS,
)
def zfnet_b(classes: int = 1000, channels: int = 3, *, dropout: float | None = None, size: int = 224) -> nn.Module:
    """ZFNet with 512, 1024 and 512 maps in layers 3, 4 and 5.

    ``dropout`` is the rate after both dense layers, 0.5 as published. ``size`` is the input's height and width, which
    the dense layers' shapes depend on.
    """
    return _zfnet(TABLE_2_B, classes, channels, dropout, size)
