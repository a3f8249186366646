"""A spatial transformer network for MNIST (Jaderberg et al. 2015, arXiv:1506.02025; the net of PyTorch's tutorial)."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from neocog.core.arithmetic import Window, size_through
from neocog.core.registry import network
from neocog.nn.spatial_transformer import SpatialTransformer

DROPOUT = 0.5
LOCALISATION = (Window(7), Window(2, 2), Window(5), Window(2, 2))
CLASSIFIER = (Window(5), Window(2, 2), Window(5), Window(2, 2))


def _localisation(channels: int, size: int) -> nn.Module:
    """Returns the net that reads the affine map off a picture (B, channels, size, size)."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(channels, 8, 7),  # (B, 8, 22, 22)
            pool1=nn.MaxPool2d(2),  # (B, 8, 11, 11)
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(8, 10, 5),  # (B, 10, 7, 7)
            pool2=nn.MaxPool2d(2),  # (B, 10, 3, 3)
            relu2=nn.ReLU(),
            flatten=nn.Flatten(),  # (B, 90)
            fc1=nn.Linear(10 * size_through(size, LOCALISATION) ** 2, 32),  # (B, 32)
            relu3=nn.ReLU(),
            fc2=nn.Linear(32, 6),  # (B, 6)
        )
    )


@network(
    paper="1506.02025",
    year=2015,
    task="image classification",
    input=(1, 28, 28),
    classes=10,
    params=27_360,
    macs=771_300,
    deviations="the net of PyTorch's tutorial, smaller than the paper's; logits instead of log-probabilities",
)
def spatial_transformer_mnist(
    classes: int = 10, channels: int = 1, *, dropout: float | None = None, size: int = 28
) -> nn.Module:
    """A small network that moves, turns and scales its input by itself before it classifies it.

    ``dropout`` is the rate on the maps of conv2 and before the head, 0.5 as published. ``size`` is the input's height
    and width, which the dense layers' shapes depend on.
    """
    rate = DROPOUT if dropout is None else dropout
    return nn.Sequential(
        OrderedDict(
            transformer=SpatialTransformer(_localisation(channels, size)),  # (B, 1, 28, 28)
            conv1=nn.Conv2d(channels, 10, 5),  # (B, 10, 24, 24)
            pool1=nn.MaxPool2d(2),  # (B, 10, 12, 12)
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(10, 20, 5),  # (B, 20, 8, 8)
            dropout2=nn.Dropout2d(rate),
            pool2=nn.MaxPool2d(2),  # (B, 20, 4, 4)
            relu2=nn.ReLU(),
            flatten=nn.Flatten(),  # (B, 320)
            fc1=nn.Linear(20 * size_through(size, CLASSIFIER) ** 2, 50),  # (B, 50)
            relu3=nn.ReLU(),
            dropout3=nn.Dropout(rate),
            head=nn.Linear(50, classes),  # (B, classes)
        )
    )
