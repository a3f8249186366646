"""PoseNet (Kendall, Grimes, Cipolla 2015, arXiv:1505.07427): where a camera stood and where it looked, by GoogLeNet.

As in alexgkendall/caffe-posenet, train_posenet.prototxt. The human-pose network of TensorFlow.js has the same name.
"""

from __future__ import annotations

from collections import OrderedDict
from math import sqrt

from torch import nn

from neocog.core.registry import network
from neocog.nn.auxiliary import WithHeads
from neocog.nn.branches import conv_relu
from neocog.nn.googlenet import AUXILIARY_WEIGHT, OUTPUTS, auxiliary_head, inceptions, stem

UNITS, DROPOUT = 2048, 0.5
POSE = 7  # three coordinates, then a quaternion
COORDINATES = 3
# The prototxt's deviations, by the kernel; 1x1 kernels are uniform over +-sqrt(3 / fan-in).
DEVIATIONS = {7: 0.015, 5: 0.08, 3: 0.04}


def _top(outputs: int, dropout: float | None) -> dict[str, nn.Module]:
    return {
        "avgpool": nn.AdaptiveAvgPool2d(1),
        "flatten": nn.Flatten(),  # (B, 1024)
        "fc": nn.Linear(OUTPUTS, UNITS),  # (B, 2048)
        "fc_relu": nn.ReLU(),
        "dropout": nn.Dropout(DROPOUT if dropout is None else dropout),
        "head": nn.Linear(UNITS, outputs),  # (B, 7)
    }


@network(
    paper="1505.07427",
    year=2015,
    task="pose regression",
    input=(3, 224, 224),
    classes=POSE,
    params=8_087_095,
    macs=1_583_759_360,
    deviations="position and quaternion from one dense layer of 7 units, which has the weights of the prototxt's two",
)
def posenet(classes: int = POSE, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """PoseNet: GoogLeNet with 2048 units before seven outputs, a position and a quaternion that is yet to be normed.

    ``dropout`` is the rate before the head, 0.5 as published.
    """
    net = nn.Sequential(
        OrderedDict(
            **stem(channels, conv_relu, normalised=True),  # (B, 192, 28, 28)
            **inceptions(conv_relu),  # (B, 1024, 7, 7)
            **_top(classes, dropout),
        )
    )
    _initialise(net)
    return net


@network(
    paper="1505.07427",
    year=2015,
    task="pose regression",
    input=(3, 224, 224),
    classes=POSE,
    params=12_431_173,
    macs=1_590_097_920,
    counts_auxiliary=True,
    deviations="as posenet; maps of other sizes than 14x14 go into the auxiliary heads by 4x4 windows too",
)
def posenet_aux(classes: int = POSE, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """PoseNet with its two auxiliary regressors, after 4a and 4d, whose losses count 0.3 in training.

    ``dropout`` is the rate before each head, 0.5 and for the auxiliary ones 0.7 as published.
    """
    layers = {
        **stem(channels, conv_relu, normalised=True),  # (B, 192, 28, 28)
        **inceptions(conv_relu, auxiliary=lambda maps: auxiliary_head(maps, classes, dropout)),  # (B, 1024, 7, 7)
        **_top(classes, dropout),
    }
    net = WithHeads(layers, weight=AUXILIARY_WEIGHT)
    _initialise(net)
    return net


def _initialise(net: nn.Module) -> None:
    """As the prototxt: coordinates start wide, with deviation 0.5, the quaternion and the dense layers with 0.01."""
    for name, module in net.named_modules():
        if not isinstance(module, (nn.Conv2d, nn.Linear)):
            continue
        kernel = module.kernel_size[0] if isinstance(module, nn.Conv2d) else 0
        if kernel == 1:
            bound = sqrt(3 / module.weight[0].numel())
            nn.init.uniform_(module.weight, -bound, bound)
        else:
            nn.init.normal_(module.weight, std=0.02 if name == "conv2" else DEVIATIONS.get(kernel, 0.01))
        if name.endswith("head"):
            nn.init.normal_(module.weight[:COORDINATES], std=0.5)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
