"""SqueezeNet (Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer 2016, arXiv:1602.07360). Table 1."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import torch
from torch import Tensor, nn

from neocog.core.registry import Errors, network

DROPOUT = 0.5
CAFFE = (
    "pools count a window that hangs over the end, as Caffe's; the 1x1 head is not padded, as in torchvision, "
    "where the authors' file pads it by 1"
)


class Fire(nn.Module):
    """Squeeze to few maps by 1x1, then expand by 1x1 and 3x3 side by side (section 3.2)."""

    def __init__(self, inputs: int, squeeze: int, expand1x1: int, expand3x3: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeeze, 1)
        self.squeeze_relu = nn.ReLU()
        self.expand1x1 = nn.Conv2d(squeeze, expand1x1, 1)
        self.expand1x1_relu = nn.ReLU()
        self.expand3x3 = nn.Conv2d(squeeze, expand3x3, 3, padding=1)
        self.expand3x3_relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:  # (B, inputs, H, W)
        """Returns (B, expand1x1 + expand3x3, H, W)."""
        y = self.squeeze_relu(self.squeeze(x))  # (B, squeeze, H, W)
        return torch.cat((self.expand1x1_relu(self.expand1x1(y)), self.expand3x3_relu(self.expand3x3(y))), 1)


class Row(NamedTuple):
    """A row of table 1: s1x1, e1x1 and e3x3 of a fire module."""

    squeeze: int
    expand1x1: int
    expand3x3: int


TABLE_1 = (
    Row(16, 64, 64),  # fire2
    Row(16, 64, 64),  # fire3
    Row(32, 128, 128),  # fire4
    Row(32, 128, 128),  # fire5
    Row(48, 192, 192),  # fire6
    Row(48, 192, 192),  # fire7
    Row(64, 256, 256),  # fire8
    Row(64, 256, 256),  # fire9
)


class Version(NamedTuple):
    """The first convolution, and the fire modules behind which the maps are pooled, as they are behind conv1."""

    maps: int
    kernel: int
    pooled: tuple[str, ...]


V1_0 = Version(96, 7, ("fire4", "fire8"))  # table 1
V1_1 = Version(64, 3, ("fire3", "fire5"))  # the authors' SqueezeNet_v1.1


def _pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, 2, ceil_mode=True)


def _squeezenet(version: Version, *, classes: int, channels: int, dropout: float | None) -> nn.Sequential:
    layers: dict[str, nn.Module] = {"pool1": _pool()}
    width = version.maps
    for number, row in enumerate(TABLE_1, 2):
        layers[f"fire{number}"] = Fire(width, *row)
        width = row.expand1x1 + row.expand3x3
        if f"fire{number}" in version.pooled:
            layers[f"pool{number}"] = _pool()
    net = nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(channels, version.maps, version.kernel, 2),  # (B, 96, 109, 109); 1.1: (B, 64, 111, 111)
            conv1_relu=nn.ReLU(),
            **layers,  # (B, 512, 13, 13)
            dropout=nn.Dropout(DROPOUT if dropout is None else dropout),
            head=nn.Conv2d(width, classes, 1),  # (B, classes, 13, 13), the paper's conv10
            head_relu=nn.ReLU(),
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),  # (B, classes)
        )
    )
    _initialise(net)
    return net


def _initialise(net: nn.Sequential) -> None:
    """Uniform with variance 2 / fan-in (arXiv:1502.01852, equation 10), the head normal with 0.01 as the authors'."""
    for name, module in net.named_modules():
        if isinstance(module, nn.Conv2d):
            if name == "head":
                nn.init.normal_(module.weight, std=0.01)
            else:
                nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
            assert module.bias is not None
            nn.init.zeros_(module.bias)


def _torchvision_names(version: Version) -> dict[str, str]:
    """Returns torchvision's module names, which count the pools and activations too, and ours for each."""
    names = {"features.0": "conv1", "classifier.1": "head"}
    index = 3  # the convolution, its activation and the first pool
    for number, _ in enumerate(TABLE_1, 2):
        names[f"features.{index}"] = f"fire{number}"
        index += 2 if f"fire{number}" in version.pooled else 1
    return names


@network(
    paper="1602.07360",
    year=2016,
    task="image classification",
    input=(3, 224, 224),
    params=1_248_424,
    macs=818_924_576,
    errors=Errors(41.908, 19.58, "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"),
    renames={"torchvision": _torchvision_names(V1_0)},
    deviations=f"none; {CAFFE}",
)
def squeezenet1_0(classes: int = 1000, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """SqueezeNet 1.0: 96 maps of 7x7 first, pools behind conv1, fire4 and fire8, no dense layer.

    ``dropout`` is the rate before the head, 0.5 as published.
    """
    return _squeezenet(V1_0, classes=classes, channels=channels, dropout=dropout)


@network(
    paper="1602.07360",
    year=2016,
    task="image classification",
    input=(3, 224, 224),
    params=1_235_496,
    macs=349_151_936,
    errors=Errors(41.822, 19.376, "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"),
    renames={"torchvision": _torchvision_names(V1_1)},
    deviations=f"of the authors' SqueezeNet_v1.1, which the paper has not; {CAFFE}",
)
def squeezenet1_1(classes: int = 1000, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """SqueezeNet 1.1: 64 maps of 3x3 first and earlier pools, so that it needs 2.4 times fewer computations than 1.0.

    ``dropout`` is the rate before the head, 0.5 as published.
    """
    return _squeezenet(V1_1, classes=classes, channels=channels, dropout=dropout)
