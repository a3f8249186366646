"""DeepFace (Taigman, Yang, Ranzato, Wolf 2014, doi:10.1109/CVPR.2014.220). Section 3, figure 2."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from neocog.core.arithmetic import output_size
from neocog.core.registry import network
from neocog.nn.initialise import he_fan_out
from neocog.nn.local import LocallyConnected2d
from neocog.nn.small_dense import small_dense

MAPS, FEATURES, DROPOUT = 16, 4096, 0.5


@network(
    paper="10.1109/CVPR.2014.220",
    year=2014,
    task="image classification",
    input=(3, 152, 152),
    classes=4030,
    params=118_923_774,
    macs=517_624_448,
    deviations="no alignment of the face before it; He's start (arXiv:1502.01852), since the published one is for raw "
    "pixel values",
)
def deepface(classes: int = 4030, channels: int = 3, *, dropout: float | None = None, size: int = 152) -> nn.Module:
    """DeepFace: two convolutions, then three layers of local connections, whose weights no two places share.

    ``dropout`` is the rate after F7, 0.5 as published. ``size`` is the input's height and width, on which the local
    connections and the dense layer depend.
    """
    side = output_size(output_size(output_size(size, 11), 3, 2, ceil=True), 9)  # 63 after C3
    l4_side = output_size(side, 9)  # 55
    l5_side = output_size(l4_side, 7, 2)  # 25
    l6_side = output_size(l5_side, 5)  # 21
    net = nn.Sequential(
        OrderedDict(
            c1=nn.Conv2d(channels, 32, 11),  # (B, 32, 142, 142)
            c1_relu=nn.ReLU(),
            m2=nn.MaxPool2d(3, 2, ceil_mode=True),  # (B, 32, 71, 71)
            c3=nn.Conv2d(32, MAPS, 9),  # (B, 16, 63, 63)
            c3_relu=nn.ReLU(),
            l4=LocallyConnected2d(MAPS, MAPS, 9, size=side),  # (B, 16, 55, 55)
            l4_relu=nn.ReLU(),
            l5=LocallyConnected2d(MAPS, MAPS, 7, size=l4_side, stride=2),  # (B, 16, 25, 25)
            l5_relu=nn.ReLU(),
            l6=LocallyConnected2d(MAPS, MAPS, 5, size=l5_side),  # (B, 16, 21, 21)
            l6_relu=nn.ReLU(),
            flatten=nn.Flatten(),  # (B, 7056)
            f7=nn.Linear(MAPS * l6_side**2, FEATURES),  # (B, 4096)
            f7_relu=nn.ReLU(),
            f7_dropout=nn.Dropout(DROPOUT if dropout is None else dropout),
            head=nn.Linear(FEATURES, classes),  # (B, classes)
        )
    )
    return small_dense(he_fan_out(net))
