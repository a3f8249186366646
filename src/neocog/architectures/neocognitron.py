"""Neocognitron (Fukushima 1980, doi:10.1007/BF00344251). Equations 1 to 5, figure 5."""

from __future__ import annotations

from collections import OrderedDict
from math import hypot

import torch
from torch import Tensor, nn
from torch.nn import functional

from neocog.core.registry import network

PLANES, AREA = 24, 5
SELECTIVITY = (4.0, 1.5, 1.5)  # r of the three S-layers
SATURATION = 0.5  # alpha
FALL = 0.9  # the factor by which the fixed weights c and d fall, cell by cell, from the centre of their area


class SLayer(nn.Conv2d):
    """S-cells: excited by a pattern, inhibited by the mean activity around it (equations 1 to 3).

    The response is r phi[(1 + e) / (1 + 2 r / (1 + r) b v) - 1] with phi the ramp, e the sum of a u over the connected
    area in all planes below, and v the root of the mean square of u there, weighted by the fixed weights c. A
    convolution's ``weight`` is a, its ``bias`` is b, one for each plane. The modifiable weights start small and
    positive, a few much larger than the rest, so that planes differ; b starts at zero.
    """

    def __init__(self, inputs: int, planes: int, selectivity: float, padding: int) -> None:
        super().__init__(inputs, planes, AREA, padding=padding)
        self.selectivity = selectivity
        self.register_buffer("c", centred_weights(AREA, inputs), persistent=False)
        start_sparse(self)

    def forward(self, x: Tensor) -> Tensor:  # (B, inputs, H, W), at least 0
        """Returns (B, planes, H + 2 padding - 4, W + 2 padding - 4), at least 0."""
        assert self.bias is not None
        r = self.selectivity
        excitation = functional.conv2d(x, self.weight, padding=self.padding)  # (B, planes, H', W')
        mean_square = functional.conv2d(x.square(), self.get_buffer("c"), padding=self.padding)  # (B, 1, H', W')
        # The root has no slope at zero, where nothing is seen and nothing to be learned.
        activity = mean_square.clamp(min=1e-12).sqrt()
        inhibition = 2 * r / (1 + r) * self.bias.clamp(min=0)[:, None, None] * activity  # (B, planes, H', W')
        return r * functional.relu((1 + excitation) / (1 + inhibition) - 1)


class CLayer(nn.Module):
    """C-cells: excited by any S-cell of one plane in their area, inhibited by the mean of all planes (equations 4, 5).

    The response is psi[(1 + e) / (1 + v) - 1] with psi(x) = x / (alpha + x) above zero, e the sum of d u over the area
    and v the mean of the e of all planes. The weights d are fixed.
    """

    def __init__(self, area: int, padding: int = 0) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.padding = area, 1, padding
        self.register_buffer("d", centred_weights(area, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:  # (B, planes, H, W), at least 0
        """Returns (B, planes, H + 2 padding - area + 1, W + 2 padding - area + 1), from 0 to 1."""
        kernels = self.get_buffer("d").expand(x.shape[1], -1, -1, -1)  # (planes, 1, area, area)
        excitation = functional.conv2d(x, kernels, padding=self.padding, groups=x.shape[1])
        inhibition = excitation.mean(1, keepdim=True)  # (B, 1, H', W')
        contrast = functional.relu((1 + excitation) / (1 + inhibition) - 1)
        return contrast / (SATURATION + contrast)


def centred_weights(area: int, planes: int) -> Tensor:
    """Returns weights (1, planes, area, area) that fall with the distance from the centre and sum to one."""
    middle = (area - 1) / 2
    weights = torch.tensor(
        [[FALL ** hypot(row - middle, column - middle) for column in range(area)] for row in range(area)]
    )
    return (weights / (planes * weights.sum())).expand(1, planes, area, area).clone()


def start_sparse(layer: nn.Conv2d) -> None:
    """Draws a, of mean 16 / fan-in, from a distribution with a long tail, and sets b to zero."""
    power, gain = 16, 16
    nn.init.uniform_(layer.weight)
    with torch.no_grad():  # the power of a uniform number has the mean 1 / (power + 1)
        layer.weight.pow_(power).mul_(gain * (power + 1) / layer.weight[0].numel())
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)


@network(
    paper="10.1007/BF00344251",
    year=1980,
    task="image classification",
    input=(1, 16, 16),
    classes=24,
    params=29_472,
    macs=1_132_800,
    deviations="trained by gradients here, where the paper's learns without a teacher; sizes of layers as they are "
    "commonly quoted, where the areas lie and how c and d fall was chosen to fit them; only the modifiable weights' "
    "products are counted",
)
def neocognitron(classes: int = 24, channels: int = 1) -> nn.Module:
    """The neocognitron: three S-layers that learn patterns, each with a C-layer that forgives their position.

    Inputs are intensities, at least 0. ``classes`` is the number of planes of the last two layers, 24 as published. The
    last S-layer, which has the last weights, is the head; its C-cells see all of it.
    """
    r1, r2, r3 = SELECTIVITY
    return nn.Sequential(
        OrderedDict(
            s1=SLayer(channels, PLANES, r1, padding=2),  # (B, 24, 16, 16)
            c1_border=nn.ZeroPad2d(-1),  # C-cells look at the 14x14 cells inside
            c1=CLayer(AREA),  # (B, 24, 10, 10)
            s2=SLayer(PLANES, PLANES, r2, padding=1),  # (B, 24, 8, 8)
            c2=CLayer(AREA, padding=1),  # (B, 24, 6, 6)
            head=SLayer(PLANES, classes, r3, padding=0),  # (B, classes, 2, 2)
            c3_area=nn.AdaptiveAvgPool2d(1),  # d of the last C-layer, equal over all of the plane
            c3=CLayer(1),  # (B, classes, 1, 1)
            flatten=nn.Flatten(),  # (B, classes)
        )
    )
