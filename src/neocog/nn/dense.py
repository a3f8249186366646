"""Dense blocks: each layer sees the maps of all layers before it (Huang, Liu, Weinberger 2016, arXiv:1608.06993)."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

from neocog.nn.conv import centred
from neocog.nn.recompute import Recomputed, recomputed, worthwhile
from neocog.nn.told_norm import ToldBatchNorm2d, batch_statistics, worth_telling

BOTTLENECK = 4  # maps that a bottleneck makes for each that its layer adds (section 3, "bottleneck layers")


class DenseBlock(nn.Module):
    """Layers that each add ``growth`` maps to those before: gives ``inputs + layers * growth`` maps.

    With ``recompute``, training keeps the maps that each layer adds, not what it makes of all those before it: memory
    grows with the layers instead of with their square, for a second pass through most of them (arXiv:1707.06990).
    """

    def __init__(
        self,
        inputs: int,
        layers: int,
        growth: int,
        *,
        bottleneck: bool = True,
        dropout: float = 0.0,
        recompute: bool = False,
    ) -> None:
        super().__init__()
        self.recompute = recompute
        for number in range(layers):
            layer = dense_layer(inputs + number * growth, growth, bottleneck=bottleneck, dropout=dropout)
            self.add_module(f"denselayer{number + 1}", layer)

    def forward(self, x: Tensor) -> Tensor:  # (B, inputs, H, W)
        """Returns (B, inputs + layers * growth, H, W), the input's maps first."""
        if self.recompute and worthwhile(self):
            return self._sparing(x)
        if self.training and worth_telling(x):
            return self._told(x)
        for layer in self.children():
            x = torch.cat([x, layer(x)], 1)  # (B, inputs + growth * layers so far, H, W)
        return x

    def _told(self, x: Tensor) -> Tensor:
        """Measures each map once for all the layers whose first norm needs its mean and variance."""
        known, new = batch_statistics(x), None
        for layer in self.children():
            known = known if new is None else known.beside(batch_statistics(new))
            norm = layer.get_submodule("norm1")
            if type(norm) is ToldBatchNorm2d:
                norm.told = known
            new = layer(x)
            x = torch.cat([x, new], 1)
        return x

    def _sparing(self, x: Tensor) -> Tensor:
        parts = [x]
        for layer in self.children():
            parts.append(recomputed(lambda *parts, layer=layer: layer(_joined(parts)), layer, *parts))
        return _joined(parts)


def dense_layer(inputs: int, growth: int, *, bottleneck: bool = True, dropout: float = 0.0) -> nn.Sequential:
    """Returns norm, ReLU and a 3x3 convolution that makes ``growth`` maps; with ``bottleneck``, the same by 1x1 before.

    ``dropout`` above 0 is the rate after each convolution.
    """
    wide = BOTTLENECK * growth
    kernels = ((inputs, wide, 1), (wide, growth, 3)) if bottleneck else ((inputs, growth, 3),)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, (given, made, kernel) in enumerate(kernels, 1):
        layers[f"norm{number}"] = ToldBatchNorm2d(given) if number == 1 else nn.BatchNorm2d(given)
        layers[f"relu{number}"] = nn.ReLU()
        layers[f"conv{number}"] = centred(given, made, kernel)
        if dropout:
            layers[f"dropout{number}"] = nn.Dropout(dropout)
    return nn.Sequential(layers)


def transition(inputs: int, outputs: int, *, dropout: float = 0.0, recompute: bool = False) -> nn.Sequential:
    """Returns norm, ReLU, a 1x1 convolution to ``outputs`` maps and the average over 2x2 pixels, between two blocks.

    ``dropout`` above 0 is the rate after the convolution.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        norm=nn.BatchNorm2d(inputs), relu=nn.ReLU(), conv=centred(inputs, outputs, 1)
    )
    if dropout:
        layers["dropout"] = nn.Dropout(dropout)
    layers["pool"] = nn.AvgPool2d(2)
    return Recomputed(layers) if recompute else nn.Sequential(layers)


def dense_stages(
    inputs: int,
    repeats: tuple[int, ...],
    growth: int,
    *,
    compression: float = 0.5,
    bottleneck: bool = True,
    dropout: float = 0.0,
    recompute: bool = False,
) -> tuple[dict[str, nn.Module], int]:
    """Returns dense blocks of as many layers each, transitions between them, and the number of maps that come out.

    They are called ``denseblock1``, ``transition1``, ...; ``compression`` is the share of maps that a transition keeps.
    """
    stages: dict[str, nn.Module] = {}
    for number, layers in enumerate(repeats, 1):
        stages[f"denseblock{number}"] = DenseBlock(
            inputs, layers, growth, bottleneck=bottleneck, dropout=dropout, recompute=recompute
        )
        inputs += layers * growth
        if number < len(repeats):
            outputs = int(compression * inputs)
            stages[f"transition{number}"] = transition(inputs, outputs, dropout=dropout, recompute=recompute)
            inputs = outputs
    return stages, inputs


def _joined(parts: list[Tensor] | tuple[Tensor, ...]) -> Tensor:
    """Returns the maps of all parts side by side; a single part is no copy."""
    return parts[0] if len(parts) == 1 else torch.cat(tuple(parts), 1)
