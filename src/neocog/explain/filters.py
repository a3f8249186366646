"""Filters: the kernels of a convolution, those of the first layer being pictures themselves.

Krizhevsky et al. 2012, section 6.1 and figure 3.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules import conv

from neocog.core.errors import NetworkError
from neocog.core.trace import find_layer
from neocog.explain.layers import CONVOLUTIONS, first_convolution, plain
from neocog.explain.rest import at_rest
from neocog.nn.lecun import TableConvolution


def filters(module: nn.Module, *, layer: str | None = None) -> Tensor:
    """Returns the kernels (M, C, kh, kw) of a convolution with M maps that each see C maps below, signed, as a copy.

    Of sound they are (M, C, k). With groups, C is what a map sees: the maps below over the groups. ``layer`` is a
    dotted name, the convolution that runs first unless told. A transposed convolution's kernels are what each of its
    maps lays down for each map below; missing connections of a table of connections are zeros.

    Raises NetworkError for a layer that is not there or has no kernels shared by all places.
    """
    name = first_convolution(module) if layer is None else layer
    found = find_layer(module, name)
    with at_rest(module), torch.no_grad():  # a weight may be computed, and change buffers in training
        if isinstance(found, TableConvolution):
            return _full(found)
        if not isinstance(found, conv._ConvNd):
            raise NetworkError(_refusal(module, name, found))
        kernels = found.weight.detach().clone()
        return _by_output(kernels, found.groups) if isinstance(found, conv._ConvTransposeNd) else kernels


def _by_output(kernels: Tensor, groups: int) -> Tensor:
    """Returns a transposed convolution's kernels (C, M / groups, ...) as (M, C / groups, ...)."""
    apart = kernels.reshape(groups, -1, *kernels.shape[1:])  # (groups, C / groups, M / groups, ...)
    return apart.transpose(1, 2).flatten(0, 1).contiguous()


def _full(layer: TableConvolution) -> Tensor:
    kernels = layer.weight.new_zeros(len(layer.table), layer.inputs, *layer.weight.shape[1:])
    for each, (row, column) in zip(layer.weight, _links(layer), strict=True):
        kernels[row, column] = each
    return kernels


def _links(layer: TableConvolution) -> list[tuple[int, int]]:
    return [(row, column) for row, columns in enumerate(layer.table) for column in columns]


def _refusal(module: nn.Module, name: str, layer: nn.Module) -> str:
    others = [each for each, one in plain(module).named_modules() if each and isinstance(one, CONVOLUTIONS)]
    several = f"name one of {', '.join(others[:6])}" if others else "the network has none"
    more = f" and {len(others) - 6} more" if len(others) > 6 else ""
    return f"filters are the kernels of a convolution, and {name!r} is {_kind(layer)}; {several}{more}."


def _kind(layer: nn.Module) -> str:
    kind = type(layer).__name__
    return f"an {kind}" if kind[:1] in "AEIOU" else f"a {kind}"
