"""MobileNet (Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam 2017, arXiv:1704.04861). Table 1."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from torch import nn

from neocog.core.registry import Errors, network
from neocog.nn.conv import named_trio
from neocog.nn.padding import Way, way_of
from neocog.nn.width import scaled_width

STEM = 32
DROPOUT = 0.001
DEVIATION = (
    "ReLU6 for ReLU and dropout 0.001 before the head, as in the authors' code; the last depthwise layer has stride 1, "
    "since table 1's stride 2 contradicts its own sizes"
)


class Row(NamedTuple):
    """Two lines of table 1: a depthwise 3x3 convolution with this stride, and a 1x1 convolution to these maps."""

    stride: int
    outputs: int


TABLE_1 = (
    Row(1, 64),  # 112x112x32
    Row(2, 128),  # 112x112x64
    Row(1, 128),  # 56x56x128
    Row(2, 256),  # 56x56x128
    Row(1, 256),  # 28x28x256
    Row(2, 512),  # 28x28x256
    *(Row(1, 512),) * 5,  # 14x14x512, "5x"
    Row(2, 1024),  # 14x14x512
    Row(1, 1024),  # 7x7x1024
)


def _block(inputs: int, outputs: int, stride: int, way: Way) -> nn.Sequential:
    """Figure 3, right: a filter a map, then 1x1 across the maps, each with batch norm and activation."""
    return nn.Sequential(
        OrderedDict(
            **named_trio("depthwise", way.convolution(inputs, inputs, 3, stride, inputs), way.norm),
            **named_trio("pointwise", way.convolution(inputs, outputs, 1, 1, 1), way.norm),
        )
    )


def _mobilenet(multiplier: float, *, classes: int, channels: int, dropout: float | None, padding: str) -> nn.Sequential:
    way = way_of(padding)
    width = stem = scaled_width(STEM, multiplier)
    blocks: dict[str, nn.Module] = {}
    for number, row in enumerate(TABLE_1, 1):
        outputs = scaled_width(row.outputs, multiplier)
        blocks[f"block{number}"] = _block(width, outputs, row.stride, way)
        width = outputs
    net = nn.Sequential(
        OrderedDict(
            **named_trio("stem", way.convolution(channels, stem, 3, 2, 1), way.norm),  # (B, 32, 112, 112)
            **blocks,  # (B, 1024, 7, 7)
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),  # (B, 1024)
            dropout=nn.Dropout(DROPOUT if dropout is None else dropout),
            head=nn.Linear(width, classes),  # (B, classes)
        )
    )
    _initialise(net)
    return net


def _initialise(net: nn.Module) -> None:
    """As the authors' code: normal with deviation 0.09, cut at two deviations; biases of zero."""
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.trunc_normal_(module.weight, std=0.09, a=-0.18, b=0.18)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _timm_names(rows: Sequence[Row]) -> dict[str, str]:
    """Returns timm's module names, which begin a stage at each stride, and ours for each."""
    names = {"conv_stem": "stem", "bn1": "stem_bn", "classifier": "head"}
    stage, position = 0, 0
    for number, row in enumerate(rows, 1):
        if row.stride > 1:
            stage, position = stage + 1, 0
        theirs, ours = f"blocks.{stage}.{position}", f"block{number}"
        names |= {f"{theirs}.conv_dw": f"{ours}.depthwise", f"{theirs}.bn1": f"{ours}.depthwise_bn"}
        names |= {f"{theirs}.conv_pw": f"{ours}.pointwise", f"{theirs}.bn2": f"{ours}.pointwise_bn"}
        position += 1
    return names


def _keras_names(rows: Sequence[Row]) -> dict[str, str]:
    """Returns the names of Keras's layers and ours for each; its head is a 1x1 convolution."""
    names = {"conv1": "stem", "conv1_bn": "stem_bn", "conv_preds": "head"}
    for number, _ in enumerate(rows, 1):
        for theirs, ours in (("dw", "depthwise"), ("pw", "pointwise")):
            names[f"conv_{theirs}_{number}"] = f"block{number}.{ours}"
            names[f"conv_{theirs}_{number}_bn"] = f"block{number}.{ours}_bn"
    return names


RENAMES = {"timm": _timm_names(TABLE_1), "keras": _keras_names(TABLE_1)}


@network(
    paper="1704.04861",
    year=2017,
    task="image classification",
    input=(3, 224, 224),
    params=4_231_976,
    macs=568_740_352,
    errors=Errors(29.4, None, "the paper, table 6"),
    renames=RENAMES,
    deviations=DEVIATION,
    aliases=("mobilenetv1_100",),
)
def mobilenet_v1(
    classes: int = 1000, channels: int = 3, *, dropout: float | None = None, padding: str = "symmetric"
) -> nn.Module:
    """MobileNet, width 1.0: thirteen pairs of a depthwise and a 1x1 convolution.

    ``dropout`` is the rate before the head, 0.001 as published. ``padding="tensorflow"`` is what weights from
    TensorFlow and Keras need (`neocog.nn.padding.way_of`); Keras, which halves an odd side downwards, gives the same
    numbers where the input's sides are multiples of 32.
    """
    return _mobilenet(1.0, classes=classes, channels=channels, dropout=dropout, padding=padding)


@network(
    paper="1704.04861",
    year=2017,
    task="image classification",
    input=(3, 224, 224),
    params=2_585_560,
    macs=325_400_448,
    errors=Errors(31.6, None, "the paper, table 6"),
    renames=RENAMES,
    deviations=DEVIATION,
)
def mobilenet_v1_075(
    classes: int = 1000, channels: int = 3, *, dropout: float | None = None, padding: str = "symmetric"
) -> nn.Module:
    """MobileNet, width 0.75; the options are those of `mobilenet_v1`."""
    return _mobilenet(0.75, classes=classes, channels=channels, dropout=dropout, padding=padding)


@network(
    paper="1704.04861",
    year=2017,
    task="image classification",
    input=(3, 224, 224),
    params=1_331_592,
    macs=149_497_088,
    errors=Errors(36.3, None, "the paper, table 6"),
    renames=RENAMES,
    deviations=DEVIATION,
)
def mobilenet_v1_050(
    classes: int = 1000, channels: int = 3, *, dropout: float | None = None, padding: str = "symmetric"
) -> nn.Module:
    """MobileNet, width 0.5; the options are those of `mobilenet_v1`."""
    return _mobilenet(0.5, classes=classes, channels=channels, dropout=dropout, padding=padding)


@network(
    paper="1704.04861",
    year=2017,
    task="image classification",
    input=(3, 224, 224),
    params=470_072,
    macs=41_030_272,
    errors=Errors(49.4, None, "the paper, table 6"),
    renames=RENAMES,
    deviations=DEVIATION,
)
def mobilenet_v1_025(
    classes: int = 1000, channels: int = 3, *, dropout: float | None = None, padding: str = "symmetric"
) -> nn.Module:
    """MobileNet, width 0.25; the options are those of `mobilenet_v1`."""
    return _mobilenet(0.25, classes=classes, channels=channels, dropout=dropout, padding=padding)
