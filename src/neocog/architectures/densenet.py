"""DenseNet for ImageNet (Huang, Liu, van der Maaten, Weinberger 2016, arXiv:1608.06993). Table 1."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from functools import partial

from torch import nn

from neocog.core.registry import Errors, network
from neocog.nn.dense import dense_stages
from neocog.nn.initialise import he_fan_out
from neocog.nn.residual import imagenet_stem

# Table 1's rows: the layers of dense blocks 1 to 4, by the depth of the network.
TABLE_1: tuple[Mapping[int, int], ...] = (
    {121: 6, 161: 6, 169: 6, 201: 6},
    {121: 12, 161: 12, 169: 12, 201: 12},
    {121: 24, 161: 36, 169: 32, 201: 48},
    {121: 16, 161: 24, 169: 32, 201: 32},
)
GROWTH = {121: 32, 161: 48, 169: 32, 201: 32}  # table 1's caption; 161, of the authors' code, has 48


def _densenet(depth: int, classes: int, channels: int, recompute: bool) -> nn.Module:
    maps = 2 * GROWTH[depth]
    stem = dict(zip(("conv0", "norm0", "relu0", "pool0"), imagenet_stem(channels, maps).values(), strict=True))
    repeats = tuple(row[depth] for row in TABLE_1)
    stages, width = dense_stages(maps, repeats, GROWTH[depth], recompute=recompute)
    net = nn.Sequential(
        OrderedDict(
            **stem,  # (B, 2 growth, 56, 56)
            **stages,  # (B, width, 7, 7)
            norm5=nn.BatchNorm2d(width),
            relu5=nn.ReLU(),
            avgpool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            head=nn.Linear(width, classes),  # (B, classes)
        )
    )
    nn.init.zeros_(net.get_parameter("head.bias"))
    return he_fan_out(net)


def _torchvision_names(depth: int) -> dict[str, str]:
    """Returns torchvision's module names and ours; the dotted ones are those of the files that it offers."""
    names = {f"features.{name}": name for name in ("conv0", "norm0", "norm5")} | {"classifier": "head"}
    for number, row in enumerate(TABLE_1, 1):
        names[f"features.transition{number}"] = f"transition{number}"
        for layer in range(1, row[depth] + 1):
            ours = f"denseblock{number}.denselayer{layer}"
            for part in ("norm", "conv"):
                names |= {f"features.{ours}.{part}.{index}": f"{ours}.{part}{index}" for index in (1, 2)}
                names |= {f"features.{ours}.{part}{index}": f"{ours}.{part}{index}" for index in (1, 2)}
    return names


def _keras_names(depth: int) -> dict[str, str]:
    """Returns Keras's layer names, which count the stem as the first stage, and our module name for each."""
    names = {"conv1_conv": "conv0", "conv1_bn": "norm0", "bn": "norm5", "predictions": "head"}
    for number, row in enumerate(TABLE_1, 1):
        if number < len(TABLE_1):
            names |= {f"pool{number + 1}_bn": f"transition{number}.norm"}
            names |= {f"pool{number + 1}_conv": f"transition{number}.conv"}
        for layer in range(1, row[depth] + 1):
            theirs, ours = f"conv{number + 1}_block{layer}", f"denseblock{number}.denselayer{layer}"
            names |= {f"{theirs}_0_bn": f"{ours}.norm1", f"{theirs}_1_conv": f"{ours}.conv1"}
            names |= {f"{theirs}_1_bn": f"{ours}.norm2", f"{theirs}_2_conv": f"{ours}.conv2"}
    return names


def _renames(depth: int, *, keras: bool = True) -> Mapping[str, Mapping[str, str]]:
    names = _torchvision_names(depth)
    return {"torchvision": names, "timm": names} | ({"keras": _keras_names(depth)} if keras else {})


_imagenet = partial(network, paper="1608.06993", year=2016, task="image classification", input=(3, 224, 224))


@_imagenet(
    params=7_978_856,
    macs=2_834_161_664,
    errors=Errors(25.566, 8.028, "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"),
    renames=_renames(121),
    aliases=("DenseNet121",),
)
def densenet121(classes: int = 1000, channels: int = 3, *, recompute: bool = False) -> nn.Module:
    """DenseNet-121 (BC): growth 32, 58 dense layers.

    With ``recompute`` training keeps less for the backward pass and computes most of it again.
    """
    return _densenet(121, classes, channels, recompute)


@_imagenet(
    params=28_681_000,
    macs=7_727_907_072,
    errors=Errors(22.862, 6.44, "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"),
    renames=_renames(161, keras=False),
    deviations="none; of the authors' code, not of the final paper's table",
)
def densenet161(classes: int = 1000, channels: int = 3, *, recompute: bool = False) -> nn.Module:
    """DenseNet-161 (BC): growth 48, 78 dense layers.

    With ``recompute`` training keeps less for the backward pass and computes most of it again.
    """
    return _densenet(161, classes, channels, recompute)


@_imagenet(
    params=14_149_480,
    macs=3_359_843_328,
    errors=Errors(24.4, 7.194, "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"),
    renames=_renames(169),
    aliases=("DenseNet169",),
)
def densenet169(classes: int = 1000, channels: int = 3, *, recompute: bool = False) -> nn.Module:
    """DenseNet-169 (BC): growth 32, 82 dense layers.

    With ``recompute`` training keeps less for the backward pass and computes most of it again.
    """
    return _densenet(169, classes, channels, recompute)


@_imagenet(
    params=20_013_928,
    macs=4_291_365_888,
    errors=Errors(23.104, 6.63, "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"),
    renames=_renames(201),
    aliases=("DenseNet201",),
)
def densenet201(classes: int = 1000, channels: int = 3, *, recompute: bool = False) -> nn.Module:
    """DenseNet-201 (BC): growth 32, 98 dense layers.

    With ``recompute`` training keeps less for the backward pass and computes most of it again.
    """
    return _densenet(201, classes, channels, recompute)
