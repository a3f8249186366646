"""Pre-activation ResNet (He, Zhang, Ren, Sun 2016, arXiv:1603.05027) as Keras has it. Figure 4 e, ResNet's table 1."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from typing import ClassVar, NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from neocog.core.registry import Errors, network
from neocog.nn.conv import centred
from neocog.nn.fold import Folds
from neocog.nn.initialise import he_fan_out
from neocog.nn.overwrite import Overwrites

STEM = 64
EXPANSION = 4


class Row(NamedTuple):
    """A row of ResNet's table 1 (arXiv:1512.03385): maps of the 3x3 convolutions, blocks by depth, the last's stride.

    Keras strides at the end of a stage where the paper strides at the beginning of the next.
    """

    maps: int
    blocks: Mapping[int, int]
    stride: int


TABLE_1 = (
    Row(64, {50: 3, 101: 3, 152: 3}, 2),  # conv2
    Row(128, {50: 4, 101: 4, 152: 8}, 2),  # conv3
    Row(256, {50: 6, 101: 23, 152: 36}, 2),  # conv4
    Row(512, {50: 3, 101: 3, 152: 3}, 1),  # conv5
)


def _norm(maps: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(maps, eps=1.001e-5)


class PreActivationBottleneck(nn.Module):
    """Norm and ReLU before each convolution of a bottleneck; nothing after the addition (figure 4 e).

    Where the maps change, the shortcut is a 1x1 convolution of the input after norm and ReLU; where only the size
    changes, every ``stride``-th pixel of the input.
    """

    folds: ClassVar[Folds] = (("conv1", "bn1"), ("conv2", "bn2"))
    overwrites: ClassVar[Overwrites] = ("preact_relu", "relu1", "relu2")

    def __init__(self, inputs: int, maps: int, stride: int) -> None:
        super().__init__()
        outputs = EXPANSION * maps
        self.preact_bn = _norm(inputs)
        self.preact_relu = nn.ReLU()
        self.conv1 = centred(inputs, maps, 1)
        self.bn1 = _norm(maps)
        self.relu1 = nn.ReLU()
        self.conv2 = centred(maps, maps, 3, stride)
        self.bn2 = _norm(maps)
        self.relu2 = nn.ReLU()
        self.conv3 = nn.Conv2d(maps, outputs, 1)
        self.projects = inputs != outputs
        if self.projects:
            self.shortcut: nn.Module = nn.Conv2d(inputs, outputs, 1, stride)
        else:
            self.shortcut = nn.MaxPool2d(1, stride) if stride > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:  # (B, inputs, H, W)
        """Returns (B, 4 maps, ceil(H / stride), ceil(W / stride))."""
        active = self.preact_relu(self.preact_bn(x))
        y = self.relu1(self.bn1(self.conv1(active)))  # (B, maps, H, W)
        y = self.relu2(self.bn2(self.conv2(y)))  # (B, maps, H / stride, W / stride)
        return self.conv3(y) + self.shortcut(active if self.projects else x)  # type: ignore[no-any-return]


class ZeroPaddedMaxPool(nn.Module):
    """The maximum over 3x3 pixels at stride 2, zeros around the picture taking part in it.

    torch's own padding never wins a maximum; here the inputs have seen no ReLU, so zeros do where all are negative.
    """

    def __init__(self) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.padding = 3, 2, 1

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W)
        """Returns (B, C, ceil(H / 2), ceil(W / 2))."""
        return functional.max_pool2d(functional.pad(x, (1, 1, 1, 1)), self.kernel_size, self.stride)


def _stage(inputs: int, row: Row, blocks: int) -> nn.Sequential:
    outputs = EXPANSION * row.maps
    steps = [(inputs, 1), *[(outputs, 1)] * (blocks - 2), (outputs, row.stride)]
    return nn.Sequential(*(PreActivationBottleneck(width, row.maps, stride) for width, stride in steps))


def _preact(depth: int, classes: int, channels: int) -> nn.Module:
    stages: dict[str, nn.Module] = {}
    width = STEM
    for number, row in enumerate(TABLE_1, 1):
        stages[f"layer{number}"] = _stage(width, row, row.blocks[depth])
        width = EXPANSION * row.maps
    net = nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(channels, STEM, 7, 2, padding=3),  # (B, 64, 112, 112)
            pool1=ZeroPaddedMaxPool(),  # (B, 64, 56, 56)
            **stages,  # (B, 2048, 7, 7)
            post_bn=_norm(width),
            post_relu=nn.ReLU(),
            avgpool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),  # (B, 2048)
            head=nn.Linear(width, classes),  # (B, classes)
        )
    )
    return he_fan_out(net)


def _keras_names(depth: int) -> dict[str, str]:
    """Returns Keras's layer names, which count stages from 2 and blocks from 1, and our module name for each."""
    names = {"conv1_conv": "conv1", "post_bn": "post_bn", "predictions": "head"}
    parts = {"preact_bn": "preact_bn", "3_conv": "conv3"}
    parts |= {
        f"{number}_{kind}": f"{ours}{number}" for number in (1, 2) for kind, ours in (("conv", "conv"), ("bn", "bn"))
    }
    for stage, row in enumerate(TABLE_1, 1):
        names[f"conv{stage + 1}_block1_0_conv"] = f"layer{stage}.0.shortcut"
        for block in range(row.blocks[depth]):
            names |= {
                f"conv{stage + 1}_block{block + 1}_{theirs}": f"layer{stage}.{block}.{ours}"
                for theirs, ours in parts.items()
            }
    return names


_imagenet = partial(
    network,
    paper="1603.05027",
    year=2016,
    task="image classification",
    input=(3, 224, 224),
    deviations="Keras's: strides at the end of stages, biases in the stem and where no norm follows, zeros around the "
    "pooled picture; but weights by He's rule, and running statistics that move by 0.1 a step, not 0.01",
)


@_imagenet(
    params=25_568_360,
    macs=3_482_255_360,
    errors=Errors(24.0, 7.0, "keras-io applications table (299x299 inputs)"),
    renames={"keras": _keras_names(50)},
    aliases=("ResNet50V2", "resnet50v2"),
)
def resnet50_v2(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ResNet-50 v2: norm and ReLU before the convolutions, so that nothing stands in the shortcuts' way."""
    return _preact(50, classes, channels)


@_imagenet(
    params=44_577_896,
    macs=7_194_476_544,
    errors=Errors(22.8, 6.2, "keras-io applications table (299x299 inputs)"),
    renames={"keras": _keras_names(101)},
    aliases=("ResNet101V2", "resnet101v2"),
)
def resnet101_v2(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ResNet-101 v2: 33 bottlenecks with norm and ReLU before the convolutions."""
    return _preact(101, classes, channels)


@_imagenet(
    params=60_236_904,
    macs=10_906_697_728,
    errors=Errors(22.0, 5.8, "keras-io applications table (299x299 inputs)"),
    renames={"keras": _keras_names(152)},
    aliases=("ResNet152V2", "resnet152v2"),
)
def resnet152_v2(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ResNet-152 v2: 50 bottlenecks with norm and ReLU before the convolutions."""
    return _preact(152, classes, channels)
