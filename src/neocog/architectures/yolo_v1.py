"""YOLO (Redmon, Divvala, Girshick, Farhadi 2015, arXiv:1506.02640): a picture's objects from one pass. Figure 3.

The layers are the paper's; dropout, Fast and Tiny YOLO are those of pjreddie/darknet's configurations.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

from torch import nn

from neocog.core.arithmetic import Window, size_through
from neocog.core.errors import NetworkError
from neocog.core.registry import network
from neocog.nn.branches import Branch, Conv, Unit, branch_outputs, chain, convolution

SIZE, GRID, BOXES, CLASSES = 448, 7, 2, 20
NUMBERS = 5  # of a box: centre, width and height, confidence
SLOPE, DROPOUT, UNITS = 0.1, 0.5, 4096

halve = partial(nn.MaxPool2d, 2, 2)

FIGURE_3: Branch = (
    Conv(64, 7, 2), halve,  # (B, 64, 112, 112)
    Conv(192, 3), halve,  # (B, 192, 56, 56)
    Conv(128), Conv(256, 3), Conv(256), Conv(512, 3), halve,  # (B, 512, 28, 28)
    *(Conv(256), Conv(512, 3)) * 4, Conv(512), Conv(1024, 3), halve,  # (B, 1024, 14, 14)
    *(Conv(512), Conv(1024, 3)) * 2, Conv(1024, 3), Conv(1024, 3, 2),  # (B, 1024, 7, 7)
    Conv(1024, 3), Conv(1024, 3),  # (B, 1024, 7, 7)
)  # fmt: skip
# darknet cfg/yolo-tiny.cfg of 2015, section 2.2's nine convolutions, and cfg/yolov1-tiny.cfg of 2016.
HALVING: Branch = tuple(step for maps in (16, 32, 64, 128, 256, 512) for step in (Conv(maps, 3), halve))
FAST: Branch = (*HALVING, Conv(1024, 3), Conv(1024, 3), Conv(1024, 3))  # (B, 1024, 7, 7)
TINY: Branch = (*HALVING, Conv(1024, 3), Conv(256, 3))  # (B, 256, 7, 7)


def _leaky(inputs: int, row: Conv) -> dict[str, nn.Module]:
    return {"": convolution(inputs, row, bias=True), "_relu": nn.LeakyReLU(SLOPE)}


def _leaky_bn(inputs: int, row: Conv) -> dict[str, nn.Module]:
    norm = nn.BatchNorm2d(row.outputs)
    return {"": convolution(inputs, row, bias=False), "_bn": norm, "_relu": nn.LeakyReLU(SLOPE)}


def _features(channels: int, table: Branch, unit: Unit, size: int) -> tuple[dict[str, nn.Module], int]:
    """Returns the convolutions and a flattening, and how many features that gives for inputs of ``size`` a side.

    Raises NetworkError when the size is too small.
    """
    # Padded by half its kernel, a convolution at stride 2 shrinks as a kernel of 1 does.
    strides = [Window(1, step.stride) if isinstance(step, Conv) else Window(2, 2) for step in table]
    side = size_through(size, strides)
    layers = chain(channels, table, unit) | {"flatten": nn.Flatten()}
    return layers, branch_outputs(channels, table) * side**2


def _dense(number: int, inputs: int, outputs: int = UNITS) -> dict[str, nn.Module]:
    return {f"fc{number}": nn.Linear(inputs, outputs), f"fc{number}_relu": nn.LeakyReLU(SLOPE)}


def _detector(layers: dict[str, nn.Module], inputs: int, classes: int, grid: int, boxes: int) -> nn.Module:
    """Adds the head: ``boxes`` boxes and the classes' probabilities for each of ``grid`` x ``grid`` cells."""
    for name, number in (("grid", grid), ("boxes", boxes)):
        if number < 1:
            raise NetworkError(f"{name} should be 1 or more, got {number}.")
    depth = boxes * NUMBERS + classes
    top = {
        "head": nn.Linear(inputs, grid**2 * depth),
        "cells": nn.Unflatten(1, (grid, grid, depth)),  # (B, S, S, B * 5 + C)
    }
    net = nn.Sequential(OrderedDict(layers | top))
    _initialise(net)
    return net


def _top(rate: float | None) -> dict[str, nn.Module]:
    return {"dropout": nn.Dropout(DROPOUT if rate is None else rate)}


@network(
    paper="1506.02640",
    year=2015,
    task="detection",
    input=(3, SIZE, SIZE),
    classes=CLASSES,
    params=271_703_550,
    macs=20_285_153_280,
)
def yolo_v1(
    classes: int = CLASSES,
    channels: int = 3,
    *,
    grid: int = GRID,
    boxes: int = BOXES,
    size: int = SIZE,
    dropout: float | None = None,
) -> nn.Module:
    """YOLO: 24 convolutions and two dense layers to a grid of cells (B, grid, grid, boxes * 5 + classes).

    ``size`` is the input's height and width, which the dense layers depend on; ``dropout`` the rate between them, 0.5
    as published.
    """
    layers, features = _features(channels, FIGURE_3, _leaky, size)
    return _detector(layers | _dense(1, features) | _top(dropout), UNITS, classes, grid, boxes)


@network(
    paper="1506.02640",
    year=2015,
    task="detection",
    input=(3, SIZE, SIZE),
    classes=CLASSES,
    params=271_716_734,
    macs=20_285_153_280,
    deviations="batch norm instead of the convolutions' biases",
)
def yolo_v1_bn(
    classes: int = CLASSES,
    channels: int = 3,
    *,
    grid: int = GRID,
    boxes: int = BOXES,
    size: int = SIZE,
    dropout: float | None = None,
) -> nn.Module:
    """YOLO with batch norm after each convolution, as most ports have it; options as for `yolo_v1`."""
    layers, features = _features(channels, FIGURE_3, _leaky_bn, size)
    return _detector(layers | _dense(1, features) | _top(dropout), UNITS, classes, grid, boxes)


@network(
    paper="1506.02640",
    year=2015,
    task="detection",
    input=(3, SIZE, SIZE),
    classes=CLASSES,
    params=45_089_374,
    macs=2_418_728_960,
    deviations="none; the dense layers, which the paper leaves open, are those of darknet's configuration",
)
def fast_yolo(
    classes: int = CLASSES,
    channels: int = 3,
    *,
    grid: int = GRID,
    boxes: int = BOXES,
    size: int = SIZE,
    dropout: float | None = None,
) -> nn.Module:
    """Fast YOLO: nine convolutions and three dense layers, the first linear; options as for `yolo_v1`."""
    layers, features = _features(channels, FAST, _leaky, size)
    layers |= {"fc1": nn.Linear(features, 256)} | _dense(2, 256)
    return _detector(layers | _top(dropout), UNITS, classes, grid, boxes)


@network(
    paper="pjreddie/darknet cfg/yolov1-tiny.cfg",
    year=2016,
    task="detection",
    input=(3, SIZE, SIZE),
    classes=CLASSES,
    params=27_095_374,
    macs=1_608_015_360,
)
def tiny_yolo(
    classes: int = CLASSES, channels: int = 3, *, grid: int = GRID, boxes: int = BOXES, size: int = SIZE
) -> nn.Module:
    """Tiny YOLO: eight convolutions with batch norm and one dense layer; options as for `yolo_v1`, no dropout."""
    layers, features = _features(channels, TINY, _leaky_bn, size)
    return _detector(layers, features, classes, grid, boxes)


def _initialise(net: nn.Module) -> None:
    """He et al. 2015 (arXiv:1502.01852), section 2.2, for leaky ReLU; the head starts small, with deviation 0.01.

    Darknet draws uniform numbers of a third of that variance, from which so deep a network starts only when its
    convolutions have been trained on ImageNet before.
    """
    for name, module in net.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            if name == "head":
                nn.init.normal_(module.weight, std=0.01)
            else:
                nn.init.kaiming_normal_(module.weight, a=SLOPE)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
