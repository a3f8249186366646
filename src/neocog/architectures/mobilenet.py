"""MobileNetV2 (Sandler, Howard, Zhu, Zhmoginov, Chen 2018, arXiv:1801.04381). Table 2."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from torch import nn

from neocog.core.registry import Errors, network
from neocog.nn.conv import centred, named_trio
from neocog.nn.inverted import InvertedResidual

STEM, LAST = 32, 1280
DROPOUT = 0.2


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


def _stage(inputs: int, row: Row) -> nn.Sequential:
    first = InvertedResidual(inputs, row.outputs, expansion=row.expansion, stride=row.stride)
    rest = (InvertedResidual(row.outputs, row.outputs, expansion=row.expansion) for _ in range(row.repeats - 1))
    return nn.Sequential(first, *rest)


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


@network(
    paper="1801.04381",
    year=2018,
    task="image classification",
    input=(3, 224, 224),
    params=3_504_872,
    macs=300_774_272,
    errors=Errors(28.122, 9.714, "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"),
    renames={"torchvision": _torchvision_names(TABLE_2)},
    deviations="none; dropout 0.2 before the head as in the authors' code",
)
def mobilenet_v2(classes: int = 1000, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """MobileNetV2, width 1.0: inverted residuals with linear bottlenecks.

    ``dropout`` is the rate before the head, 0.2 as published.
    """
    stages: dict[str, nn.Module] = {}
    width = STEM
    for number, row in enumerate(TABLE_2, 1):
        stages[f"stage{number}"] = _stage(width, row)
        width = row.outputs
    net = nn.Sequential(
        OrderedDict(
            **named_trio("stem", centred(channels, STEM, 3, 2), nn.BatchNorm2d),  # (B, 32, 112, 112)
            **stages,  # (B, 320, 7, 7)
            **named_trio("last", centred(width, LAST, 1), nn.BatchNorm2d),  # (B, 1280, 7, 7)
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),  # (B, 1280)
            dropout=nn.Dropout(DROPOUT if dropout is None else dropout),
            head=nn.Linear(LAST, classes),  # (B, classes)
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
