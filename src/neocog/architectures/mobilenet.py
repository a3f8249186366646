"""MobileNetV2 (Sandler, Howard, Zhu, Zhmoginov, Chen 2018, arXiv:1801.04381). Table 2."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from torch import nn

from neocog.core.registry import Errors, network
from neocog.nn.conv import named_trio
from neocog.nn.inverted import InvertedResidual
from neocog.nn.inverted_names import timm_block_names
from neocog.nn.padding import Way, way_of
from neocog.nn.width import scaled_width

STEM, LAST = 32, 1280
DROPOUT = 0.2
DEVIATION = "none; dropout 0.2 before the head as in the authors' code"


class Row(NamedTuple):
    """A row of table 2: the factor t, the output maps c, the repetitions n, the stride s of the first."""

    expansion: int
    outputs: int
    repeats: int
    stride: int


TABLE_2 = (
    Row(1, 16, 1, 1),
    Row(6, 24, 2, 2),
    Row(6, 32, 3, 2),
    Row(6, 64, 4, 2),
    Row(6, 96, 3, 1),
    Row(6, 160, 3, 2),
    Row(6, 320, 1, 1),
)


def _stage(inputs: int, outputs: int, row: Row, way: Way) -> nn.Sequential:
    widths = [(inputs, row.stride), *[(outputs, 1)] * (row.repeats - 1)]
    return nn.Sequential(
        *(
            InvertedResidual(
                width, outputs, expansion=row.expansion, stride=stride, convolution=way.convolution, norm=way.norm
            )
            for width, stride in widths
        )
    )


def _mobilenet(multiplier: float, *, classes: int, channels: int, dropout: float | None, padding: str) -> nn.Sequential:
    """Section 3.4: the multiplier is for all layers but, below one, the last convolution."""
    way = way_of(padding)
    stages: dict[str, nn.Module] = {}
    width = stem = scaled_width(STEM, multiplier)
    last = scaled_width(LAST, max(multiplier, 1.0))
    for number, row in enumerate(TABLE_2, 1):
        outputs = scaled_width(row.outputs, multiplier)
        stages[f"stage{number}"] = _stage(width, outputs, row, way)
        width = outputs
    net = nn.Sequential(
        OrderedDict(
            **named_trio("stem", way.convolution(channels, stem, 3, 2, 1), way.norm),  # (B, 32, 112, 112)
            **stages,  # (B, 320, 7, 7)
            **named_trio("last", way.convolution(width, last, 1, 1, 1), way.norm),  # (B, 1280, 7, 7)
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),  # (B, 1280)
            dropout=nn.Dropout(DROPOUT if dropout is None else dropout),
            head=nn.Linear(last, classes),  # (B, classes)
        )
    )
    _initialise(net)
    return net


def _initialise(net: nn.Module) -> None:
    """Normal with variance 2 / fan-out for convolutions (arXiv:1502.01852), deviation 0.01 for the dense layer."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)
            nn.init.zeros_(module.bias)


def _torchvision_names(rows: Sequence[Row]) -> dict[str, str]:
    """Returns torchvision's module names, which count all blocks in one row, and ours for each."""
    names = {"features.0.0": "stem", "features.0.1": "stem_bn", "classifier.1": "head"}
    index = 1
    for stage, row in enumerate(rows, 1):
        for block in range(row.repeats):
            theirs, ours = f"features.{index}.conv", f"stage{stage}.{block}.body"
            trios = ("expand", "depthwise") if row.expansion > 1 else ("depthwise",)
            for position, trio in enumerate(trios):
                names[f"{theirs}.{position}.0"] = f"{ours}.{trio}"
                names[f"{theirs}.{position}.1"] = f"{ours}.{trio}_bn"
            names[f"{theirs}.{len(trios)}"] = f"{ours}.project"
            names[f"{theirs}.{len(trios) + 1}"] = f"{ours}.project_bn"
            index += 1
    return names | {f"features.{index}.0": "last", f"features.{index}.1": "last_bn"}


def _timm_names(rows: Sequence[Row]) -> dict[str, str]:
    """Returns timm's module names and ours for each."""
    ends = {"conv_stem": "stem", "bn1": "stem_bn", "conv_head": "last", "bn2": "last_bn", "classifier": "head"}
    return ends | timm_block_names((f"stage{number}", row.expansion, row.repeats) for number, row in enumerate(rows, 1))


def _keras_names(rows: Sequence[Row]) -> dict[str, str]:
    """Returns the names of Keras's layers, which count all blocks in one row but the first, and ours for each."""
    names = {"Conv1": "stem", "bn_Conv1": "stem_bn", "Conv_1": "last", "Conv_1_bn": "last_bn", "predictions": "head"}
    index = 0
    for stage, row in enumerate(rows, 1):
        for block in range(row.repeats):
            theirs = f"block_{index}" if index else "expanded_conv"
            for layer in ("expand", "depthwise", "project") if row.expansion > 1 else ("depthwise", "project"):
                names[f"{theirs}_{layer}"] = f"stage{stage}.{block}.body.{layer}"
                names[f"{theirs}_{layer}_BN"] = f"stage{stage}.{block}.body.{layer}_bn"
            index += 1
    return names


RENAMES = {
    "torchvision": _torchvision_names(TABLE_2),
    "timm": _timm_names(TABLE_2),
    "keras": _keras_names(TABLE_2),
}


@network(
    paper="1801.04381",
    year=2018,
    task="image classification",
    input=(3, 224, 224),
    params=3_504_872,
    macs=300_774_272,
    errors=Errors(28.122, 9.714, "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"),
    renames=RENAMES,
    deviations=DEVIATION,
    aliases=("mobilenetv2_100",),
)
def mobilenet_v2(
    classes: int = 1000, channels: int = 3, *, dropout: float | None = None, padding: str = "symmetric"
) -> nn.Module:
    """MobileNetV2, width 1.0: inverted residuals with linear bottlenecks.

    ``dropout`` is the rate before the head, 0.2 as published. ``padding="tensorflow"`` is what weights from TensorFlow
    and Keras need (`neocog.nn.padding.way_of`).
    """
    return _mobilenet(1.0, classes=classes, channels=channels, dropout=dropout, padding=padding)


@network(
    paper="1801.04381",
    year=2018,
    task="image classification",
    input=(3, 224, 224),
    params=1_968_680,
    macs=97_131_840,
    errors=Errors(34.072, 13.886, "timm's results-imagenet.csv, mobilenetv2_050.lamb_in1k at 224, single crop"),
    renames=RENAMES,
    deviations=DEVIATION,
    aliases=("mobilenetv2_050",),
)
def mobilenet_v2_050(
    classes: int = 1000, channels: int = 3, *, dropout: float | None = None, padding: str = "symmetric"
) -> nn.Module:
    """MobileNetV2, width 0.5; the last convolution keeps its 1280 maps. The options are those of `mobilenet_v2`."""
    return _mobilenet(0.5, classes=classes, channels=channels, dropout=dropout, padding=padding)


@network(
    paper="1801.04381",
    year=2018,
    task="image classification",
    input=(3, 224, 224),
    params=6_108_776,
    macs=582_195_824,
    errors=Errors(23.472, 6.992, "timm's results-imagenet.csv, mobilenetv2_140.ra_in1k at 224, single crop"),
    renames=RENAMES,
    deviations=DEVIATION,
    aliases=("mobilenetv2_140",),
)
def mobilenet_v2_140(
    classes: int = 1000, channels: int = 3, *, dropout: float | None = None, padding: str = "symmetric"
) -> nn.Module:
    """MobileNetV2, width 1.4, the widest of the paper. The options are those of `mobilenet_v2`."""
    return _mobilenet(1.4, classes=classes, channels=channels, dropout=dropout, padding=padding)
