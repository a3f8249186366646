"""A network as ONNX: the network alone, from its input tensor to its logits."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec

import torch
from torch import nn

from neocog.core.errors import ResourceError
from neocog.core.inputs import check_input

NEEDED = ("onnx", "onnxscript")
# Two, since torch.export takes a dimension of one for a constant.
TRACED_BATCH = 2


def to_onnx(network: nn.Module, input_shape: Sequence[int]) -> bytes:
    """Returns the network in evaluation mode as an ONNX model, for any batch size.

    ``input_shape`` is without the batch, e.g. ``(3, 224, 224)``. The model's input is called ``input``, its output
    ``logits``; the network itself is left as it was.

    Raises ResourceError when the packages for it are missing, and NetworkError when the input does not fit.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ResourceError(f"exporting to ONNX needs {', '.join(missing)}; run: pip install 'neocog[deploy]'")
    check_input(network, input_shape)
    parameter = next(network.parameters(), torch.empty(0))
    inputs = parameter.new_zeros(TRACED_BATCH, *input_shape)
    model = io.BytesIO()
    with _evaluating(network), _quiet():
        program = torch.onnx.export(
            network,
            (inputs,),
            dynamo=True,
            verbose=False,
            input_names=["input"],
            output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim.DYNAMIC},),
        )
        assert program is not None
        program.save(model)  # type: ignore[arg-type]  # a file object serves as well as a path
    return model.getvalue()


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    """Puts the network into evaluation mode, and each module back into its own afterwards."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter tells of libraries that are not installed and of its own deprecated parts: nothing to act on."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        log.setLevel(level)
