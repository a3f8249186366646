"""The zip code network (LeCun, Boser, Denker, Henderson, Howard, Hubbard, Jackel 1989). Section 3.3, figure 3."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

from neocog.core.arithmetic import output_size
from neocog.core.errors import NetworkError
from neocog.core.registry import network
from neocog.nn.lecun import ScaledTanh, TableConvolution, uniform_over_fan_in

MAPS, SEEN = 12, 8
BACKGROUND = -1.0  # what units see beyond the border: the paper's background level

# The maps of H1 that each map of H2 sees: eight of twelve, chosen by a scheme that the paper does not tell. Ours goes
# round, so that each map of H1 is seen by eight maps of H2, and no two of these see the same.
SCHEME = tuple(tuple(sorted((first + step) % MAPS for step in range(SEEN))) for first in range(MAPS))


class UnitBias(nn.Module):
    """A bias of its own for every unit of every map; only kernels are shared in this network. They start at zero."""

    pointwise = True

    def __init__(self, maps: int, side: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(maps, side, side))

    def forward(self, x: Tensor) -> Tensor:  # (B, maps, side, side)
        """Returns (B, maps, side, side).

        Raises NetworkError for maps of another size, which torch would repeat a single unit for.
        """
        if x.shape[1:] != self.bias.shape:
            own, came = ("x".join(map(str, shape)) for shape in (self.bias.shape, x.shape[1:]))
            raise NetworkError(f"there are biases for {own} units, got {came}; build the network for this size.")
        return x + self.bias


@network(
    paper="10.1162/neco.1989.1.4.541",
    year=1989,
    task="image classification",
    input=(1, 16, 16),
    classes=10,
    params=9_760,
    macs=63_660,
    deviations="which 8 of 12 maps each map of H2 sees is not published: a scheme of our own that goes round; biases "
    "start at zero; logits instead of squashed outputs, since the loss is cross-entropy",
)
def lenet1989(classes: int = 10, channels: int = 1, *, size: int = 16) -> nn.Module:
    """The first LeNet, for zip codes: strided 5x5 kernels without pooling, and a bias for every single unit.

    ``size`` is the input's height and width, on which the numbers of units depend.
    """
    h1_side = output_size(size, 5, 2, 2)
    h2_side = output_size(h1_side, 5, 2, 2)
    net = nn.Sequential(
        OrderedDict(
            h1_border=nn.ConstantPad2d(2, BACKGROUND),
            h1=nn.Conv2d(channels, MAPS, 5, 2, bias=False),  # (B, 12, 8, 8)
            h1_bias=UnitBias(MAPS, h1_side),
            h1_tanh=ScaledTanh(),
            h2_border=nn.ConstantPad2d(2, BACKGROUND),
            h2=TableConvolution(MAPS, SCHEME, 5, stride=2, bias=False),  # (B, 12, 4, 4)
            h2_bias=UnitBias(MAPS, h2_side),
            h2_tanh=ScaledTanh(),
            flatten=nn.Flatten(),  # (B, 192)
            h3=nn.Linear(MAPS * h2_side**2, 30),  # (B, 30)
            h3_tanh=ScaledTanh(),
            head=nn.Linear(30, classes),  # (B, classes)
        )
    )
    for layer in net:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            uniform_over_fan_in(layer.weight[0].numel(), layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return net
