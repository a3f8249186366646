"""Features: what a network makes of its inputs, one vector a sample (Donahue et al. 2013, arXiv:1310.1531)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from neocog.core.errors import NetworkError, UsageError
from neocog.core.trace import caught, find_layer
from neocog.explain.layers import CONVOLUTIONS, OF_FEATURES, last_weights
from neocog.explain.rest import at_rest


def features(module: nn.Module, batches: Iterable[Tensor], *, layer: str | None = None) -> Tensor:
    """Returns a vector a sample (N, D), in the samples' order, on the CPU.

    ``batches`` yields inputs (B, C, ...), or words (B, L), and is gone through once. The vector is what goes into the
    head, the dense layer (where there is none, the convolution) that runs last; or what leaves ``layer``, a dotted
    name. Maps are averaged over their places.

    Raises NetworkError for a layer that is not there or does not run; UsageError for no samples, batches that are no
    tensors, and a layer whose outputs have different lengths for inputs of different sizes.
    """
    rows: list[Tensor] = []
    head: str | None = None
    for batch in batches:
        if not isinstance(batch, Tensor):
            raise UsageError(f"batches are tensors of inputs alone, got {type(batch).__name__}; leave labels out.")
        if not len(batch):
            continue
        if layer is None and head is None:
            head = last_weights(module, batch)
        row = _into(module, batch, head) if head is not None else _out_of(module, batch, str(layer))
        if rows and row.shape[1] != rows[0].shape[1]:
            raise UsageError(
                f"the layer gives {rows[0].shape[1]} numbers for some inputs and {row.shape[1]} for others; "
                "name a layer whose maps are averaged, or give inputs of one size."
            )
        rows.append(row.cpu())
    if not rows:
        raise UsageError("there are no samples to take features of; give at least one batch.")
    return torch.cat(rows)


def _out_of(module: nn.Module, batch: Tensor, layer: str) -> Tensor:
    with at_rest(module), torch.no_grad(), caught(module, [layer]) as seen:
        module(batch.detach().clone())
    maps = seen.activation(layer)
    if maps.dim() < 2 or len(maps) != len(batch):
        raise NetworkError(
            f"the layer {layer!r} gives {tuple(maps.shape)} for {len(batch)} samples, not a row for each; name another."
        )
    return _averaged(maps, channels_last=isinstance(find_layer(module, layer), OF_FEATURES))


def _into(module: nn.Module, batch: Tensor, head: str) -> Tensor:
    with at_rest(module), torch.no_grad(), _arriving(module, head) as arrived:
        module(batch.detach().clone())
    given = arrived[-1]  # (B, C, ...) of a convolution, (B, ..., C) of a dense layer
    return _averaged(given, channels_last=not isinstance(find_layer(module, head), CONVOLUTIONS))


def _averaged(maps: Tensor, *, channels_last: bool) -> Tensor:
    """Returns the mean (B, D) over the places of (B, D, ...), or of (B, ..., D) with the channels last."""
    if maps.dim() == 2:
        return maps
    return maps.flatten(1, -2).mean(1) if channels_last else maps.flatten(2).mean(2)


@contextmanager
def _arriving(module: nn.Module, layer: str) -> Iterator[list[Tensor]]:
    """Catches what goes into a layer, of each of its calls, as copies: the layer may work in place."""
    calls: list[Tensor] = []

    def note(_layer: nn.Module, inputs: tuple[object, ...], keywords: dict[str, object]) -> None:
        first = next((each for each in (*inputs, *keywords.values()) if isinstance(each, Tensor)), None)
        if first is not None:
            calls.append(first.clone())

    handle = find_layer(module, layer).register_forward_pre_hook(note, with_kwargs=True)
    try:
        yield calls
    finally:
        handle.remove()
