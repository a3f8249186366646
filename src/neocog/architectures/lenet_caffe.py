"""Caffe's LeNet for MNIST (BVLC/caffe, examples/mnist/lenet_train_test.prototxt)."""

from __future__ import annotations

from collections import OrderedDict
from math import sqrt

from torch import nn

from neocog.core.arithmetic import Window, size_through
from neocog.core.registry import network

CONV1_TO_POOL2 = (Window(5), Window(2, 2), Window(5), Window(2, 2))


@network(
    paper="BVLC/caffe examples/mnist/lenet_train_test.prototxt",
    year=2014,
    task="image classification",
    input=(1, 28, 28),
    classes=10,
    params=431_080,
    macs=2_293_000,
    deviations="none; logits, since the softmax belongs to the loss here",
)
def lenet_caffe(classes: int = 10, channels: int = 1, *, size: int = 28) -> nn.Module:
    """LeNet as Caffe's MNIST example has it: two convolutions and a dense layer of 500 with the only activation.

    ``size`` is the input's height and width, which the dense layer's shape depends on.
    """
    net = nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(channels, 20, 5),  # (B, 20, 24, 24)
            pool1=nn.MaxPool2d(2),  # (B, 20, 12, 12)
            conv2=nn.Conv2d(20, 50, 5),  # (B, 50, 8, 8)
            pool2=nn.MaxPool2d(2),  # (B, 50, 4, 4)
            flatten=nn.Flatten(),  # (B, 800)
            ip1=nn.Linear(50 * size_through(size, CONV1_TO_POOL2) ** 2, 500),  # (B, 500)
            ip1_relu=nn.ReLU(),
            head=nn.Linear(500, classes),  # (B, classes)
        )
    )
    for module in net:
        _initialise(module)
    return net


def _initialise(module: nn.Module) -> None:
    """Caffe's "xavier": uniform with variance 1 / fan-in, and biases of zero."""
    if isinstance(module, (nn.Conv2d, nn.Linear)) and module.bias is not None:
        bound = sqrt(3 / module.weight[0].numel())
        nn.init.uniform_(module.weight, -bound, bound)
        nn.init.zeros_(module.bias)
