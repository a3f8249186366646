"""BN-Inception (Ioffe and Szegedy 2015, arXiv:1502.03167). Figure 5, as the Caffe port has it."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import NamedTuple

from torch import nn

from neocog.core.registry import Errors, network
from neocog.nn.branches import Branch, Branches, Conv, Pool, conv_bn_relu, outputs_of
from neocog.nn.googlenet import STEM_OUTPUTS, same_pool, stem
from neocog.nn.initialise import he_fan_out
from neocog.nn.same_pool import SameMaxPool2d

# Biases before batch norm do nothing; the port has them.
unit = partial(conv_bn_relu, norm=nn.BatchNorm2d, bias=True)
average = partial(nn.AvgPool2d, 3, 1, padding=1)


class Row(NamedTuple):
    """A row of figure 5: maps of the 1x1, the 3x3 and the double 3x3 and of the 1x1 before each; the pool, its 1x1.

    A row without 1x1 halves the size: its 3x3, its double 3x3 and its pool end at stride 2.
    """

    name: str
    conv1: int
    reduce3: int
    conv3: int
    reduce_double: int
    double: int
    pool: Pool
    project: int

    def branches(self) -> tuple[Branch, ...]:
        """Returns the row's branches."""
        if not self.conv1:
            return (
                (Conv(self.reduce3), Conv(self.conv3, 3, 2)),
                (Conv(self.reduce_double), Conv(self.double, 3), Conv(self.double, 3, 2)),
                (self.pool,),
            )
        return (
            (Conv(self.conv1),),
            (Conv(self.reduce3), Conv(self.conv3, 3)),
            (Conv(self.reduce_double), Conv(self.double, 3), Conv(self.double, 3)),
            (self.pool, Conv(self.project)),
        )


halve = partial(SameMaxPool2d, 3, 2)  # on even sizes Caffe's pool; on odd ones it ends where the convolutions do

FIGURE_5 = (
    Row("3a", 64, 64, 64, 64, 96, average, 32),  # (B, 256, 28, 28)
    Row("3b", 64, 64, 96, 64, 96, average, 64),  # (B, 320, 28, 28)
    Row("3c", 0, 128, 160, 64, 96, halve, 0),  # (B, 576, 14, 14)
    Row("4a", 224, 64, 96, 96, 128, average, 128),  # (B, 576, 14, 14)
    Row("4b", 192, 96, 128, 96, 128, average, 128),  # (B, 576, 14, 14)
    Row("4c", 160, 128, 160, 128, 160, average, 128),  # (B, 608, 14, 14)
    Row("4d", 96, 128, 192, 160, 192, average, 128),  # (B, 608, 14, 14)
    Row("4e", 0, 128, 192, 192, 256, halve, 0),  # (B, 1056, 7, 7)
    Row("5a", 352, 192, 320, 160, 224, average, 128),  # (B, 1024, 7, 7)
    Row("5b", 352, 192, 320, 192, 224, same_pool, 128),  # (B, 1024, 7, 7)
)


@network(
    paper="1502.03167",
    year=2015,
    task="image classification",
    input=(3, 224, 224),
    params=11_295_240,
    macs=2_032_600_064,
    errors=Errors(25.39, 8.04, "imgclsmob README, Caffe weights of Cadene's port, single crop"),
    deviations="as the Caffe port: 128 maps for 96 in the pool projections of 4c and 4d, a dense stem for a separable "
    "one, convolution biases before the batch norms",
)
def bn_inception(classes: int = 1000, channels: int = 3) -> nn.Module:
    """BN-Inception: batch norm everywhere, two 3x3 for the 5x5, average pools, and stride 2 within 3c and 4e."""
    layers = stem(channels, unit)  # (B, 192, 28, 28)
    inputs = STEM_OUTPUTS
    for row in FIGURE_5:
        layers[f"inception{row.name}"] = Branches(inputs, row.branches(), unit)
        inputs = outputs_of(inputs, row.branches())
    net = nn.Sequential(
        OrderedDict(
            **layers,  # (B, 1024, 7, 7)
            avgpool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),  # (B, 1024)
            head=nn.Linear(inputs, classes),  # (B, classes)
        )
    )
    he_fan_out(net)
    return net
