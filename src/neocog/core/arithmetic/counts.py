"""How many weights and multiply-accumulates a layer has; pooling and activations have none."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from neocog.core.errors import NetworkError


def convolution_parameters(
    inputs: int, outputs: int, kernel: Sequence[int], *, groups: int = 1, bias: bool = True
) -> int:
    """Returns the number of weights of a convolution: outputs x (kernel x inputs / groups), and a bias an output map.

    A transposed convolution has as many. Raises NetworkError when the groups divide the maps unevenly.
    """
    if inputs % groups or outputs % groups:
        raise NetworkError(f"{groups} groups do not divide {inputs} input maps and {outputs} output maps evenly.")
    return outputs * prod(kernel) * (inputs // groups) + (outputs if bias else 0)


def convolution_macs(
    inputs: int, outputs: int, kernel: Sequence[int], output_shape: Sequence[int], *, groups: int = 1
) -> int:
    """Returns the multiply-accumulates of a convolution: its weights, without biases, at every output position.

    A transposed convolution uses each weight at every input position instead: give the input's shape.
    """
    weights = convolution_parameters(inputs, outputs, kernel, groups=groups, bias=False)
    return weights * prod(output_shape)


def local_parameters(
    inputs: int, outputs: int, kernel: Sequence[int], output_shape: Sequence[int], *, bias: bool = True
) -> int:
    """Returns the number of weights of a locally connected layer: a kernel, and a bias, of its own at every place."""
    return convolution_parameters(inputs, outputs, kernel, bias=bias) * prod(output_shape)


def dense_parameters(inputs: int, outputs: int, *, bias: bool = True) -> int:
    """Returns the number of weights of a dense layer."""
    return outputs * inputs + (outputs if bias else 0)


def dense_macs(inputs: int, outputs: int) -> int:
    """Returns the multiply-accumulates of a dense layer for one sample."""
    return outputs * inputs


def recurrent_parameters(inputs: int, units: int, *, gates: int = 1) -> int:
    """Returns the number of weights of a recurrent layer in one direction: gates x units x (inputs + units + 2).

    Each gate looks at the inputs and at the units' own last outputs, with a bias for either, as torch and cuDNN have
    it. Elman's network has 1 gate, gated recurrent units 3, long short-term memory 4 (the cell's own input is one).
    """
    return gates * units * (inputs + units + 2)


def recurrent_macs(inputs: int, units: int, steps: int, *, gates: int = 1) -> int:
    """Returns the multiply-accumulates of a recurrent layer in one direction over so many steps.

    At each step every weight but the biases is used once; the products of gates and states are activations and do not
    count.
    """
    return gates * units * (inputs + units) * steps


def norm_parameters(maps: int) -> int:
    """Returns the number of trainable weights of a batch norm: a scale and a shift a map; its statistics are none."""
    return 2 * maps
