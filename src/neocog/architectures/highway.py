"""Highway networks (Srivastava, Greff, Schmidhuber 2015, arXiv:1505.00387 and arXiv:1507.06228).

The convolutional ones follow the authors' models (flukeskywalker/highway-networks, examples/highways).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from math import log, sqrt

from torch import Tensor, nn

from neocog.core.arithmetic import output_size
from neocog.core.errors import NetworkError
from neocog.core.registry import network

MNIST_DROPOUT, CIFAR_DROPOUT = 0.5, 0.2
MNIST_MAPS = 32


class Highway(nn.Module):
    """A layer that passes its input on where its gate is shut: T(x) H(x) + (1 - T(x)) x (equation 3).

    ``layer`` makes H and T, which have weights of their own and keep the input's shape. The gate's bias starts at
    ``gate_bias``; the more negative it is, the more of the input passes at the start.
    """

    def __init__(self, layer: Callable[[], nn.Conv2d | nn.Linear], gate_bias: float) -> None:
        super().__init__()
        self.transform = layer()
        self.transform_relu = nn.ReLU()
        self.gate = layer()
        self.gate_sigmoid = nn.Sigmoid()
        _xavier(self.transform)
        _xavier(self.gate, bias=gate_bias)

    def forward(self, x: Tensor) -> Tensor:  # (B, C, ...)
        """Returns a tensor of x's shape."""
        transformed = self.transform_relu(self.transform(x))  # (B, C, ...)
        gate = self.gate_sigmoid(self.gate(x))  # (B, C, ...)
        return x + gate * (transformed - x)  # type: ignore[no-any-return]


def _xavier(layer: nn.Module, bias: float = 0.0) -> None:
    """Caffe's "xavier": uniform with variance 1 / fan-in."""
    if isinstance(layer, (nn.Conv2d, nn.Linear)) and layer.bias is not None:
        bound = sqrt(3 / layer.weight[0].numel())
        nn.init.uniform_(layer.weight, -bound, bound)
        nn.init.constant_(layer.bias, bias)


def _stage(first: int, count: int, maps: int, gate_bias: float) -> dict[str, nn.Module]:
    """Returns ``count`` highway layers of 3x3 kernels, numbered from ``first``."""
    return {
        f"conv{number}": Highway(lambda: nn.Conv2d(maps, maps, 3, padding=1), gate_bias)
        for number in range(first, first + count)
    }


def _plain(number: int, convolution: nn.Conv2d) -> dict[str, nn.Module]:
    _xavier(convolution)
    return {f"conv{number}": convolution, f"conv{number}_relu": nn.ReLU()}


def _head(features: int, classes: int, deviation: float) -> nn.Linear:
    head = nn.Linear(features, classes)
    nn.init.normal_(head.weight, std=deviation)
    nn.init.zeros_(head.bias)
    return head


def _mnist_side(size: int) -> int:
    """Returns the size after the last pool; pools round up, as Caffe's do: 28 becomes 24, 12, 6 and 3."""
    side = output_size(size, 5)
    for kernel in (3, 3, 2):
        side = output_size(side, kernel, 2, ceil=True)
    return side


@network(
    paper="1505.00387",
    year=2015,
    task="image classification",
    input=(1, 28, 28),
    classes=10,
    params=151_690,
    macs=31_650_624,
    deviations="none",
)
def highway_mnist(classes: int = 10, channels: int = 1, *, dropout: float | None = None, size: int = 28) -> nn.Module:
    """Highway network for MNIST: ten layers of 32 maps, eight of them with gates.

    ``dropout`` is the rate before the head, 0.5 as published; on the input and after the pools before it is 0.4, 0.6
    and 0.8 of that. ``size`` is the input's height and width, which the head's shape depends on.
    """
    rate, maps = MNIST_DROPOUT if dropout is None else dropout, MNIST_MAPS
    return nn.Sequential(
        OrderedDict(
            dropout1=nn.Dropout(0.4 * rate),
            **_plain(1, nn.Conv2d(channels, maps, 5)),  # (B, 32, 24, 24)
            **_stage(2, 2, maps, gate_bias=-1),
            pool1=nn.MaxPool2d(3, 2, ceil_mode=True),  # (B, 32, 12, 12)
            dropout2=nn.Dropout(0.6 * rate),
            **_stage(4, 3, maps, gate_bias=-1),
            pool2=nn.MaxPool2d(3, 2, ceil_mode=True),  # (B, 32, 6, 6)
            dropout3=nn.Dropout(0.8 * rate),
            **_stage(7, 3, maps, gate_bias=-1),
            pool3=nn.MaxPool2d(2, 2, ceil_mode=True),  # (B, 32, 3, 3)
            dropout4=nn.Dropout(rate),
            flatten=nn.Flatten(),  # (B, 288)
            head=_head(maps * _mnist_side(size) ** 2, classes, 0.1),  # (B, classes)
        )
    )


@network(
    paper="1505.00387",
    year=2015,
    task="image classification",
    input=(3, 32, 32),
    classes=10,
    params=2_256_838,
    macs=330_826_728,
    deviations="conv1 starts as the other layers do; the authors' model draws it with deviation 1",
)
def highway_cifar10(classes: int = 10, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """Highway network for CIFAR-10: nineteen layers, of 32, 80 and 128 maps, fourteen of them with gates.

    ``dropout`` is the rate on the input, after the pools and before the head, 0.2 as published.
    """
    rate = CIFAR_DROPOUT if dropout is None else dropout
    return nn.Sequential(
        OrderedDict(
            dropout1=nn.Dropout(rate),
            **_plain(1, nn.Conv2d(channels, 32, 3, padding=1)),  # (B, 32, 32, 32)
            **_stage(2, 4, 32, gate_bias=-2),
            pool1=nn.MaxPool2d(2),  # (B, 32, 16, 16)
            dropout2=nn.Dropout(rate),
            **_plain(6, nn.Conv2d(32, 80, 3, padding=1)),  # (B, 80, 16, 16)
            **_stage(7, 5, 80, gate_bias=-2),
            pool2=nn.MaxPool2d(2),  # (B, 80, 8, 8)
            dropout3=nn.Dropout(rate),
            **_plain(12, nn.Conv2d(80, 128, 3, padding=1)),  # (B, 128, 8, 8)
            **_stage(13, 5, 128, gate_bias=-2),
            **_plain(18, nn.Conv2d(128, 100, 1)),  # (B, 100, 8, 8)
            avgpool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),  # (B, 100)
            dropout4=nn.Dropout(rate),
            head=_head(100, classes, 0.05),  # (B, classes)
        )
    )


@network(
    paper="1505.00387",
    year=2015,
    task="image classification",
    input=(1, 28, 28),
    classes=10,
    params=289_660,
    macs=284_700,
    deviations="the paper draws the gates' first bias at random, between -1 and -10; here it follows from the depth",
)
def highway_fc(classes: int = 10, channels: int = 1, *, depth: int = 50, width: int = 50, size: int = 28) -> nn.Module:
    """Fully connected highway network: one plain layer, then layers with gates, ``depth`` in all before the head.

    The gates' biases start at -log(depth): each gate is then open by about 1 / depth, so that all of them together
    change the signal about once, and networks of hundreds of layers train. ``width`` is the number of units a layer and
    ``size`` the input's height and width.

    Raises NetworkError for a depth or width below one.
    """
    if depth < 1 or width < 1:
        raise NetworkError(f"depth and width should be 1 or more, got {depth} and {width}.")
    plain = nn.Linear(channels * size**2, width)
    _xavier(plain)
    layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten(), layer1=plain, layer1_relu=nn.ReLU())
    for number in range(2, depth + 1):
        layers[f"layer{number}"] = Highway(lambda: nn.Linear(width, width), -log(depth))
    layers["head"] = nn.Linear(width, classes)
    _xavier(layers["head"])
    return nn.Sequential(layers)
