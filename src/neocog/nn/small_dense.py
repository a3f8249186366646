"""The start of dense layers behind rectified linear units, as the VGG networks are commonly started."""

from __future__ import annotations

from torch import nn


def small_dense(network: nn.Module) -> nn.Module:
    """Draws dense layers, and a convolution called ``head``, anew, in place: normal with deviation 0.01, biases zero.

    The first outputs are then near zero, whatever the number of features. Other layers stay; the network is returned.
    """
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear) or (isinstance(module, nn.Conv2d) and name == "head"):
            nn.init.normal_(module.weight, std=0.01)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network
