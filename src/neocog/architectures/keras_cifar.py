"""The CIFAR-10 network of the Keras examples (keras-team/keras 2.x, examples/cifar10_cnn.py)."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from neocog.core.arithmetic import Window, size_through
from neocog.core.registry import network

DENSE_DROPOUT = 0.5


# The layers that change the size: the second convolution of each pair, and the pools.
SHRINKING = (Window(3), Window(2, 2), Window(3), Window(2, 2))


@network(
    paper="keras examples/cifar10_cnn.py",
    year=2016,
    task="image classification",
    input=(3, 32, 32),
    classes=10,
    params=1_250_858,
    macs=20_741_120,
    deviations="none; logits, since the softmax belongs to the loss here",
)
def keras_cifar(classes: int = 10, channels: int = 3, *, dropout: float | None = None, size: int = 32) -> nn.Module:
    """Two pairs of 3x3 convolutions, the second of each without padding, and a dense layer of 512.

    ``dropout`` is the rate before the head, 0.5 as published; after the pools it is half of that. ``size`` is the
    input's height and width, which the dense layer's shape depends on.
    """
    rate = DENSE_DROPOUT if dropout is None else dropout
    net = nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(channels, 32, 3, padding="same"),  # (B, 32, 32, 32)
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(32, 32, 3),  # (B, 32, 30, 30)
            relu2=nn.ReLU(),
            pool1=nn.MaxPool2d(2),  # (B, 32, 15, 15)
            dropout1=nn.Dropout(rate / 2),
            conv3=nn.Conv2d(32, 64, 3, padding="same"),  # (B, 64, 15, 15)
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(64, 64, 3),  # (B, 64, 13, 13)
            relu4=nn.ReLU(),
            pool2=nn.MaxPool2d(2),  # (B, 64, 6, 6)
            dropout2=nn.Dropout(rate / 2),
            flatten=nn.Flatten(),  # (B, 2304)
            dense=nn.Linear(64 * size_through(size, SHRINKING) ** 2, 512),  # (B, 512)
            relu5=nn.ReLU(),
            dropout3=nn.Dropout(rate),
            head=nn.Linear(512, classes),  # (B, classes)
        )
    )
    for module in net:
        _initialise(module)
    return net


def _initialise(module: nn.Module) -> None:
    """Keras's defaults: Glorot and Bengio 2010, equation 16 (uniform), and biases of zero."""
    if isinstance(module, (nn.Conv2d, nn.Linear)) and module.bias is not None:
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
