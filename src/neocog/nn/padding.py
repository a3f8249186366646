"""The two ways in which mobile networks are padded and normalised, by the framework that their weights come from."""

from __future__ import annotations

from typing import NamedTuple

from torch import nn

from neocog.core.errors import NetworkError, near_names
from neocog.nn.conv import Convolution, Norm, centred, tensorflow_same


class Way(NamedTuple):
    """How convolutions are padded, and the batch norms that belong to weights trained so."""

    convolution: Convolution
    norm: Norm


def _tensorflow_norm(maps: int) -> nn.Module:
    return nn.BatchNorm2d(maps, eps=1e-3)


WAYS = {
    "symmetric": Way(centred, nn.BatchNorm2d),
    "tensorflow": Way(tensorflow_same, _tensorflow_norm),
}


def way_of(padding: str) -> Way:
    """Returns how to build a network with ``padding``.

    ``"symmetric"`` pads strided layers alike on all sides, as PyTorch's networks do. ``"tensorflow"`` puts an odd zero
    at the end, and gives batch norms the epsilon 0.001 of TensorFlow's and Keras's mobile networks, whose weights give
    other numbers otherwise.

    Raises NetworkError for another word.
    """
    if padding not in WAYS:
        near = near_names(padding, WAYS)
        raise NetworkError(f"padding should be one of {', '.join(WAYS)}; got {padding!r}.{near}")
    return WAYS[padding]
