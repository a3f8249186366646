"""ResNeXt (Xie, Girshick, Dollar, Tu, He 2016, arXiv:1611.05431). Table 1; the name gives cardinality and width."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from torch import nn

from neocog.core.registry import Errors, network
from neocog.nn.residual import Bottleneck, Stage, imagenet_stem, residual_network

STEM = 64


class Row(NamedTuple):
    """A row of table 1: the maps that a block gives, the stride of the first, the blocks by depth."""

    outputs: int
    stride: int
    blocks: Mapping[int, int]


TABLE_1 = (
    Row(256, 1, {50: 3, 101: 3}),  # conv2
    Row(512, 2, {50: 4, 101: 4}),  # conv3
    Row(1024, 2, {50: 6, 101: 23}),  # conv4
    Row(2048, 2, {50: 3, 101: 3}),  # conv5
)
# torchvision and timm name all else as it is named here; timm has the four, torchvision lacks 101-32x4d.
NAMES = {"fc": "head"}
BOTH = {"torchvision": NAMES, "timm": NAMES}


def _resnext(depth: int, cardinality: int, width: int, classes: int, channels: int) -> nn.Module:
    """Returns the network whose blocks of conv2 have ``cardinality`` groups of ``width`` maps; both grow by stages."""

    def block(inputs: int, outputs: int, stride: int) -> nn.Module:
        maps = cardinality * width * outputs // TABLE_1[0].outputs
        return Bottleneck(inputs, outputs, stride, width=maps, groups=cardinality)

    stages = [Stage(row.blocks[depth], row.outputs, row.stride) for row in TABLE_1]
    return residual_network(imagenet_stem(channels), STEM, stages, block, classes)


_imagenet = partial(network, paper="1611.05431", task="image classification", input=(3, 224, 224))


@_imagenet(
    year=2016,
    params=25_028_904,
    macs=4_230_479_872,
    errors=Errors(22.382, 6.302, "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"),
    renames=BOTH,
)
def resnext50_32x4d(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ResNeXt-50: bottlenecks with 3x3 convolutions in 32 groups, of 4 maps each at first."""
    return _resnext(50, 32, 4, classes, channels)


@_imagenet(
    year=2016,
    params=44_177_704,
    macs=7_969_996_800,
    errors=Errors(21.2, None, "the authors' README, single crop"),
    renames={"timm": NAMES},
)
def resnext101_32x4d(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ResNeXt-101: 33 bottlenecks in 32 groups, of 4 maps each at first."""
    return _resnext(101, 32, 4, classes, channels)


@_imagenet(
    year=2016,
    params=83_455_272,
    macs=15_460_270_080,
    errors=Errors(
        16.754, 3.546, "torchvision 0.28 weights IMAGENET1K_V1 (a modern recipe; the authors' 20.4), single centre crop"
    ),
    renames=BOTH,
)
def resnext101_64x4d(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ResNeXt-101: 33 bottlenecks in 64 groups, of 4 maps each at first."""
    return _resnext(101, 64, 4, classes, channels)


@_imagenet(
    year=2017,
    params=88_791_336,
    macs=16_414_015_488,
    errors=Errors(20.688, 5.474, "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"),
    renames=BOTH,
    deviations="not in the paper's table; the size of Mahajan et al. 2018 (arXiv:1805.00932)",
)
def resnext101_32x8d(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ResNeXt-101: 33 bottlenecks in 32 groups, of 8 maps each at first."""
    return _resnext(101, 32, 8, classes, channels)
