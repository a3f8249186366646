"""Convolutions side by side on the same input, their maps concatenated: notation and block of the inceptions."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from neocog.nn.conv import Norm


class Conv(NamedTuple):
    """A convolution: its output maps, its kernel (one number, or rows and columns) and its stride.

    It is padded by half its kernel, or not at all when ``valid`` ("V" in the figures of arXiv:1602.07261).
    """

    outputs: int
    kernel: int | tuple[int, int] = 1
    stride: int = 1
    valid: bool = False


class Fork(NamedTuple):
    """Two convolutions of the same input at a branch's end; the maps of both count as the branch's."""

    left: Conv
    right: Conv


Pool = Callable[[], nn.Module]
Step = Conv | Fork | Pool
Branch = Sequence[Step]
# Makes the layers of one convolution for so many input maps: their suffixes ("" for the convolution's own) and modules.
Unit = Callable[[int, Conv], dict[str, nn.Module]]


class SideBySide(nn.Module):
    """Gives its input to each branch, its children by name."""

    def __init__(self, **branches: nn.Module) -> None:
        super().__init__()
        for name, branch in branches.items():
            self.add_module(name, branch)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Returns what the branches give, one tensor each."""
        return _maps(self.children(), x)


class Branches(nn.Module):
    """Branches on the same input, ``branch1``, ``branch2``, ..., whose maps are concatenated.

    Forks at the branches' ends count as branches of their own, so that every map is copied once.
    """

    def __init__(self, inputs: int, branches: Sequence[Branch], unit: Unit) -> None:
        super().__init__()
        for number, steps in enumerate(branches, 1):
            self.add_module(f"branch{number}", nn.Sequential(OrderedDict(chain(inputs, steps, unit))))

    def forward(self, x: Tensor) -> Tensor:  # (B, inputs, H, W)
        """Returns (B, the branches' maps together, H', W')."""
        return torch.cat(_maps(self.children(), x), 1)


def _maps(branches: Iterable[nn.Module], x: Tensor) -> tuple[Tensor, ...]:
    maps: tuple[Tensor, ...] = ()
    for branch in branches:
        y: Tensor | tuple[Tensor, ...] = branch(x)
        maps += y if isinstance(y, tuple) else (y,)
    return maps


def chain(inputs: int, steps: Branch, unit: Unit) -> dict[str, nn.Module]:
    """Returns the layers of convolutions and pools one after another: ``conv1``, ``conv2``, ..., ``pool1``, ..."""
    layers: dict[str, nn.Module] = {}
    convolutions = pools = 0
    for step in steps:
        if isinstance(step, Conv):
            convolutions += 1
            layers.update(named(f"conv{convolutions}", inputs, step, unit))
            inputs = step.outputs
        elif isinstance(step, Fork):
            arms = {name: named("conv", inputs, arm, unit) for name, arm in step._asdict().items()}
            layers["fork"] = SideBySide(**{name: nn.Sequential(OrderedDict(arm)) for name, arm in arms.items()})
        else:
            pools += 1
            layers[f"pool{pools}"] = step()
    return layers


def named(name: str, inputs: int, row: Conv, unit: Unit) -> dict[str, nn.Module]:
    """Returns one convolution's layers: ``name`` and, as its unit has them, ``name_bn`` and ``name_relu``."""
    return {f"{name}{suffix}": layer for suffix, layer in unit(inputs, row).items()}


def branch_outputs(inputs: int, steps: Branch) -> int:
    """Returns the number of maps that a branch gives."""
    for step in reversed(steps):
        if isinstance(step, Conv):
            return step.outputs
        if isinstance(step, Fork):
            return step.left.outputs + step.right.outputs
    return inputs


def outputs_of(inputs: int, branches: Sequence[Branch]) -> int:
    """Returns the number of maps that branches on ``inputs`` maps give together."""
    return sum(branch_outputs(inputs, steps) for steps in branches)


def convolution(inputs: int, row: Conv, *, bias: bool) -> nn.Conv2d:
    """Returns the convolution of a row."""
    rows, columns = row.kernel if isinstance(row.kernel, tuple) else (row.kernel, row.kernel)
    padding = (0, 0) if row.valid else (rows // 2, columns // 2)
    return nn.Conv2d(inputs, row.outputs, (rows, columns), row.stride, padding=padding, bias=bias)


def conv_relu(inputs: int, row: Conv) -> dict[str, nn.Module]:
    """A convolution with biases and its ReLU."""
    return {"": convolution(inputs, row, bias=True), "_relu": nn.ReLU()}


# TensorFlow's numbers, with which Google's networks were trained.
google_norm = partial(nn.BatchNorm2d, eps=1e-3)


def conv_bn_relu(inputs: int, row: Conv, *, norm: Norm = google_norm, bias: bool = False) -> dict[str, nn.Module]:
    """A convolution, its batch norm and its ReLU."""
    return {"": convolution(inputs, row, bias=bias), "_bn": norm(row.outputs), "_relu": nn.ReLU()}
