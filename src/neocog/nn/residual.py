"""Residual blocks (He, Zhang, Ren, Sun 2015, arXiv:1512.03385) and the networks that are built of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, NamedTuple

from torch import Tensor, nn

from neocog.nn.conv import centred
from neocog.nn.fold import Folds
from neocog.nn.initialise import he_fan_out
from neocog.nn.overwrite import Overwrites

# From input maps, output maps and a stride to a block, or to what brings a block's input to its output's shape.
Block = Callable[[int, int, int], nn.Module]
# From a number of maps to what weighs them before the shortcut is added.
Gate = Callable[[int], nn.Module]


class Stage(NamedTuple):
    """As many blocks, all with as many output maps; the first has the stride."""

    blocks: int
    outputs: int
    stride: int


def projection(inputs: int, outputs: int, stride: int, *, kernel: int = 1) -> nn.Module:
    """Returns option B's shortcut (section 3.3): the identity, or a strided convolution where the shape changes."""
    if inputs == outputs and stride == 1:
        return nn.Identity()
    return nn.Sequential(centred(inputs, outputs, kernel, stride), nn.BatchNorm2d(outputs))


def added(y: Tensor, shortcut: Tensor, before: nn.Module) -> Tensor:
    """Returns the sum that a rectifier takes; it is written over y, which nobody else reads, where that works in place.

    y is what a norm or a gate gave; another layer may have been put in the rectifier's place.
    """
    return y.add_(shortcut) if getattr(before, "inplace", False) else y + shortcut


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and the input added to them (figure 5, left)."""

    folds: ClassVar[Folds] = (("conv1", "bn1"), ("conv2", "bn2"))
    overwrites: ClassVar[Overwrites] = ("relu1", "relu2")

    def __init__(
        self, inputs: int, outputs: int, stride: int = 1, *, shortcut: Block = projection, gate: Gate = nn.Identity
    ) -> None:
        super().__init__()
        self.conv1 = centred(inputs, outputs, 3, stride)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu1 = nn.ReLU()
        self.conv2 = centred(outputs, outputs, 3)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.gate = gate(outputs)
        self.downsample = shortcut(inputs, outputs, stride)
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:  # (B, inputs, H, W)
        """Returns (B, outputs, ceil(H / stride), ceil(W / stride))."""
        y = self.relu1(self.bn1(self.conv1(x)))  # (B, outputs, H / stride, W / stride)
        y = self.gate(self.bn2(self.conv2(y)))  # (B, outputs, H / stride, W / stride)
        return self.relu2(added(y, self.downsample(x), self.relu2))  # type: ignore[no-any-return]


class Bottleneck(nn.Module):
    """1x1 to few maps, 3x3 between them, 1x1 back to many, and the input added to them (figure 5, right).

    ``width`` is the number of maps that the 3x3 convolution makes, in ``groups``; ``reduced`` the number that it
    takes, the same unless given. The stride is on the 3x3 convolution, or with ``early`` on the first 1x1.
    """

    folds: ClassVar[Folds] = (("conv1", "bn1"), ("conv2", "bn2"), ("conv3", "bn3"))
    overwrites: ClassVar[Overwrites] = ("relu1", "relu2", "relu3")

    def __init__(
        self,
        inputs: int,
        outputs: int,
        stride: int = 1,
        *,
        width: int,
        reduced: int | None = None,
        groups: int = 1,
        early: bool = False,
        shortcut: Block = projection,
        gate: Gate = nn.Identity,
    ) -> None:
        super().__init__()
        reduced = width if reduced is None else reduced
        self.conv1 = centred(inputs, reduced, 1, stride if early else 1)
        self.bn1 = nn.BatchNorm2d(reduced)
        self.relu1 = nn.ReLU()
        self.conv2 = centred(reduced, width, 3, 1 if early else stride, groups)
        self.bn2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU()
        self.conv3 = centred(width, outputs, 1)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.gate = gate(outputs)
        self.downsample = shortcut(inputs, outputs, stride)
        self.relu3 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:  # (B, inputs, H, W)
        """Returns (B, outputs, ceil(H / stride), ceil(W / stride))."""
        y = self.relu1(self.bn1(self.conv1(x)))  # (B, reduced, H, W), or strided already
        y = self.relu2(self.bn2(self.conv2(y)))  # (B, width, H / stride, W / stride)
        y = self.gate(self.bn3(self.conv3(y)))  # (B, outputs, H / stride, W / stride)
        return self.relu3(added(y, self.downsample(x), self.relu3))  # type: ignore[no-any-return]


def residual_stages(inputs: int, stages: Sequence[Stage], block: Block) -> dict[str, nn.Module]:
    """Returns the stages as ``layer1``, ``layer2``, ... for ``inputs`` maps."""
    layers: dict[str, nn.Module] = {}
    for number, stage in enumerate(stages, 1):
        steps = [(inputs, stage.stride), *[(stage.outputs, 1)] * (stage.blocks - 1)]
        layers[f"layer{number}"] = nn.Sequential(*(block(width, stage.outputs, stride) for width, stride in steps))
        inputs = stage.outputs
    return layers


def imagenet_stem(channels: int, maps: int = 64) -> dict[str, nn.Module]:
    """Returns a 7x7 convolution at stride 2 and a 3x3 maximum at stride 2 (table 1, conv1 and the top of conv2_x)."""
    return {
        "conv1": nn.Conv2d(channels, maps, 7, 2, padding=3, bias=False),  # (B, maps, H / 2, W / 2)
        "bn1": nn.BatchNorm2d(maps),
        "relu": nn.ReLU(),
        "maxpool": nn.MaxPool2d(3, 2, padding=1),  # (B, maps, H / 4, W / 4)
    }


def residual_network(
    stem: Mapping[str, nn.Module],
    inputs: int,
    stages: Sequence[Stage],
    block: Block,
    classes: int,
    *,
    dropout: float | None = None,
) -> nn.Sequential:
    """Returns a stem that makes ``inputs`` maps, the stages, global average pooling and a dense ``head``, initialised.

    ``dropout`` is the rate before the head; there is no such layer unless one is given.
    """
    net = nn.Sequential(
        OrderedDict(
            **stem,
            **residual_stages(inputs, stages, block),
            avgpool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),  # (B, maps of the last stage)
            **({} if dropout is None else {"dropout": nn.Dropout(dropout)}),
            head=nn.Linear(stages[-1].outputs, classes),  # (B, classes)
        )
    )
    he_fan_out(net)  # which section 3.4 asks for
    return net
