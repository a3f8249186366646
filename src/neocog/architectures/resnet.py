"""ResNet (He, Zhang, Ren, Sun 2015, arXiv:1512.03385). Table 1, 18 layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn

from neocog.core.registry import Errors, network


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and the input added to them (figure 5, left).

    Where the shape changes, the input goes through a strided 1x1 convolution (option B, section 3.3).
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = _projection(inputs, outputs, stride)
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:  # (B, inputs, H, W)
        """Returns (B, outputs, ceil(H / stride), ceil(W / stride))."""
        y = self.relu1(self.bn1(self.conv1(x)))  # (B, outputs, H / stride, W / stride)
        y = self.bn2(self.conv2(y))  # (B, outputs, H / stride, W / stride)
        return self.relu2(y + self.downsample(x))  # type: ignore[no-any-return]


def _projection(inputs: int, outputs: int, stride: int) -> nn.Module:
    if inputs == outputs and stride == 1:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


class Row(NamedTuple):
    """A row of table 1: as many blocks, all with as many output maps; the first has the stride."""

    blocks: int
    outputs: int
    stride: int


TABLE_1_18 = (
    Row(2, 64, 1),  # conv2_x
    Row(2, 128, 2),  # conv3_x
    Row(2, 256, 2),  # conv4_x
    Row(2, 512, 2),  # conv5_x
)


class ResNet(nn.Module):
    """A 7x7 stem, four stages of residual blocks, global average pooling; any input of at least 1x1."""

    def __init__(self, rows: Sequence[Row], *, classes: int, channels: int) -> None:
        super().__init__()
        width = rows[0].outputs
        self.conv1 = nn.Conv2d(channels, width, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        for number, row in enumerate(rows, 1):
            self.add_module(f"layer{number}", _stage(width, row))
            width = row.outputs
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.head = nn.Linear(width, classes)
        _initialise(self)

    def forward(self, x: Tensor) -> Tensor:  # (B, channels, H, W)
        """Returns logits (B, classes)."""
        for layer in self.children():
            x = layer(x)
        return x


def _stage(inputs: int, row: Row) -> nn.Sequential:
    first = BasicBlock(inputs, row.outputs, row.stride)
    return nn.Sequential(first, *(BasicBlock(row.outputs, row.outputs, 1) for _ in range(row.blocks - 1)))


def _initialise(network: nn.Module) -> None:
    """He et al. 2015 (arXiv:1502.01852), equation 14: normal with variance 2 / fan-out, which section 3.4 asks for."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


@network(
    paper="1512.03385",
    year=2015,
    task="image classification",
    input=(3, 224, 224),
    params=11_689_512,
    macs=1_814_073_344,
    errors=Errors(30.242, 10.922, "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"),
    renames={"torchvision": {"fc": "head"}},
    deviations="none; projections (option B) where the shape changes",
)
def resnet18(classes: int = 1000, channels: int = 3) -> nn.Module:
    """ResNet-18: eight residual blocks of two 3x3 convolutions each."""
    return ResNet(TABLE_1_18, classes=classes, channels=channels)
