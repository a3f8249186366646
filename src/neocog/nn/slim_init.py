"""How TensorFlow's slim starts the later inceptions."""

from __future__ import annotations

from torch import nn


def he_fan_in(network: nn.Module) -> None:
    """Draws all 2-D convolutions anew, in place: normal with variance 2 / fan-in (arXiv:1502.01852, equation 10).

    Dense layers are uniform as in Glorot and Bengio 2010, equation 16; all biases start at zero.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
        if isinstance(module, (nn.Conv2d, nn.Linear)) and module.bias is not None:
            nn.init.zeros_(module.bias)
