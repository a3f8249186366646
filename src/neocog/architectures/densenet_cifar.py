"""DenseNet for CIFAR (Huang, Liu, van der Maaten, Weinberger 2016, arXiv:1608.06993). Section 3, table 2."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

from torch import nn

from neocog.core.registry import network
from neocog.nn.conv import centred
from neocog.nn.dense import dense_stages
from neocog.nn.initialise import he_fan_out

BLOCKS = 3
STEM = 16  # maps of the first convolution; twice the growth rate with bottlenecks and compression


def _densenet(
    depth: int, growth: int, classes: int, channels: int, dropout: float | None, recompute: bool, *, bc: bool = False
) -> nn.Module:
    """Returns the network of ``depth`` layers; four, the stem, two transitions and the head, are in no block."""
    maps = 2 * growth if bc else STEM
    layers = (depth - 4) // (BLOCKS * (2 if bc else 1))
    stages, width = dense_stages(
        maps, (layers,) * BLOCKS, growth, compression=0.5 if bc else 1.0, bottleneck=bc, dropout=dropout or 0.0,
        recompute=recompute,
    )  # fmt: skip
    net = nn.Sequential(
        OrderedDict(
            conv0=centred(channels, maps, 3),  # (B, maps, 32, 32)
            **stages,  # (B, width, 8, 8)
            norm5=nn.BatchNorm2d(width),
            relu5=nn.ReLU(),
            avgpool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            head=nn.Linear(width, classes),  # (B, classes)
        )
    )
    nn.init.zeros_(net.get_parameter("head.bias"))
    return he_fan_out(net)


_cifar = partial(
    network,
    paper="1608.06993",
    year=2016,
    task="image classification",
    input=(3, 32, 32),
    classes=10,
    deviations="none; no dropout unless asked for (the paper's runs without augmentation have 0.2)",
)


@_cifar(params=1_019_722, macs=264_812_928)
def densenet40_k12_cifar10(
    classes: int = 10, channels: int = 3, *, dropout: float | None = None, recompute: bool = False
) -> nn.Module:
    """DenseNet for CIFAR, 40 layers, growth 12, without bottlenecks or compression.

    ``dropout`` is the rate after the convolutions, 0 unless given; with ``recompute`` training keeps less for the
    backward pass and computes most of it again.
    """
    return _densenet(40, 12, classes, channels, dropout, recompute)


@_cifar(params=6_979_642, macs=1_769_516_448)
def densenet100_k12_cifar10(
    classes: int = 10, channels: int = 3, *, dropout: float | None = None, recompute: bool = False
) -> nn.Module:
    """DenseNet for CIFAR, 100 layers, growth 12, without bottlenecks or compression.

    ``dropout`` and ``recompute`` are as for `densenet40_k12_cifar10`.
    """
    return _densenet(100, 12, classes, channels, dropout, recompute)


@_cifar(params=27_249_082, macs=6_889_347_744)
def densenet100_k24_cifar10(
    classes: int = 10, channels: int = 3, *, dropout: float | None = None, recompute: bool = False
) -> nn.Module:
    """DenseNet for CIFAR, 100 layers, growth 24, without bottlenecks or compression.

    ``dropout`` and ``recompute`` are as for `densenet40_k12_cifar10`.
    """
    return _densenet(100, 24, classes, channels, dropout, recompute)


@_cifar(params=769_162, macs=287_929_692)
def densenet100_k12_bc_cifar10(
    classes: int = 10, channels: int = 3, *, dropout: float | None = None, recompute: bool = False
) -> nn.Module:
    """DenseNet-BC for CIFAR, 100 layers, growth 12, with bottlenecks and compression to a half.

    ``dropout`` and ``recompute`` are as for `densenet40_k12_cifar10`.
    """
    return _densenet(100, 12, classes, channels, dropout, recompute, bc=True)


@_cifar(params=15_324_406, macs=5_418_785_724)
def densenet250_k24_bc_cifar10(
    classes: int = 10, channels: int = 3, *, dropout: float | None = None, recompute: bool = False
) -> nn.Module:
    """DenseNet-BC for CIFAR, 250 layers, growth 24, with bottlenecks and compression to a half.

    ``dropout`` and ``recompute`` are as for `densenet40_k12_cifar10`.
    """
    return _densenet(250, 24, classes, channels, dropout, recompute, bc=True)


@_cifar(params=25_624_430, macs=9_301_945_740)
def densenet190_k40_bc_cifar10(
    classes: int = 10, channels: int = 3, *, dropout: float | None = None, recompute: bool = False
) -> nn.Module:
    """DenseNet-BC for CIFAR, 190 layers, growth 40, with bottlenecks and compression to a half.

    ``dropout`` and ``recompute`` are as for `densenet40_k12_cifar10`.
    """
    return _densenet(190, 40, classes, channels, dropout, recompute, bc=True)
