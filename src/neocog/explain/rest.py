"""A network at rest while it is explained: evaluation mode, no gradients for its weights, and all of it given back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from neocog.core.errors import NetworkError


@contextmanager
def at_rest(module: nn.Module) -> Iterator[None]:
    """Puts the module in evaluation mode with frozen weights; all comes back, also after an error or Ctrl-C.

    That is each part's mode, each weight's flag, the buffers that the passes changed and torch's random state. Inside,
    gradients are on whatever the caller had, and go to inputs alone: the weights' ``.grad`` stay untouched; and parts
    compiled by torch.compile run as they were written, since a compiled one does not look for new hooks.

    Raises NetworkError for a module that has no evaluation mode, or whose weights can take part in no gradient.
    """
    _refuse_inference_tensors(module)
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        stack.enter_context(_same_random_state(module))
        stack.enter_context(_same_buffers(module))
        stack.enter_context(_frozen(module))
        if "torch._dynamo" in sys.modules:  # nothing was compiled otherwise
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        yield


@contextmanager
def _frozen(module: nn.Module) -> Iterator[None]:
    modes = [(each, each.training) for each in module.modules()]
    flags = [(each, each.requires_grad) for each in module.parameters()]
    try:
        try:
            module.eval()
        except NotImplementedError as error:
            raise NetworkError(
                "an exported program has no evaluation mode to be explained in; give the module it was made from."
            ) from error
        for each, _ in flags:
            each.requires_grad_(False)
        yield
    finally:
        for part, training in modes:
            part.training = training
        for parameter, trained in flags:
            parameter.requires_grad_(trained)


@contextmanager
def _same_buffers(module: nn.Module) -> Iterator[None]:
    kept = [
        (owner, name, buffer, buffer.detach().clone())
        for owner in module.modules()
        for name, buffer in owner.named_buffers(recurse=False)
    ]
    try:
        yield
    finally:
        with torch.no_grad():
            for owner, name, buffer, values in kept:
                if getattr(owner, name) is not buffer:
                    setattr(owner, name, buffer)
                if not _same(buffer, values):
                    buffer.copy_(values)


def _same(buffer: Tensor, values: Tensor) -> bool:
    return bool(((buffer == values) | (buffer.isnan() & values.isnan())).all())


@contextmanager
def _same_random_state(module: nn.Module) -> Iterator[None]:
    """A network may draw numbers in evaluation mode too: the caller's next ones do not depend on it."""
    devices = {each.device for each in module.parameters() if each.device.type == "cuda"}
    state, states = torch.get_rng_state(), [(device, torch.cuda.get_rng_state(device)) for device in devices]
    try:
        yield
    finally:
        torch.set_rng_state(state)
        for device, one in states:
            torch.cuda.set_rng_state(one, device)


def _refuse_inference_tensors(module: nn.Module) -> None:
    for name, each in (*module.named_parameters(), *module.named_buffers()):
        if each.is_inference():
            raise NetworkError(
                f"{name} was made under torch.inference_mode, where no gradient passes; load the network outside it."
            )
