"""ShuffleNet V2 (Ma, Zhang, Zheng, Sun 2018, arXiv:1807.11164). Table 5."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from torch import Tensor, nn

from neocog.core.registry import Errors, network
from neocog.nn.conv import centred
from neocog.nn.shuffle import Halves, Interleave
from neocog.nn.shuffle_init import initialise_shufflenet

STEM = 24
DEVIATION = "none; the dense layer has a bias, and 2x no dropout, as in torchvision"


class Row(NamedTuple):
    """A row of table 5: the repetitions of a stage; its first unit halves the sides."""

    repeats: int


TABLE_5 = {
    "stage2": Row(4),  # 1 with stride 2, 3 with stride 1; 28x28
    "stage3": Row(8),  # 14x14
    "stage4": Row(4),  # 7x7
}


class Widths(NamedTuple):
    """A column of table 5: the output maps of the stages and of conv5."""

    stage2: int
    stage3: int
    stage4: int
    conv5: int


X0_5 = Widths(48, 96, 192, 1024)
X1_0 = Widths(116, 232, 464, 1024)
X1_5 = Widths(176, 352, 704, 1024)
X2_0 = Widths(244, 488, 976, 2048)


class Unit(nn.Module):
    """Figure 3 (c): half of the maps stay as they are, the right branch transforms the others."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.halves = Halves()
        self.right = _right(maps // 2, maps // 2, stride=1)
        self.shuffle = Interleave()

    def forward(self, x: Tensor) -> Tensor:  # (B, maps, H, W)
        """Returns (B, maps, H, W)."""
        kept, taken = self.halves(x)
        return self.shuffle(kept, self.right(taken))  # type: ignore[no-any-return]


class StridedUnit(nn.Module):
    """Figure 3 (d): both branches transform all maps, to half the sides."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.left = _left(inputs, outputs // 2, stride=2)
        self.right = _right(inputs, outputs // 2, stride=2)
        self.shuffle = Interleave()

    def forward(self, x: Tensor) -> Tensor:  # (B, inputs, H, W)
        """Returns (B, outputs, ceil(H / 2), ceil(W / 2))."""
        return self.shuffle(self.left(x), self.right(x))  # type: ignore[no-any-return]


def _depthwise(maps: int, stride: int) -> dict[str, nn.Module]:
    return {"depthwise": centred(maps, maps, 3, stride, maps), "depthwise_bn": nn.BatchNorm2d(maps)}


def _pointwise(name: str, inputs: int, outputs: int) -> dict[str, nn.Module]:
    return {name: centred(inputs, outputs, 1), f"{name}_bn": nn.BatchNorm2d(outputs), f"{name}_relu": nn.ReLU()}


def _left(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(OrderedDict(**_depthwise(inputs, stride), **_pointwise("pointwise", inputs, outputs)))


def _right(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            **_pointwise("pointwise1", inputs, outputs),
            **_depthwise(outputs, stride),
            **_pointwise("pointwise2", outputs, outputs),
        )
    )


def _shufflenet(widths: Widths, *, classes: int, channels: int) -> nn.Sequential:
    stages: dict[str, nn.Module] = {}
    width = STEM
    for (name, row), outputs in zip(TABLE_5.items(), widths[:3], strict=True):
        stages[name] = nn.Sequential(StridedUnit(width, outputs), *(Unit(outputs) for _ in range(row.repeats - 1)))
        width = outputs
    net = nn.Sequential(
        OrderedDict(
            conv1=centred(channels, STEM, 3, 2),  # (B, 24, 112, 112)
            conv1_bn=nn.BatchNorm2d(STEM),
            conv1_relu=nn.ReLU(),
            maxpool=nn.MaxPool2d(3, 2, padding=1),  # (B, 24, 56, 56)
            **stages,  # (B, stage4, 7, 7)
            **_pointwise("conv5", width, widths.conv5),  # (B, conv5, 7, 7)
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),  # (B, conv5)
            head=nn.Linear(widths.conv5, classes),  # (B, classes)
        )
    )
    initialise_shufflenet(net)
    return net


def _torchvision_names() -> dict[str, str]:
    """Returns torchvision's module names, which number the layers of a branch, and ours for each."""
    names = {"conv1.0": "conv1", "conv1.1": "conv1_bn", "conv5.0": "conv5", "conv5.1": "conv5_bn", "fc": "head"}
    left = {0: "depthwise", 1: "depthwise_bn", 2: "pointwise", 3: "pointwise_bn"}
    right = {
        0: "pointwise1", 1: "pointwise1_bn", 3: "depthwise", 4: "depthwise_bn", 5: "pointwise2", 6: "pointwise2_bn"
    }  # fmt: skip
    for stage, row in TABLE_5.items():
        for unit in range(row.repeats):
            if unit == 0:
                names |= {f"{stage}.0.branch1.{place}": f"{stage}.0.left.{layer}" for place, layer in left.items()}
            for place, layer in right.items():
                names[f"{stage}.{unit}.branch2.{place}"] = f"{stage}.{unit}.right.{layer}"
    return names


RENAMES = {"torchvision": _torchvision_names()}


@network(
    paper="1807.11164",
    year=2018,
    task="image classification",
    input=(3, 224, 224),
    params=1_366_792,
    macs=40_476_448,
    errors=Errors(39.448, 18.254, "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"),
    renames=RENAMES,
    deviations=DEVIATION,
)
def shufflenet_v2_x0_5(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ShuffleNet V2 0.5x: half of the maps pass each unit untouched."""
    return _shufflenet(X0_5, classes=classes, channels=channels)


@network(
    paper="1807.11164",
    year=2018,
    task="image classification",
    input=(3, 224, 224),
    params=2_278_604,
    macs=144_907_992,
    errors=Errors(30.638, 11.684, "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"),
    renames=RENAMES,
    deviations=DEVIATION,
)
def shufflenet_v2_x1_0(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ShuffleNet V2 1x: half of the maps pass each unit untouched."""
    return _shufflenet(X1_0, classes=classes, channels=channels)


@network(
    paper="1807.11164",
    year=2018,
    task="image classification",
    input=(3, 224, 224),
    params=3_503_624,
    macs=295_759_392,
    errors=Errors(27.004, 8.914, "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"),
    renames=RENAMES,
    deviations=DEVIATION,
)
def shufflenet_v2_x1_5(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ShuffleNet V2 1.5x: half of the maps pass each unit untouched."""
    return _shufflenet(X1_5, classes=classes, channels=channels)


@network(
    paper="1807.11164",
    year=2018,
    task="image classification",
    input=(3, 224, 224),
    params=7_393_996,
    macs=583_253_464,
    errors=Errors(23.77, 6.994, "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"),
    renames=RENAMES,
    deviations=DEVIATION,
)
def shufflenet_v2_x2_0(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ShuffleNet V2 2x: half of the maps pass each unit untouched."""
    return _shufflenet(X2_0, classes=classes, channels=channels)
