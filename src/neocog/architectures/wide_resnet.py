"""Wide ResNet (Zagoruyko, Komodakis 2016, arXiv:1605.07146). Table 1 for CIFAR, section 3.4 for ImageNet."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import ClassVar, NamedTuple

from torch import Tensor, nn

from neocog.core.registry import Errors, network
from neocog.nn.conv import centred
from neocog.nn.fold import Folds
from neocog.nn.initialise import he_fan_out
from neocog.nn.overwrite import Overwrites
from neocog.nn.residual import Bottleneck, Stage, imagenet_stem, residual_network, residual_stages

STEM = 16
WIDENING_IMAGENET = 2


class Row(NamedTuple):
    """A row of table 1: the maps at widening 1 and the stride of the group's first block."""

    maps: int
    stride: int


TABLE_1 = (
    Row(16, 1),  # conv2
    Row(32, 2),  # conv3
    Row(64, 2),  # conv4
)


class PreActivationBlock(nn.Module):
    """Norm and ReLU before each of two 3x3 convolutions, dropout between them (section 2.4, figure 1 d).

    Where the shape changes, the shortcut is a 1x1 convolution of the input after norm and ReLU; else the input itself.
    """

    folds: ClassVar[Folds] = (("conv1", "bn2"),)
    overwrites: ClassVar[Overwrites] = ("relu1", "relu2")

    def __init__(self, inputs: int, outputs: int, stride: int, *, dropout: float) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.relu1 = nn.ReLU()
        self.conv1 = centred(inputs, outputs, 3, stride)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu2 = nn.ReLU()
        self.dropout = nn.Dropout(dropout)
        self.conv2 = centred(outputs, outputs, 3)
        self.keeps_shape = stride == 1 and inputs == outputs
        if not self.keeps_shape:
            self.shortcut = centred(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:  # (B, inputs, H, W)
        """Returns (B, outputs, ceil(H / stride), ceil(W / stride))."""
        active = self.relu1(self.bn1(x))
        y = self.dropout(self.relu2(self.bn2(self.conv1(active))))  # (B, outputs, H / stride, W / stride)
        return self.conv2(y) + (x if self.keeps_shape else self.shortcut(active))  # type: ignore[no-any-return]


def _wrn(depth: int, widening: int, classes: int, channels: int, dropout: float | None) -> nn.Module:
    blocks = (depth - 4) // 6  # two convolutions a block, three groups; four layers are elsewhere
    stages = [Stage(blocks, widening * row.maps, row.stride) for row in TABLE_1]
    block = partial(PreActivationBlock, dropout=0.0 if dropout is None else dropout)
    net = nn.Sequential(
        OrderedDict(
            conv1=centred(channels, STEM, 3),  # (B, 16, 32, 32)
            **residual_stages(STEM, stages, block),  # (B, 64 widening, 8, 8)
            bn=nn.BatchNorm2d(stages[-1].outputs),
            relu=nn.ReLU(),
            avgpool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            head=nn.Linear(stages[-1].outputs, classes),  # (B, classes)
        )
    )
    return he_fan_out(net)


_cifar = partial(
    network,
    paper="1605.07146",
    year=2016,
    task="image classification",
    input=(3, 32, 32),
    classes=10,
    deviations="none; no dropout unless asked for (the paper's runs with it have 0.3)",
)


@_cifar(params=36_479_194, macs=5_243_328_768)
def wrn28_10_cifar10(classes: int = 10, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """WRN-28-10 for CIFAR: 12 pre-activation blocks, ten times as wide as ResNet.

    ``dropout`` is the rate between a block's convolutions, 0 unless given.
    """
    return _wrn(28, 10, classes, channels, dropout)


@_cifar(params=17_116_634, macs=2_412_173_568)
def wrn16_10_cifar10(classes: int = 10, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """WRN-16-10 for CIFAR: 6 pre-activation blocks, ten times as wide as ResNet.

    ``dropout`` is the rate between a block's convolutions, 0 unless given.
    """
    return _wrn(16, 10, classes, channels, dropout)


@_cifar(params=35_748_314, macs=5_172_024_320)
def wrn40_8_cifar10(classes: int = 10, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """WRN-40-8 for CIFAR: 18 pre-activation blocks, eight times as wide as ResNet.

    ``dropout`` is the rate between a block's convolutions, 0 unless given.
    """
    return _wrn(40, 8, classes, channels, dropout)


class ImageNetRow(NamedTuple):
    """A row of ResNet's table 1 (arXiv:1512.03385), which section 3.4 widens: blocks of 50 and 101, maps, stride."""

    blocks_50: int
    blocks_101: int
    outputs: int
    stride: int


RESNET_TABLE_1 = (
    ImageNetRow(3, 3, 256, 1),  # conv2_x
    ImageNetRow(4, 4, 512, 2),  # conv3_x
    ImageNetRow(6, 23, 1024, 2),  # conv4_x
    ImageNetRow(3, 3, 2048, 2),  # conv5_x
)


def _wide_bottleneck(inputs: int, outputs: int, stride: int) -> nn.Module:
    return Bottleneck(inputs, outputs, stride, width=WIDENING_IMAGENET * outputs // 4)


# torchvision and timm name all else as it is named here.
_imagenet = partial(
    network,
    paper="1605.07146",
    year=2016,
    task="image classification",
    input=(3, 224, 224),
    renames={"torchvision": {"fc": "head"}, "timm": {"fc": "head"}},
)


@_imagenet(
    params=68_883_240,
    macs=11_398_021_120,
    errors=Errors(21.532, 5.914, "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"),
    deviations="none; strides on the 3x3 convolutions, as in the authors' code",
)
def wide_resnet50_2(classes: int = 1000, channels: int = 3) -> nn.Module:
    """WRN-50-2: ResNet-50 with twice the maps in the 3x3 convolutions."""
    stages = [Stage(row.blocks_50, row.outputs, row.stride) for row in RESNET_TABLE_1]
    return residual_network(imagenet_stem(channels), 64, stages, _wide_bottleneck, classes)


@_imagenet(
    params=126_886_696,
    macs=22_753_050_624,
    errors=Errors(21.152, 5.716, "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"),
    deviations="not in the paper: torchvision's extension of WRN-50-2 to 101 layers",
)
def wide_resnet101_2(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ResNet-101 with twice the maps in the 3x3 convolutions."""
    stages = [Stage(row.blocks_101, row.outputs, row.stride) for row in RESNET_TABLE_1]
    return residual_network(imagenet_stem(channels), 64, stages, _wide_bottleneck, classes)
