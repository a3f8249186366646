"""SENet (Hu, Shen, Albanie, Sun, Wu 2017, arXiv:1709.01507). Table 1; SENet-154 as in the authors' models."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from torch import nn

from neocog.core.registry import Errors, network
from neocog.nn.conv import centred
from neocog.nn.residual import BasicBlock, Block, Bottleneck, Stage, projection, residual_network
from neocog.nn.squeeze import SqueezeExcitation

EXPANSION = 4
CARDINALITY = 32
DROPOUT_154 = 0.2
TIMM = "timm results-imagenet.csv, in1k at 224, single crop"


class Row(NamedTuple):
    """A row of table 1: the maps of ResNet's 3x3 convolutions, the stride of the first block, the blocks by depth."""

    maps: int
    stride: int
    blocks: Mapping[int, int]


TABLE_1 = (
    Row(64, 1, {18: 2, 34: 3, 50: 3, 101: 3, 152: 3, 154: 3}),  # output 56x56
    Row(128, 2, {18: 2, 34: 4, 50: 4, 101: 4, 152: 8, 154: 8}),  # 28x28
    Row(256, 2, {18: 2, 34: 6, 50: 6, 101: 23, 152: 36, 154: 36}),  # 14x14
    Row(512, 2, {18: 2, 34: 3, 50: 3, 101: 3, 152: 3, 154: 3}),  # 7x7
)


def _rectified_gate(maps: int) -> nn.Module:
    """Returns the gate of the two shallow ports: they squeeze after one more ReLU."""
    return nn.Sequential(OrderedDict(relu=nn.ReLU(), squeeze=SqueezeExcitation(maps)))


def _resnet_block(inputs: int, outputs: int, stride: int) -> nn.Module:
    return Bottleneck(inputs, outputs, stride, width=outputs // EXPANSION, early=True, gate=SqueezeExcitation)


def _resnext_block(inputs: int, outputs: int, stride: int) -> nn.Module:
    return Bottleneck(inputs, outputs, stride, width=outputs // 2, groups=CARDINALITY, gate=SqueezeExcitation)


def _senet154_block(inputs: int, outputs: int, stride: int) -> nn.Module:
    """Returns a bottleneck in 64 groups, half as wide before the 3x3 convolution; strided projections are 3x3."""
    shortcut = partial(projection, kernel=3 if stride > 1 else 1)
    return Bottleneck(
        inputs, outputs, stride, width=outputs, reduced=outputs // 2, groups=64, shortcut=shortcut,
        gate=SqueezeExcitation,
    )  # fmt: skip


def _stages(depth: int, expansion: int) -> list[Stage]:
    return [Stage(row.blocks[depth], expansion * row.maps, row.stride) for row in TABLE_1]


def _stem(convolutions: tuple[nn.Conv2d, ...]) -> dict[str, nn.Module]:
    """Returns convolutions with norm and ReLU and a pooling that, like Caffe's, rounds up and does not pad."""
    stem: dict[str, nn.Module] = {}
    for number, convolution in enumerate(convolutions, 1):
        stem[f"conv{number}"] = convolution
        stem[f"bn{number}"] = nn.BatchNorm2d(convolution.out_channels)
        stem[f"relu{number}"] = nn.ReLU()
    return stem | {"maxpool": nn.MaxPool2d(3, 2, ceil_mode=True)}


def _senet(depth: int, block: Block, classes: int, channels: int, *, expansion: int = EXPANSION) -> nn.Module:
    stem = _stem((nn.Conv2d(channels, 64, 7, 2, padding=3, bias=False),))
    return residual_network(stem, 64, _stages(depth, expansion), block, classes)


def _timm_names(depth: int, gate: str = "gate") -> dict[str, dict[str, str]]:
    """Returns the module names of timm (and of Cadene's port, whence its weights come) and ours for each."""
    names = {f"layer0.{part}{number}": f"{part}{number}" for part in ("conv", "bn") for number in (1, 2, 3)}
    names["last_linear"] = "head"
    for stage, row in enumerate(TABLE_1, 1):
        for index in range(row.blocks[depth]):
            names[f"layer{stage}.{index}.se_module"] = f"layer{stage}.{index}.{gate}"
    return {"timm": names}


_imagenet = partial(network, paper="1709.01507", year=2017, task="image classification", input=(3, 224, 224))
SHALLOW = "not in the paper: timm's; squeezes after one more ReLU, pools without padding, rounding up"
RESNET = "none; strides on the 1x1 convolutions, pooling without padding, rounding up, as in the authors' models"
RESNEXT = "none; pooling without padding, rounding up, as in the authors' models"


@_imagenet(
    params=11_778_592,
    macs=1_814_160_384,
    errors=Errors(28.258, 9.66, TIMM),
    renames=_timm_names(18, "gate.squeeze"),
    aliases=("legacy_seresnet18",),
    deviations=SHALLOW,
)
def se_resnet18(classes: int = 1000, channels: int = 3) -> nn.Module:
    """SE-ResNet-18: ResNet-18 with squeeze-and-excitation in every block."""
    return _senet(18, partial(BasicBlock, gate=_rectified_gate), classes, channels, expansion=1)


@_imagenet(
    params=21_958_868,
    macs=3_663_918_592,
    errors=Errors(25.212, 7.866, TIMM),
    renames=_timm_names(34, "gate.squeeze"),
    aliases=("legacy_seresnet34",),
    deviations=SHALLOW,
)
def se_resnet34(classes: int = 1000, channels: int = 3) -> nn.Module:
    """SE-ResNet-34: ResNet-34 with squeeze-and-excitation in every block."""
    return _senet(34, partial(BasicBlock, gate=_rectified_gate), classes, channels, expansion=1)


@_imagenet(
    params=28_088_024,
    macs=3_860_488_192,
    errors=Errors(22.35, 6.268, TIMM),
    renames=_timm_names(50),
    aliases=("legacy_seresnet50",),
    deviations=RESNET,
)
def se_resnet50(classes: int = 1000, channels: int = 3) -> nn.Module:
    """SE-ResNet-50: ResNet-50 with squeeze-and-excitation in every bottleneck."""
    return _senet(50, _resnet_block, classes, channels)


@_imagenet(
    params=49_326_872,
    macs=7_574_937_600,
    errors=Errors(21.63, 5.736, TIMM),
    renames=_timm_names(101),
    aliases=("legacy_seresnet101",),
    deviations=RESNET,
)
def se_resnet101(classes: int = 1000, channels: int = 3) -> nn.Module:
    """SE-ResNet-101: ResNet-101 with squeeze-and-excitation in every bottleneck."""
    return _senet(101, _resnet_block, classes, channels)


@_imagenet(
    params=66_821_848,
    macs=11_288_993_792,
    errors=Errors(21.338, 5.63, TIMM),
    renames=_timm_names(152),
    aliases=("legacy_seresnet152",),
    deviations=RESNET,
)
def se_resnet152(classes: int = 1000, channels: int = 3) -> nn.Module:
    """SE-ResNet-152: ResNet-152 with squeeze-and-excitation in every bottleneck."""
    return _senet(152, _resnet_block, classes, channels)


@_imagenet(
    params=27_559_896,
    macs=4_232_994_816,
    errors=Errors(20.92, 5.572, TIMM),
    renames=_timm_names(50),
    aliases=("legacy_seresnext50_32x4d",),
    deviations=RESNEXT,
)
def se_resnext50_32x4d(classes: int = 1000, channels: int = 3) -> nn.Module:
    """SE-ResNeXt-50: ResNeXt-50 in 32 groups, with squeeze-and-excitation in every bottleneck."""
    return _senet(50, _resnext_block, classes, channels)


@_imagenet(
    params=48_955_416,
    macs=7_974_739_968,
    errors=Errors(19.726, 4.968, TIMM),
    renames=_timm_names(101),
    aliases=("legacy_seresnext101_32x4d",),
    deviations=RESNEXT,
)
def se_resnext101_32x4d(classes: int = 1000, channels: int = 3) -> nn.Module:
    """SE-ResNeXt-101: ResNeXt-101 in 32 groups, with squeeze-and-excitation in every bottleneck."""
    return _senet(101, _resnext_block, classes, channels)


@_imagenet(
    params=115_088_984,
    macs=20_688_363_520,
    errors=Errors(18.68, 4.498, TIMM),
    renames=_timm_names(154),
    aliases=("legacy_senet154",),
    deviations=RESNEXT,
)
def senet154(classes: int = 1000, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """SENet-154: 50 bottlenecks in 64 groups, three 3x3 convolutions as the stem, 3x3 projections.

    ``dropout`` is the rate before the head, 0.2 as published.
    """
    convolutions = (centred(channels, 64, 3, 2), centred(64, 64, 3), centred(64, 128, 3))
    rate = DROPOUT_154 if dropout is None else dropout
    stem = _stem(convolutions)
    return residual_network(stem, 128, _stages(154, EXPANSION), _senet154_block, classes, dropout=rate)
