"""The names of the convolutions in branches: ours, and those of ports that keep a branch in an `nn.Sequential`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from neocog.nn.branches import Branch, Conv, Fork


def conv_names(branches: Sequence[Branch]) -> list[str]:
    """Returns the convolutions' names within a `Branches`, branch by branch: ``branch2.conv1``, ``branch2.conv2``."""
    return [f"branch{number}.{name}" for number, steps in enumerate(branches, 1) for name in chain_conv_names(steps)]


def chain_conv_names(steps: Branch) -> list[str]:
    """Returns the convolutions' names within a chain: ``conv1``, ``conv2``, and two for a fork."""
    names = [f"conv{number}" for number in range(1, sum(isinstance(step, Conv) for step in steps) + 1)]
    forks = any(isinstance(step, Fork) for step in steps)
    return [*names, "fork.left.conv", "fork.right.conv"] if forks else names


def indexed_names(branches: Sequence[Branch]) -> list[str]:
    """Returns the same convolutions' names where branches and their steps are counted from 0.

    A branch of one convolution is that convolution (``branch0``); in others pools have a number too (``branch3.1``).
    """
    names = []
    for number, steps in enumerate(branches):
        if len(steps) == 1 and isinstance(steps[0], Conv):
            names.append(f"branch{number}")
        else:
            names += [f"branch{number}.{place}" for place, step in enumerate(steps) if isinstance(step, Conv)]
    return names


def with_norms(names: Mapping[str, str]) -> dict[str, str]:
    """Returns a rename table for convolutions that are kept with their norm, as ``x.conv`` and ``x.bn``, elsewhere."""
    pairs = {f"{theirs}.conv": ours for theirs, ours in names.items()}
    return pairs | {f"{theirs}.bn": f"{ours}_bn" for theirs, ours in names.items()}


def keras_names(convolutions: Sequence[str]) -> dict[str, str]:
    """Returns a rename table for convolutions and their norms that Keras made, in this order, without names given."""
    names: dict[str, str] = {}
    for place, ours in enumerate(convolutions):
        count = f"_{place}" if place else ""
        names |= {f"conv2d{count}": ours, f"batch_normalization{count}": f"{ours}_bn"}
    return names
