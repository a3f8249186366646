"""Xception (Chollet 2016, arXiv:1610.02357). Figure 5; what it leaves open is as in the author's code in Keras."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import NamedTuple

from torch import Tensor, nn

from neocog.core.registry import Errors, network
from neocog.nn.branches import Conv, conv_bn_relu, convolution, named
from neocog.nn.conv import Norm
from neocog.nn.padding import way_of
from neocog.nn.same_pool import SameMaxPool2d
from neocog.nn.slim_init import he_fan_in

DROPOUT = 0.5
STEM = (Conv(32, 3, 2, valid=True), Conv(64, 3, valid=True))
EXIT = (1536, 2048)


class Row(NamedTuple):
    """A residual block of figure 5: the maps of its separable convolutions, its stride, and how often it comes.

    A ReLU stands before each separable convolution, but not before the first where ``active`` is false.
    """

    outputs: tuple[int, ...]
    stride: int = 2
    repeats: int = 1
    active: bool = True


FIGURE_5 = (
    Row((128, 128), active=False),  # entry flow: (B, 128, 74, 74)
    Row((256, 256)),  # (B, 256, 37, 37)
    Row((728, 728)),  # (B, 728, 19, 19)
    Row((728, 728, 728), stride=1, repeats=8),  # middle flow: (B, 728, 19, 19)
    Row((728, 1024)),  # exit flow: (B, 1024, 10, 10)
)
ROWS = tuple(row for row in FIGURE_5 for _ in range(row.repeats))
FIRST, LAST = 2, 2 + len(ROWS)  # block1 is the two plain convolutions, the last one the two widest separable ones


def separable(inputs: int, outputs: int, norm: Norm) -> nn.Sequential:
    """Returns 3x3 on each map by itself, 1x1 over all maps, nothing between them (section 4.7), and batch norm."""
    return nn.Sequential(
        OrderedDict(
            depthwise=nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False),
            pointwise=convolution(inputs, Conv(outputs), bias=False),
            bn=norm(outputs),
        )
    )


class Block(nn.Module):
    """Separable convolutions and the input added to them, through a strided 1x1 where the shape changes."""

    def __init__(self, inputs: int, row: Row, padding: str) -> None:
        super().__init__()
        norm = way_of(padding).norm
        widths = (inputs, *row.outputs)
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for number, (before, after) in enumerate(zip(widths, row.outputs, strict=False), 1):
            if number > 1 or row.active:
                layers[f"relu{number}"] = nn.ReLU()
            layers[f"sepconv{number}"] = separable(before, after, norm)
        if row.stride > 1:
            layers["pool"] = SameMaxPool2d(3, 2) if padding == "tensorflow" else nn.MaxPool2d(3, 2, padding=1)
        self.body = nn.Sequential(layers)
        self.skip = _projection(inputs, row.outputs[-1], row.stride, norm)

    def forward(self, x: Tensor) -> Tensor:  # (B, inputs, H, W)
        """Returns (B, outputs, ceil(H / stride), ceil(W / stride))."""
        return self.body(x) + self.skip(x)  # type: ignore[no-any-return]


def _projection(inputs: int, outputs: int, stride: int, norm: Norm) -> nn.Module:
    if inputs == outputs and stride == 1:
        return nn.Identity()
    conv = convolution(inputs, Conv(outputs, 1, stride), bias=False)
    return nn.Sequential(OrderedDict(conv=conv, bn=norm(outputs)))


def _entry(channels: int, norm: Norm) -> nn.Sequential:
    unit = partial(conv_bn_relu, norm=norm)
    layers = named("conv1", channels, STEM[0], unit) | named("conv2", STEM[0].outputs, STEM[1], unit)
    return nn.Sequential(OrderedDict(layers))


def _exit(inputs: int, norm: Norm) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, (before, after) in enumerate(zip((inputs, *EXIT), EXIT, strict=False), 1):
        layers[f"sepconv{number}"] = separable(before, after, norm)
        layers[f"sepconv{number}_relu"] = nn.ReLU()
    return nn.Sequential(layers)


def _keras_names() -> dict[str, str]:
    """Returns Keras's layer names and ours for each; where Keras gives none, it counts the layers of a kind."""
    names = {"predictions": "head"}
    for number in range(1, len(STEM) + 1):
        names[f"block1_conv{number}"] = f"block1.conv{number}"
        names[f"block1_conv{number}_bn"] = f"block1.conv{number}_bn"
    projections = 0
    for number, row in enumerate(ROWS, FIRST):
        for sepconv in range(1, len(row.outputs) + 1):
            names[f"block{number}_sepconv{sepconv}"] = f"block{number}.body.sepconv{sepconv}"
            names[f"block{number}_sepconv{sepconv}_bn"] = f"block{number}.body.sepconv{sepconv}.bn"
        if row.stride > 1:
            count = f"_{projections}" if projections else ""
            names[f"conv2d{count}"] = f"block{number}.skip.conv"
            names[f"batch_normalization{count}"] = f"block{number}.skip.bn"
            projections += 1
    for sepconv in range(1, len(EXIT) + 1):
        names[f"block{LAST}_sepconv{sepconv}"] = f"block{LAST}.sepconv{sepconv}"
        names[f"block{LAST}_sepconv{sepconv}_bn"] = f"block{LAST}.sepconv{sepconv}.bn"
    return names


def _timm_names() -> dict[str, str]:
    """Returns timm's module names, which count the residual blocks from 1, and ours for each."""
    names = {"fc": "head"}
    for number in range(1, len(STEM) + 1):
        names |= {f"conv{number}": f"block1.conv{number}", f"bn{number}": f"block1.conv{number}_bn"}
    for number, row in enumerate(ROWS, 1):
        theirs, ours = f"block{number}", f"block{number + 1}"
        place = 0
        for sepconv in range(1, len(row.outputs) + 1):
            place += sepconv > 1 or row.active  # its ReLU
            rep = f"{theirs}.rep"
            names |= _timm_separable(f"{rep}.{place}", f"{rep}.{place + 1}", f"{ours}.body.sepconv{sepconv}")
            place += 2
        if row.stride > 1:
            names |= {f"{theirs}.skip": f"{ours}.skip.conv", f"{theirs}.skipbn": f"{ours}.skip.bn"}
    for sepconv in range(1, len(EXIT) + 1):
        place = len(STEM) + sepconv
        names |= _timm_separable(f"conv{place}", f"bn{place}", f"block{LAST}.sepconv{sepconv}")
    return names


def _timm_separable(theirs: str, their_norm: str, ours: str) -> dict[str, str]:
    parts = {f"{theirs}.conv1": f"{ours}.depthwise", f"{theirs}.pointwise": f"{ours}.pointwise"}
    return parts | {their_norm: f"{ours}.bn"}


@network(
    paper="1610.02357",
    year=2016,
    task="image classification",
    input=(3, 299, 299),
    params=22_855_952,
    macs=8_357_403_496,
    errors=Errors(20.942, 5.604, "timm results-imagenet.csv, legacy_xception.tf_in1k at 299, single crop"),
    renames={"keras": _keras_names(), "timm": _timm_names()},
    aliases=("legacy_xception",),
    deviations="padded as timm's port; the author's code in Keras is padding='tensorflow'",
)
def xception(
    classes: int = 1000, channels: int = 3, *, dropout: float | None = None, padding: str = "symmetric"
) -> nn.Module:
    """Xception: depthwise separable convolutions throughout, in residual blocks.

    ``dropout`` is the rate before the head, 0.5 as published for ImageNet. ``padding="tensorflow"`` is what weights
    from Keras, the author's, need (`neocog.nn.padding.way_of`).
    """
    norm = way_of(padding).norm
    layers: dict[str, nn.Module] = {"block1": _entry(channels, norm)}  # (B, 64, 147, 147)
    width = STEM[-1].outputs
    for number, row in enumerate(ROWS, FIRST):
        layers[f"block{number}"] = Block(width, row, padding)
        width = row.outputs[-1]
    layers[f"block{LAST}"] = _exit(width, norm)  # (B, 2048, 10, 10)
    net = nn.Sequential(
        OrderedDict(
            **layers,
            avgpool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),  # (B, 2048)
            dropout=nn.Dropout(DROPOUT if dropout is None else dropout),
            head=nn.Linear(EXIT[-1], classes),  # (B, classes)
        )
    )
    he_fan_in(net)
    return net
