"""GoogLeNet's trunk (Szegedy et al. 2014, arXiv:1409.4842): the stem, and table 1's inceptions with their pools."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from torch import nn

from neocog.nn.auxiliary import GridPool
from neocog.nn.branches import Branch, Branches, Conv, Unit, conv_relu, named, outputs_of

# The last window may hang over the end, as in Caffe: 112 -> 56 -> 28 -> 14 -> 7.
ceil_pool = partial(nn.MaxPool2d, 3, 2, ceil_mode=True)
same_pool = partial(nn.MaxPool2d, 3, 1, padding=1)

STEM, STEM_OUTPUTS, OUTPUTS = 64, 192, 1024
AUXILIARY_DROPOUT, AUXILIARY_WEIGHT = 0.7, 0.3
AUXILIARY_GRID, AUXILIARY_MAPS, AUXILIARY_UNITS = 4, 128, 1024


class Row(NamedTuple):
    """A row of table 1: maps of the 1x1, of the 3x3 and the 5x5 and of the 1x1 before each, of the pool's 1x1."""

    name: str
    conv1: int
    reduce3: int
    conv3: int
    reduce5: int
    conv5: int
    project: int

    def branches(self, largest: int = 5) -> tuple[Branch, ...]:
        """Returns figure 2 b; ``largest`` is the kernel of what the paper has 5x5."""
        return (
            (Conv(self.conv1),),
            (Conv(self.reduce3), Conv(self.conv3, 3)),
            (Conv(self.reduce5), Conv(self.conv5, largest)),
            (same_pool, Conv(self.project)),
        )


TABLE_1 = (
    Row("3a", 64, 96, 128, 16, 32, 32),  # (B, 256, 28, 28)
    Row("3b", 128, 128, 192, 32, 96, 64),  # (B, 480, 28, 28)
    Row("4a", 192, 96, 208, 16, 48, 64),  # (B, 512, 14, 14)
    Row("4b", 160, 112, 224, 24, 64, 64),  # (B, 512, 14, 14)
    Row("4c", 128, 128, 256, 24, 64, 64),  # (B, 512, 14, 14)
    Row("4d", 112, 144, 288, 32, 64, 64),  # (B, 528, 14, 14)
    Row("4e", 256, 160, 320, 32, 128, 128),  # (B, 832, 14, 14)
    Row("5a", 256, 160, 320, 32, 128, 128),  # (B, 832, 7, 7)
    Row("5b", 384, 192, 384, 48, 128, 128),  # (B, 1024, 7, 7)
)
AUXILIARY_AFTER = ("4a", "4d")  # section 5
POOL_AFTER = {"3b": "pool3", "4e": "pool4"}


def stem(
    channels: int, unit: Unit, *, normalised: bool = False, first: Mapping[str, nn.Module] | None = None
) -> dict[str, nn.Module]:
    """Returns the layers before the inceptions: (B, channels, H, W) to (B, 192, H / 8, W / 8).

    ``normalised`` adds the local response norms after the first pool and before the second; ``first`` are layers in
    place of the 7x7 convolution.
    """
    layers = dict(named("conv1", channels, Conv(STEM, 7, 2), unit) if first is None else first)  # (B, 64, 112, 112)
    layers["pool1"] = ceil_pool()  # (B, 64, 56, 56)
    if normalised:
        layers["norm1"] = nn.LocalResponseNorm(5)
    layers.update(named("conv2_reduce", STEM, Conv(STEM), unit))
    layers.update(named("conv2", STEM, Conv(STEM_OUTPUTS, 3), unit))  # (B, 192, 56, 56)
    if normalised:
        layers["norm2"] = nn.LocalResponseNorm(5)
    return layers | {"pool2": ceil_pool()}  # (B, 192, 28, 28)


def inceptions(
    unit: Unit,
    *,
    largest: int = 5,
    last_pool: Callable[[], nn.Module] = ceil_pool,
    auxiliary: Callable[[int], nn.Module] | None = None,
) -> dict[str, nn.Module]:
    """Returns table 1's inceptions and the pools between them: (B, 192, H, W) to (B, 1024, H / 4, W / 4).

    ``auxiliary`` makes the head ``aux1`` or ``aux2`` for the number of maps that it is given.
    """
    layers: dict[str, nn.Module] = {}
    inputs = STEM_OUTPUTS
    for row in TABLE_1:
        layers[f"inception{row.name}"] = Branches(inputs, row.branches(largest), unit)
        inputs = outputs_of(inputs, row.branches(largest))
        if auxiliary and row.name in AUXILIARY_AFTER:
            layers[f"aux{AUXILIARY_AFTER.index(row.name) + 1}"] = auxiliary(inputs)
        if row.name in POOL_AFTER:
            layers[POOL_AFTER[row.name]] = last_pool() if row.name == "4e" else ceil_pool()
    return layers


def auxiliary_head(inputs: int, outputs: int, dropout: float | None = None) -> nn.Sequential:
    """Returns the head of section 5 on (B, inputs, H, W): the averages of 4x4 windows, 1x1, dense, dense."""
    return nn.Sequential(
        OrderedDict(
            pool=GridPool(AUXILIARY_GRID),  # (B, inputs, 4, 4)
            **named("conv", inputs, Conv(AUXILIARY_MAPS), conv_relu),  # (B, 128, 4, 4)
            **dense(AUXILIARY_MAPS * AUXILIARY_GRID**2, AUXILIARY_UNITS, outputs, dropout),
        )
    )


def dense(inputs: int, units: int, outputs: int, dropout: float | None = None) -> dict[str, nn.Module]:
    """Returns the layers from an auxiliary head's maps to its outputs (B, outputs)."""
    return {
        "flatten": nn.Flatten(),  # (B, inputs)
        "fc": nn.Linear(inputs, units),  # (B, units)
        "fc_relu": nn.ReLU(),
        "dropout": nn.Dropout(AUXILIARY_DROPOUT if dropout is None else dropout),
        "head": nn.Linear(units, outputs),  # (B, outputs)
    }
