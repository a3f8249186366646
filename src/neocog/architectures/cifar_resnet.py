"""ResNet for CIFAR-10 (He, Zhang, Ren, Sun 2015, arXiv:1512.03385). Section 4.2, its table of layers, table 6."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from neocog.core.registry import Errors, network
from neocog.nn.conv import centred
from neocog.nn.residual import BasicBlock, Block, Bottleneck, Stage, residual_network

STEM = 16
EXPANSION = 4


class Row(NamedTuple):
    """A column of section 4.2's table: the maps and the stride of its first block, for outputs of 32, 16 and 8."""

    maps: int
    stride: int


SECTION_4_2 = (
    Row(16, 1),  # 32x32
    Row(32, 2),  # 16x16
    Row(64, 2),  # 8x8
)


class PaddedShortcut(nn.Module):
    """The shortcut without parameters (option A, section 3.3): every ``stride``-th pixel, new maps of zeros behind."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.kernel_size, self.stride = 1, stride
        self.missing = outputs - inputs

    def forward(self, x: Tensor) -> Tensor:  # (B, inputs, H, W)
        """Returns (B, outputs, ceil(H / stride), ceil(W / stride))."""
        kept = x[:, :, :: self.stride, :: self.stride]
        return functional.pad(kept, (0, 0, 0, 0, 0, self.missing))


def option_a(inputs: int, outputs: int, stride: int) -> nn.Module:
    """Returns the identity, or where the shape changes `PaddedShortcut`."""
    return nn.Identity() if inputs == outputs and stride == 1 else PaddedShortcut(inputs, outputs, stride)


def _cifar_network(blocks: int, block: Block, expansion: int, classes: int, channels: int) -> nn.Module:
    stem = {"conv1": centred(channels, STEM, 3), "bn1": nn.BatchNorm2d(STEM), "relu": nn.ReLU()}  # (B, 16, 32, 32)
    stages = [Stage(blocks, expansion * row.maps, row.stride) for row in SECTION_4_2]
    return residual_network(stem, STEM, stages, block, classes)


def _published(depth: int, classes: int, channels: int) -> nn.Module:
    """Returns the network of 6 n + 2 layers."""
    return _cifar_network((depth - 2) // 6, partial(BasicBlock, shortcut=option_a), 1, classes, channels)


def _projecting(depth: int, classes: int, channels: int) -> nn.Module:
    return _cifar_network((depth - 2) // 6, BasicBlock, 1, classes, channels)


def _bottleneck(inputs: int, outputs: int, stride: int) -> nn.Module:
    return Bottleneck(inputs, outputs, stride, width=outputs // EXPANSION)


_cifar = partial(network, paper="1512.03385", year=2015, task="image classification", input=(3, 32, 32), classes=10)
TABLE_6 = "He et al. 2015, table 6, CIFAR-10 test"
PROJECTIONS = "projections (option B) where the shape changes; the paper has option A on CIFAR"


@_cifar(params=269_722, macs=40_551_040, errors=Errors(8.75, None, TABLE_6))
def resnet20(classes: int = 10, channels: int = 3) -> nn.Module:
    """ResNet-20 for CIFAR as published: nine blocks, shortcuts without parameters."""
    return _published(20, classes, channels)


@_cifar(params=464_154, macs=68_862_592, errors=Errors(7.51, None, TABLE_6))
def resnet32(classes: int = 10, channels: int = 3) -> nn.Module:
    """ResNet-32 for CIFAR as published: 15 blocks, shortcuts without parameters."""
    return _published(32, classes, channels)


@_cifar(params=658_586, macs=97_174_144, errors=Errors(7.17, None, TABLE_6))
def resnet44(classes: int = 10, channels: int = 3) -> nn.Module:
    """ResNet-44 for CIFAR as published: 21 blocks, shortcuts without parameters."""
    return _published(44, classes, channels)


@_cifar(params=853_018, macs=125_485_696, errors=Errors(6.97, None, TABLE_6))
def resnet56(classes: int = 10, channels: int = 3) -> nn.Module:
    """ResNet-56 for CIFAR as published: 27 blocks, shortcuts without parameters."""
    return _published(56, classes, channels)


@_cifar(params=1_727_962, macs=252_887_680, errors=Errors(6.43, None, f"{TABLE_6}, best of five (6.61 +- 0.16)"))
def resnet110(classes: int = 10, channels: int = 3) -> nn.Module:
    """ResNet-110 for CIFAR as published: 54 blocks, shortcuts without parameters."""
    return _published(110, classes, channels)


@_cifar(params=272_474, macs=40_813_184, deviations=PROJECTIONS)
def resnet20_cifar10(classes: int = 10, channels: int = 3) -> nn.Module:
    """ResNet-20 for CIFAR with projections where the shape changes."""
    return _projecting(20, classes, channels)


@_cifar(params=1_730_714, macs=253_149_824, deviations=PROJECTIONS)
def resnet110_cifar10(classes: int = 10, channels: int = 3) -> nn.Module:
    """ResNet-110 for CIFAR with projections where the shape changes."""
    return _projecting(110, classes, channels)


@_cifar(
    params=10_328_602,
    macs=1_490_995_712,
    deviations="ResNet-1001 of arXiv:1603.05027 with its original units (norm and ReLU after the convolutions) and "
    "projections where the shape changes; each block's last norm starts at 1 / sqrt(333), not 1, since 333 residuals "
    "of the input's size overflow before the running statistics have settled",
)
def resnet1001_cifar10(classes: int = 10, channels: int = 3) -> nn.Module:
    """ResNet-1001 for CIFAR: 333 bottlenecks."""
    net = _cifar_network((1001 - 2) // 9, _bottleneck, EXPANSION, classes, channels)
    blocks = [module for module in net.modules() if isinstance(module, Bottleneck)]
    for block in blocks:
        nn.init.constant_(block.bn3.weight, len(blocks) ** -0.5)
    return net
