"""The arithmetic of convolution in whole numbers: output sizes, receptive fields, parameters, multiply-accumulates.

Sizes and fields are told axis by axis, so that the same few functions serve sound (1-D), pictures (2-D) and volumes
(3-D).  The courses' formula O = (I - K + 2 P) / S + 1 is `output_size`; dilation D replaces K by D (K - 1) + 1.
"""

from neocog.core.arithmetic.counts import (
    convolution_macs,
    convolution_parameters,
    dense_macs,
    dense_parameters,
    local_parameters,
    norm_parameters,
    recurrent_macs,
    recurrent_parameters,
)
from neocog.core.arithmetic.fields import (
    Field,
    TransposedWindow,
    Window,
    inputs_seen,
    receptive_field,
    size_through,
)
from neocog.core.arithmetic.sizes import (
    Padding,
    each_axis,
    extent,
    output_shape,
    output_size,
    padding_of,
    same_padding,
    transposed_output_shape,
    transposed_output_size,
)

__all__ = [
    "Field",
    "Padding",
    "TransposedWindow",
    "Window",
    "convolution_macs",
    "convolution_parameters",
    "dense_macs",
    "dense_parameters",
    "each_axis",
    "extent",
    "inputs_seen",
    "local_parameters",
    "norm_parameters",
    "output_shape",
    "output_size",
    "padding_of",
    "receptive_field",
    "recurrent_macs",
    "recurrent_parameters",
    "same_padding",
    "size_through",
    "transposed_output_shape",
    "transposed_output_size",
]
