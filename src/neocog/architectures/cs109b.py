"""Network C of Harvard's CS109B, lecture 9, on which the lecture counts parameters."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from neocog.core.arithmetic import output_size
from neocog.core.registry import network
from neocog.nn.initialise import he_fan_out


@network(
    paper="CS109B lecture 9",
    year=2019,
    task="image classification",
    input=(3, 32, 32),
    classes=4,
    params=2_103_156,
    macs=3_139_584,
    deviations="the padding that keeps the size is 2 on every side of conv2; Keras's would be 1 before and 2 after",
)
def cs109b_c(classes: int = 4, channels: int = 3, *, size: int = 32) -> nn.Module:
    """Two convolutions that keep the size, the second at stride 2, and a dense layer of 512.

    ``size`` is the input's height and width, which the dense layer's shape depends on.
    """
    side = output_size(size, 5, 2, 2)
    net = nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(channels, 8, 3, padding=1),  # (B, 8, 32, 32)
            conv1_relu=nn.ReLU(),
            conv2=nn.Conv2d(8, 16, 5, 2, padding=2),  # (B, 16, 16, 16)
            conv2_relu=nn.ReLU(),
            flatten=nn.Flatten(),  # (B, 4096)
            dense=nn.Linear(16 * side**2, 512),  # (B, 512)
            dense_relu=nn.ReLU(),
            head=nn.Linear(512, classes),  # (B, classes)
        )
    )
    return he_fan_out(net)
