"""The sparse autoencoder (Ng, lecture notes of CS294A, 2011). Sections 2 and 3."""

from __future__ import annotations

from collections import OrderedDict
from math import sqrt

from torch import nn

from neocog.core.registry import network

NOTES = "CS294A notes (Ng)"
DEVIATIONS = "none; the sparsity penalty on hidden_sigmoid's outputs belongs to the loss"


def _autoencoder(inputs: int, hidden: int, outputs: int) -> nn.Module:
    """Returns inputs - hidden - outputs units, all of them sigmoid, for flat inputs (B, inputs) in [0, 1]."""
    net = nn.Sequential(
        OrderedDict(
            hidden=nn.Linear(inputs, hidden),  # (B, hidden)
            hidden_sigmoid=nn.Sigmoid(),
            head=nn.Linear(hidden, outputs),  # (B, outputs)
            head_sigmoid=nn.Sigmoid(),
        )
    )
    for layer in net:
        if isinstance(layer, nn.Linear):
            bound = sqrt(6 / (layer.in_features + layer.out_features + 1))
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.zeros_(layer.bias)
    return net


@network(
    paper=NOTES,
    year=2011,
    task="reconstruction",
    input=(64,),
    classes=64,
    params=3_289,
    macs=3_200,
    deviations=DEVIATIONS,
)
def autoencoder_64_25(classes: int = 64, channels: int = 64) -> nn.Module:
    """Sparse autoencoder 64-25-64, the notes' exercise on 8x8 patches.

    ``channels`` is the number of inputs and ``classes`` that of outputs, equal where the input is reconstructed.
    """
    return _autoencoder(channels, 25, classes)


@network(
    paper=NOTES,
    year=2011,
    task="reconstruction",
    input=(100,),
    classes=100,
    params=10_150,
    macs=10_000,
    deviations=DEVIATIONS,
)
def autoencoder_100_50(classes: int = 100, channels: int = 100) -> nn.Module:
    """Sparse autoencoder 100-50-100, the notes' example on 10x10 patches.

    ``channels`` is the number of inputs and ``classes`` that of outputs, equal where the input is reconstructed.
    """
    return _autoencoder(channels, 50, classes)


@network(
    paper=NOTES,
    year=2011,
    task="reconstruction",
    input=(100,),
    classes=100,
    params=20_200,
    macs=20_000,
    deviations=DEVIATIONS,
)
def autoencoder_100_100(classes: int = 100, channels: int = 100) -> nn.Module:
    """Sparse autoencoder 100-100-100, whose hidden units the notes draw as pictures.

    ``channels`` is the number of inputs and ``classes`` that of outputs, equal where the input is reconstructed.
    """
    return _autoencoder(channels, 100, classes)
