"""GoogLeNet (Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich 2014, arXiv:1409.4842).

Table 1 stands in `neocog.nn.googlenet`; what the paper leaves open is as in BVLC/caffe models/bvlc_googlenet.
"""

from __future__ import annotations

from collections import OrderedDict
from math import sqrt

from torch import nn

from neocog.core.registry import Errors, network
from neocog.nn.auxiliary import WithHeads
from neocog.nn.branches import conv_relu
from neocog.nn.googlenet import AUXILIARY_WEIGHT, OUTPUTS, STEM, auxiliary_head, inceptions, stem

DROPOUT = 0.4
MULTIPLIER = 8
BIAS = 0.2


def _separable(channels: int) -> dict[str, nn.Module]:
    """Returns the first layer as table 1 counts it: 7x7 kernels, eight on each channel by itself, and a 1x1 of all."""
    wide = channels * MULTIPLIER
    return {
        "conv1_depthwise": nn.Conv2d(channels, wide, 7, 2, padding=3, groups=channels, bias=False),  # (B, 24, 112, 112)
        "conv1": nn.Conv2d(wide, STEM, 1),  # (B, 64, 112, 112)
        "conv1_relu": nn.ReLU(),
    }


def _top(classes: int, dropout: float | None) -> dict[str, nn.Module]:
    return {
        "avgpool": nn.AdaptiveAvgPool2d(1),
        "flatten": nn.Flatten(),  # (B, 1024)
        "dropout": nn.Dropout(DROPOUT if dropout is None else dropout),
        "head": nn.Linear(OUTPUTS, classes),  # (B, classes)
    }


@network(
    paper="1409.4842",
    year=2014,
    task="image classification",
    input=(3, 224, 224),
    params=6_998_552,
    macs=1_582_671_872,
    errors=Errors(31.3, 11.1, "BVLC/caffe bvlc_googlenet readme, centre crop"),
    deviations="a dense 7x7 stem unless separable_stem=True; table 1 counts a separable one and misprints 4c and 5a",
)
def googlenet(
    classes: int = 1000, channels: int = 3, *, dropout: float | None = None, separable_stem: bool = False
) -> nn.Module:
    """GoogLeNet: nine inceptions of 1x1, 3x3 and 5x5 side by side, local response norm, no batch norm.

    ``dropout`` is the rate before the head, 0.4 as published. ``separable_stem`` makes the first layer depthwise 7x7
    with depth multiplier 8 and pointwise, 2,712 weights for 9,408, which the paper's table counts.
    """
    first = _separable(channels) if separable_stem else None
    net = nn.Sequential(
        OrderedDict(
            **stem(channels, conv_relu, normalised=True, first=first),  # (B, 192, 28, 28)
            **inceptions(conv_relu),  # (B, 1024, 7, 7)
            **_top(classes, dropout),
        )
    )
    _initialise(net)
    return net


@network(
    paper="1409.4842",
    year=2014,
    task="image classification",
    input=(3, 224, 224),
    params=13_378_280,
    macs=1_591_044_096,
    counts_auxiliary=True,
    deviations="a dense 7x7 stem unless separable_stem=True; maps of other sizes than 14x14 go into the heads by 4x4 "
    "windows too",
)
def googlenet_aux(
    classes: int = 1000, channels: int = 3, *, dropout: float | None = None, separable_stem: bool = False
) -> nn.Module:
    """GoogLeNet with its two auxiliary classifiers, after 4a and 4d, whose losses count 0.3 in training.

    ``dropout`` is the rate before each head, 0.4 and for the auxiliary ones 0.7 as published; ``separable_stem`` as
    for `googlenet`.
    """
    first = _separable(channels) if separable_stem else None
    layers = {
        **stem(channels, conv_relu, normalised=True, first=first),  # (B, 192, 28, 28)
        **inceptions(conv_relu, auxiliary=lambda maps: auxiliary_head(maps, classes, dropout)),  # (B, 1024, 7, 7)
        **_top(classes, dropout),
    }
    net = WithHeads(layers, weight=AUXILIARY_WEIGHT)
    _initialise(net)
    return net


def _initialise(net: nn.Module) -> None:
    """As Caffe's model: uniform over +-sqrt(3 / fan-in); biases 0.2, and none on the classifiers."""
    for name, module in net.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            bound = sqrt(3 / module.weight[0].numel())
            nn.init.uniform_(module.weight, -bound, bound)
            if module.bias is not None:
                nn.init.constant_(module.bias, 0.0 if name.endswith("head") else BIAS)
