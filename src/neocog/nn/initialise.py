"""How networks start: initialisations that two or more families share."""

from __future__ import annotations

from torch import nn


def he_fan_out(network: nn.Module) -> nn.Module:
    """Draws the weights of all 2-D convolutions anew, in place, and returns the network; their biases become zero.

    He et al. 2015 (arXiv:1502.01852), equation 14: normal with variance 2 / fan-out, where fan-out is the kernel's
    area times the output maps of a group. Dense layers and norms stay as they are.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network
