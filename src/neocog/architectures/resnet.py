"""ResNet (He, Zhang, Ren, Sun 2015, arXiv:1512.03385). Table 1."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from torch import nn

from neocog.core.registry import Errors, network
from neocog.nn.residual import BasicBlock, Bottleneck, Stage, imagenet_stem, residual_network

EXPANSION = 4  # a bottleneck gives four times the maps of its 3x3 convolution


class Row(NamedTuple):
    """A row of table 1: the maps of the 3x3 convolutions, the stride of the first block, the blocks by depth."""

    maps: int
    stride: int
    blocks: Mapping[int, int]


TABLE_1 = (
    Row(64, 1, {18: 2, 34: 3, 50: 3, 101: 3, 152: 3}),  # conv2_x
    Row(128, 2, {18: 2, 34: 4, 50: 4, 101: 4, 152: 8}),  # conv3_x
    Row(256, 2, {18: 2, 34: 6, 50: 6, 101: 23, 152: 36}),  # conv4_x
    Row(512, 2, {18: 2, 34: 3, 50: 3, 101: 3, 152: 3}),  # conv5_x
)
# torchvision and timm name all else as it is named here.
RENAMES = {"torchvision": {"fc": "head"}, "timm": {"fc": "head"}}
V1_DEVIATIONS = "none; strides on the 1x1 convolutions as published, projections (option B) where the shape changes"
V1_5_DEVIATIONS = "strides on the 3x3 convolutions, not on the 1x1 before them (v1.5); projections (option B)"


def _basic(depth: int, classes: int, channels: int) -> nn.Module:
    stages = [Stage(row.blocks[depth], row.maps, row.stride) for row in TABLE_1]
    return residual_network(imagenet_stem(channels), TABLE_1[0].maps, stages, BasicBlock, classes)


def _bottleneck(depth: int, classes: int, channels: int, *, early: bool = False) -> nn.Module:
    def block(inputs: int, outputs: int, stride: int) -> nn.Module:
        return Bottleneck(inputs, outputs, stride, width=outputs // EXPANSION, early=early)

    stages = [Stage(row.blocks[depth], EXPANSION * row.maps, row.stride) for row in TABLE_1]
    return residual_network(imagenet_stem(channels), TABLE_1[0].maps, stages, block, classes)


_imagenet = partial(network, paper="1512.03385", year=2015, task="image classification", input=(3, 224, 224))


@_imagenet(
    params=11_689_512,
    macs=1_814_073_344,
    errors=Errors(30.242, 10.922, "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"),
    renames=RENAMES,
    deviations="none; projections (option B) where the shape changes",
)
def resnet18(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ResNet-18: eight residual blocks of two 3x3 convolutions each."""
    return _basic(18, classes, channels)


@_imagenet(
    params=21_797_672,
    macs=3_663_761_408,
    errors=Errors(26.686, 8.58, "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"),
    renames=RENAMES,
    deviations="none; projections (option B) where the shape changes",
)
def resnet34(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ResNet-34: sixteen residual blocks of two 3x3 convolutions each."""
    return _basic(34, classes, channels)


@_imagenet(
    params=25_557_032,
    macs=4_089_184_256,
    errors=Errors(23.87, 7.138, "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"),
    renames=RENAMES,
    deviations=V1_5_DEVIATIONS,
)
def resnet50(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ResNet-50 v1.5: sixteen bottlenecks, their strides on the 3x3 convolutions."""
    return _bottleneck(50, classes, channels)


@_imagenet(
    params=44_549_160,
    macs=7_801_405_440,
    errors=Errors(22.626, 6.454, "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"),
    renames=RENAMES,
    deviations=V1_5_DEVIATIONS,
)
def resnet101(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ResNet-101 v1.5: 33 bottlenecks, their strides on the 3x3 convolutions."""
    return _bottleneck(101, classes, channels)


@_imagenet(
    params=60_192_808,
    macs=11_513_626_624,
    errors=Errors(21.688, 5.954, "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"),
    renames=RENAMES,
    deviations=V1_5_DEVIATIONS,
)
def resnet152(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ResNet-152 v1.5: 50 bottlenecks, their strides on the 3x3 convolutions."""
    return _bottleneck(152, classes, channels)


# No rename tables for v1: torchvision's weights have its names and shapes too, but were trained with other strides.
@_imagenet(
    params=25_557_032,
    macs=3_857_973_248,
    errors=Errors(24.7, 7.8, "the authors' Caffe models, single crop"),
    deviations=V1_DEVIATIONS,
)
def resnet50_v1(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ResNet-50 as published: the strides on the first 1x1 convolution of a bottleneck."""
    return _bottleneck(50, classes, channels, early=True)


@_imagenet(
    params=44_549_160,
    macs=7_570_194_432,
    errors=Errors(23.6, 7.1, "the authors' Caffe models, single crop"),
    deviations=V1_DEVIATIONS,
)
def resnet101_v1(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ResNet-101 as published: the strides on the first 1x1 convolution of a bottleneck."""
    return _bottleneck(101, classes, channels, early=True)


@_imagenet(
    params=60_192_808,
    macs=11_282_415_616,
    errors=Errors(23.0, 6.7, "the authors' Caffe models, single crop"),
    deviations=V1_DEVIATIONS,
)
def resnet152_v1(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ResNet-152 as published: the strides on the first 1x1 convolution of a bottleneck."""
    return _bottleneck(152, classes, channels, early=True)
