"""GoogLeNet (Szegedy et al. 2014, arXiv:1409.4842) as torchvision has it, for the weights that were trained so.

Every convolution has batch norm and no biases, and what the paper has 5x5 is 3x3 (torchvision issue 906).
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

from torch import nn

from neocog.core.registry import Errors, network
from neocog.nn.auxiliary import WithHeads
from neocog.nn.branch_names import conv_names, with_norms
from neocog.nn.branches import Conv, conv_bn_relu, named
from neocog.nn.googlenet import (
    AUXILIARY_AFTER,
    AUXILIARY_GRID,
    AUXILIARY_MAPS,
    AUXILIARY_UNITS,
    AUXILIARY_WEIGHT,
    OUTPUTS,
    TABLE_1,
    dense,
    inceptions,
    stem,
)

DROPOUT = 0.2
LARGEST = 3
last_pool = partial(nn.MaxPool2d, 2, 2, ceil_mode=True)


def _head(inputs: int, classes: int, dropout: float | None) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            pool=nn.AdaptiveAvgPool2d(AUXILIARY_GRID),  # (B, inputs, 4, 4)
            **named("conv", inputs, Conv(AUXILIARY_MAPS), conv_bn_relu),  # (B, 128, 4, 4)
            **dense(AUXILIARY_MAPS * AUXILIARY_GRID**2, AUXILIARY_UNITS, classes, dropout),
        )
    )


def _top(classes: int, dropout: float | None) -> dict[str, nn.Module]:
    return {
        "avgpool": nn.AdaptiveAvgPool2d(1),
        "flatten": nn.Flatten(),  # (B, 1024)
        "dropout": nn.Dropout(DROPOUT if dropout is None else dropout),
        "head": nn.Linear(OUTPUTS, classes),  # (B, classes)
    }


def _torchvision_names(*, auxiliary: bool) -> dict[str, str]:
    """Returns torchvision's module names and ours for each."""
    convolutions = {"conv1": "conv1", "conv2": "conv2_reduce", "conv3": "conv2"}
    theirs = ("branch1", "branch2.0", "branch2.1", "branch3.0", "branch3.1", "branch4.1")
    for row in TABLE_1:
        block = f"inception{row.name}"
        pairs = zip(theirs, conv_names(row.branches(LARGEST)), strict=True)
        convolutions.update({f"{block}.{their}": f"{block}.{our}" for their, our in pairs})
    names = {"fc": "head"}
    for number in range(1, len(AUXILIARY_AFTER) + 1) if auxiliary else ():
        convolutions[f"aux{number}.conv"] = f"aux{number}.conv"
        names |= {f"aux{number}.fc1": f"aux{number}.fc", f"aux{number}.fc2": f"aux{number}.head"}
    return with_norms(convolutions) | names


@network(
    paper="1409.4842",
    year=2014,
    task="image classification",
    input=(3, 224, 224),
    params=6_624_904,
    macs=1_498_376_192,
    errors=Errors(30.222, 10.47, "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"),
    renames={"torchvision": _torchvision_names(auxiliary=False)},
    deviations="as torchvision: batch norm for the local response norms, 3x3 for 5x5, a last pool of 2x2, dropout 0.2; "
    "torchvision's transform_input, which its weights need, is left to the preprocessing",
)
def googlenet_torchvision(classes: int = 1000, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """GoogLeNet as torchvision has it: batch norm, and 3x3 where the paper has 5x5.

    ``dropout`` is the rate before the head, 0.2 as torchvision has it.
    """
    net = nn.Sequential(
        OrderedDict(
            **stem(channels, conv_bn_relu),  # (B, 192, 28, 28)
            **inceptions(conv_bn_relu, largest=LARGEST, last_pool=last_pool),  # (B, 1024, 7, 7)
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
    params=13_004_888,
    macs=1_498_376_192,
    renames={"torchvision": _torchvision_names(auxiliary=True)},
    deviations="as googlenet_torchvision; the auxiliary heads have batch norm too",
)
def googlenet_torchvision_aux(classes: int = 1000, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """GoogLeNet as torchvision has it, with its two auxiliary classifiers, whose losses count 0.3 in training.

    ``dropout`` is the rate before each head, 0.2 and for the auxiliary ones 0.7 as torchvision has it.
    """
    heads = inceptions(
        conv_bn_relu, largest=LARGEST, last_pool=last_pool, auxiliary=lambda maps: _head(maps, classes, dropout)
    )
    layers = {**stem(channels, conv_bn_relu), **heads, **_top(classes, dropout)}
    net = WithHeads(layers, weight=AUXILIARY_WEIGHT)
    _initialise(net)
    return net


def _initialise(net: nn.Module) -> None:
    """As torchvision: normal with deviation 0.01; dense biases stay as torch draws them."""
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(module.weight, std=0.01)
