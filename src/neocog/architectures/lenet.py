"""LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998, doi:10.1109/5.726791). Section II-B, figure 2, table I."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

from neocog.core.arithmetic import Window, size_through
from neocog.core.registry import network
from neocog.nn.lecun import ScaledTanh, TableConvolution, uniform_over_fan_in

# Table I: the maps of S2 that each map of C3 is connected to.
TABLE_I = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)  # fmt: skip

# Figure 3: the stylised 7x12 bitmaps of the digits, +1 where a pixel is black and -1 elsewhere.
FIGURE_3 = (
    """
    .#####.  ...##..  .#####.  #######  .#####.
    .......  ..###..  .......  .....##  .......
    ..###..  .####..  .#####.  ....##.  .......
    .##.##.  ...##..  ##...##  ...##..  .##..##
    ##...##  ...##..  #....##  ..####.  .##..##
    ##...##  ...##..  ....##.  .....##  ###..##
    ##...##  ...##..  ..###..  .....##  ##...##
    ##...##  ...##..  .##....  .....##  ##...##
    .##.##.  ...##..  ##.....  ##...##  ##..###
    ..###..  .######  #######  .#####.  .######
    .......  .......  .......  .......  .....##
    .......  .......  .......  .......  .....##
    """,
    """
    .#####.  ..####.  #######  .#####.  .#####.
    .......  .##....  .....##  ##...##  ##..###
    #######  ##.....  .....##  ##...##  ##...##
    ##.....  ##.....  ....##.  ##...##  ##...##
    ##.....  ######.  ...##..  .#####.  ##..###
    .####..  ###..##  ...##..  ##...##  .######
    ..####.  ##...##  ..##...  ##...##  .....##
    .....##  ##...##  ..##...  ##...##  .....##
    ##...##  ###..##  ..##...  ##...##  ....##.
    .#####.  .#####.  ..##...  .#####.  .####..
    .......  .......  .......  .......  .......
    .......  .......  .......  .......  .......
    """,
)
CODE_LENGTH = 7 * 12

C1_TO_C5 = (Window(5), Window(2, 2), Window(5), Window(2, 2), Window(5))


class Subsampling(nn.Module):
    """The sum over 2x2 pixels, times a trainable coefficient, plus a trainable bias, one of each a map (S2, S4)."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.kernel_size = self.stride = 2
        self.coefficient = nn.Parameter(torch.empty(maps))
        self.bias = nn.Parameter(torch.empty(maps))
        uniform_over_fan_in(4, self.coefficient, self.bias)

    def forward(self, x: Tensor) -> Tensor:  # (B, maps, H, W)
        """Returns (B, maps, H / 2, W / 2)."""
        # Four times the mean is the same to the last bit; torch's ONNX exporter forgets another divisor than the area.
        sums = 4 * functional.avg_pool2d(x, 2)  # (B, maps, H / 2, W / 2)
        return sums * self.coefficient[:, None, None] + self.bias[:, None, None]


class RadialBasis(nn.Module):
    """The output layer: the squared distance of the code that F6 gives to each class's own code (equation 7).

    The codes are fixed. Returned are the negative distances as logits, divided by sqrt(84): softmax cross-entropy of
    them is the paper's discriminative criterion (equation 9) without its constant for an added rubbish class, at a
    temperature. The constant keeps F6 near the codes; without it and undivided, distances of 80 to 200 between codes
    let the criterion vanish while F6 has hardly left zero, and ordinary learning rates diverge.
    """

    def __init__(self, in_features: int, classes: int) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, classes
        self.register_buffer("centres", class_codes(classes))

    def forward(self, x: Tensor) -> Tensor:  # (B, 84)
        """Returns (B, classes), at most 0."""
        offsets = x[:, None] - self.get_buffer("centres")  # (B, classes, 84)
        return -offsets.square().sum(2) / sqrt(self.in_features)

    def macs(self, output_shape: tuple[int, ...]) -> int:
        """Returns the multiply-accumulates: a difference and a square for each number of each code."""
        return output_shape[0] * self.in_features


def class_codes(classes: int) -> Tensor:
    """Returns a code of 84 numbers, each +1 or -1, for each class, (classes, 84).

    The first ten are the digits of figure 3. The paper's codes for letters have no meaning for other classes, so the
    further ones are the bits of SHAKE-128 over the class's number: as far apart as chance has it, always the same.
    """
    return torch.stack([_digit_code(index) if index < 10 else _hashed_code(index) for index in range(classes)])


def _digit_code(digit: int) -> Tensor:
    rows = FIGURE_3[digit // 5].split("\n")[1:13]
    pixels = "".join(row.split()[digit % 5] for row in rows)
    return torch.tensor([1.0 if pixel == "#" else -1.0 for pixel in pixels])


def _hashed_code(index: int) -> Tensor:
    number = int.from_bytes(hashlib.shake_128(f"class {index}".encode()).digest(11), "little")
    return torch.tensor([1.0 if number >> bit & 1 else -1.0 for bit in range(CODE_LENGTH)])


@network(
    paper="10.1109/5.726791",
    year=1998,
    task="image classification",
    input=(1, 32, 32),
    classes=10,
    params=60_000,
    macs=326_520,
    deviations="no rubbish class, distances divided by sqrt(84) instead; codes beyond the ten digits are hashed",
)
def lenet5(classes: int = 10, channels: int = 1, *, size: int = 32) -> nn.Module:
    """LeNet-5 as published: table I, trainable subsampling, scaled tanh, radial basis functions on bitmap codes.

    ``size`` is the input's height and width, which the shape of F6 depends on.
    """
    net = nn.Sequential(
        OrderedDict(
            c1=nn.Conv2d(channels, 6, 5),  # (B, 6, 28, 28)
            c1_tanh=ScaledTanh(),
            s2=Subsampling(6),  # (B, 6, 14, 14)
            s2_tanh=ScaledTanh(),
            c3=TableConvolution(6, TABLE_I, 5),  # (B, 16, 10, 10)
            c3_tanh=ScaledTanh(),
            s4=Subsampling(16),  # (B, 16, 5, 5)
            s4_tanh=ScaledTanh(),
            c5=nn.Conv2d(16, 120, 5),  # (B, 120, 1, 1)
            c5_tanh=ScaledTanh(),
            flatten=nn.Flatten(),  # (B, 120)
            f6=nn.Linear(120 * size_through(size, C1_TO_C5) ** 2, CODE_LENGTH),  # (B, 84)
            f6_tanh=ScaledTanh(),
            head=RadialBasis(CODE_LENGTH, classes),  # (B, classes)
        )
    )
    for layer in net:
        if isinstance(layer, (nn.Conv2d, nn.Linear)) and layer.bias is not None:
            uniform_over_fan_in(layer.weight[0].numel(), layer.weight, layer.bias)
    return net


@network(
    paper="10.1109/5.726791",
    year=1998,
    task="image classification",
    input=(1, 32, 32),
    classes=10,
    params=61_706,
    macs=416_520,
    deviations="full connections in C3, plain max pooling, ReLU, and a dense layer before a softmax",
)
def lenet5_modern(classes: int = 10, channels: int = 1, *, size: int = 32) -> nn.Module:
    """LeNet-5 as it is taught today: full C3, max pooling, ReLU, softmax.

    ``size`` is the input's height and width, which the shape of F6 depends on.
    """
    return nn.Sequential(
        OrderedDict(
            c1=nn.Conv2d(channels, 6, 5),  # (B, 6, 28, 28)
            c1_relu=nn.ReLU(),
            s2=nn.MaxPool2d(2),  # (B, 6, 14, 14)
            c3=nn.Conv2d(6, 16, 5),  # (B, 16, 10, 10)
            c3_relu=nn.ReLU(),
            s4=nn.MaxPool2d(2),  # (B, 16, 5, 5)
            c5=nn.Conv2d(16, 120, 5),  # (B, 120, 1, 1)
            c5_relu=nn.ReLU(),
            flatten=nn.Flatten(),  # (B, 120)
            f6=nn.Linear(120 * size_through(size, C1_TO_C5) ** 2, 84),  # (B, 84)
            f6_relu=nn.ReLU(),
            head=nn.Linear(84, classes),  # (B, classes)
        )
    )
