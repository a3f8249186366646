"""The initial weights of both ShuffleNets."""

from __future__ import annotations

from torch import nn


def initialise_shufflenet(network: nn.Module) -> None:
    """Draws the weights anew, in place, as the authors' code does (megvii-model/ShuffleNet-Series).

    The network's first convolution and its dense layer are normal with deviation 0.01, the other convolutions with one
    over the number of maps that a filter sees; batch norms' biases are 0.0001, the dense layer's zero.
    """
    first = True
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, std=0.01 if first else 1 / module.weight.shape[1])
            first = False
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.constant_(module.bias, 1e-4)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)
            nn.init.zeros_(module.bias)
