"""ShuffleNet (Zhang, Zhou, Lin, Sun 2017, arXiv:1707.01083). Table 1."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import torch
from torch import Tensor, nn

from neocog.core.registry import Errors, network
from neocog.nn.shuffle import ChannelShuffle
from neocog.nn.shuffle_init import initialise_shufflenet

STEM = 24
BOTTLENECK = 4  # section 3.2: the bottleneck has a quarter of the unit's output maps
DEVIATION = "none; the dense layer has a bias, and the shortcut's maps come first in a concatenation"


class Row(NamedTuple):
    """A row of table 1: the repetitions of a stage; its first unit halves the sides."""

    repeats: int


TABLE_1 = {
    "stage2": Row(4),  # 1 with stride 2, 3 with stride 1; 28x28
    "stage3": Row(8),  # 14x14
    "stage4": Row(4),  # 7x7
}

# A column of table 1: the output maps of the three stages by the number of groups.
WIDTHS = {
    1: (144, 288, 576),
    2: (200, 400, 800),
    3: (240, 480, 960),
    4: (272, 544, 1088),
    8: (384, 768, 1536),
}


def _body(inputs: int, outputs: int, *, stride: int, groups: int, first_groups: int) -> nn.Sequential:
    """Figure 2: grouped 1x1, shuffle, depthwise 3x3, grouped 1x1; an activation behind the first alone."""
    narrow = (outputs if stride == 1 else outputs + inputs) // BOTTLENECK
    return nn.Sequential(
        OrderedDict(
            reduce=nn.Conv2d(inputs, narrow, 1, groups=first_groups, bias=False),
            reduce_bn=nn.BatchNorm2d(narrow),
            reduce_relu=nn.ReLU(),
            **({"shuffle": ChannelShuffle(narrow, groups)} if groups > 1 else {}),
            depthwise=nn.Conv2d(narrow, narrow, 3, stride, padding=1, groups=narrow, bias=False),
            depthwise_bn=nn.BatchNorm2d(narrow),
            expand=nn.Conv2d(narrow, outputs, 1, groups=groups, bias=False),
            expand_bn=nn.BatchNorm2d(outputs),
        )
    )


class Unit(nn.Module):
    """Figure 2 (b): the input is added to the body's maps."""

    def __init__(self, maps: int, groups: int) -> None:
        super().__init__()
        self.body = _body(maps, maps, stride=1, groups=groups, first_groups=groups)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:  # (B, maps, H, W)
        """Returns (B, maps, H, W)."""
        return self.relu(x + self.body(x))  # type: ignore[no-any-return]


class StridedUnit(nn.Module):
    """Figure 2 (c): the pooled input and the body's maps side by side, at half the sides.

    The first 1x1 of stage 2 has one group, since its input has few maps (section 3.3).
    """

    def __init__(self, inputs: int, outputs: int, *, groups: int, first_groups: int) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(3, 2, padding=1)
        self.body = _body(inputs, outputs - inputs, stride=2, groups=groups, first_groups=first_groups)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:  # (B, inputs, H, W)
        """Returns (B, outputs, ceil(H / 2), ceil(W / 2))."""
        return self.relu(torch.cat((self.pool(x), self.body(x)), 1))  # type: ignore[no-any-return]


def _shufflenet(groups: int, *, classes: int, channels: int) -> nn.Sequential:
    stages: dict[str, nn.Module] = {}
    width = STEM
    for (name, row), outputs in zip(TABLE_1.items(), WIDTHS[groups], strict=True):
        first = StridedUnit(width, outputs, groups=groups, first_groups=groups if stages else 1)
        stages[name] = nn.Sequential(first, *(Unit(outputs, groups) for _ in range(row.repeats - 1)))
        width = outputs
    net = nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(channels, STEM, 3, 2, padding=1, bias=False),  # (B, 24, 112, 112)
            conv1_bn=nn.BatchNorm2d(STEM),
            conv1_relu=nn.ReLU(),
            maxpool=nn.MaxPool2d(3, 2, padding=1),  # (B, 24, 56, 56)
            **stages,  # (B, stage4, 7, 7)
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            head=nn.Linear(width, classes),  # (B, classes)
        )
    )
    initialise_shufflenet(net)
    return net


@network(
    paper="1707.01083",
    year=2017,
    task="image classification",
    input=(3, 224, 224),
    params=1_531_936,
    macs=143_078_976,
    deviations=DEVIATION,
)
def shufflenet_v1_g1(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ShuffleNet 1x with one group, so that nothing is shuffled."""
    return _shufflenet(1, classes=classes, channels=channels)


@network(
    paper="1707.01083",
    year=2017,
    task="image classification",
    input=(3, 224, 224),
    params=1_733_848,
    macs=140_836_512,
    deviations=DEVIATION,
)
def shufflenet_v1_g2(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ShuffleNet 1x with two groups in its 1x1 convolutions."""
    return _shufflenet(2, classes=classes, channels=channels)


@network(
    paper="1707.01083",
    year=2017,
    task="image classification",
    input=(3, 224, 224),
    params=1_865_728,
    macs=137_460_672,
    errors=Errors(32.6, None, "the paper, table 2"),
    deviations=DEVIATION,
)
def shufflenet_v1_g3(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ShuffleNet 1x with three groups in its 1x1 convolutions."""
    return _shufflenet(3, classes=classes, channels=channels)


@network(
    paper="1707.01083",
    year=2017,
    task="image classification",
    input=(3, 224, 224),
    params=1_968_344,
    macs=134_339_776,
    deviations=DEVIATION,
)
def shufflenet_v1_g4(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ShuffleNet 1x with four groups in its 1x1 convolutions."""
    return _shufflenet(4, classes=classes, channels=channels)


@network(
    paper="1707.01083",
    year=2017,
    task="image classification",
    input=(3, 224, 224),
    params=2_434_768,
    macs=138_365_952,
    errors=Errors(32.4, None, "the paper, table 5"),
    deviations=DEVIATION,
)
def shufflenet_v1_g8(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ShuffleNet 1x with eight groups in its 1x1 convolutions."""
    return _shufflenet(8, classes=classes, channels=channels)
