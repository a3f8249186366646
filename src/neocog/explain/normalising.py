"""Relevance through norms: their deviation counts as a constant, and what is left is linear.

Ali et al. 2022, arXiv:2202.07304, section 4.2, for layer norm; the same for groups and single maps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor


def _layer_norm(
    func: Any,
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    **_: Any,
) -> Tensor:
    axes = tuple(range(input.dim() - len(tuple(normalized_shape)), input.dim()))
    counted = _centred(input, axes, eps)
    return _of_value(counted if weight is None else counted * weight, func(input, normalized_shape, weight, bias, eps))


def _group_norm(
    func: Any,
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    groups = input.reshape(len(input), num_groups, -1)
    counted = _centred(groups, (2,), eps).reshape(input.shape)
    if weight is not None:
        counted = counted * weight.reshape(-1, *(1,) * (input.dim() - 2))
    return _of_value(counted, func(input, num_groups, weight, bias, eps))


def _centred(values: Tensor, axes: tuple[int, ...], eps: float) -> Tensor:
    deviation = (values.detach().var(axes, unbiased=False, keepdim=True) + eps).sqrt()
    return (values - values.mean(axes, keepdim=True)) / deviation


def _of_value(counted: Tensor, value: Tensor) -> Tensor:
    return counted + (value - counted).detach()


NORMS: dict[str, Callable[..., Tensor]] = {"layer_norm": _layer_norm, "group_norm": _group_norm}
