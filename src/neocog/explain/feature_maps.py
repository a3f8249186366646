"""Feature maps: what a layer makes of an input (LeCun et al. 1998, doi:10.1109/5.726791, figure 2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neocog.core.trace import caught
from neocog.explain.rest import at_rest


def feature_maps(module: nn.Module, inputs: Tensor, *, layer: str) -> Tensor:
    """Returns a layer's output for the inputs as it leaves the layer: (B, M, ...) maps, or (B, M) of a dense layer.

    ``inputs`` are the network's own; ``layer`` is a dotted name, ``name@2`` for the second call of one that runs
    several times.

    Raises NetworkError for a layer that is not there or does not run.
    """
    with at_rest(module), torch.no_grad(), caught(module, [layer]) as seen:
        # A clone enters the network: its first layer may work in place.
        module(inputs.detach().clone())
    return seen.activation(layer)
