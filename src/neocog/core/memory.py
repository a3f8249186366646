"""How much memory a network takes for a batch, in training and in inference: counted, not measured."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from neocog.core.inputs import TOKEN_AXES, TOKENS

Precision = Literal["fp32", "bf16", "fp16"]

# AdamW keeps two numbers a parameter; the weights, their gradients and these stay in fp32 under mixed precision.
ADAMW_NUMBERS = 2
FP32_BYTES = 4
MOST_REAL_TOKENS = 2**20


@dataclass(frozen=True)
class Memory:
    """Bytes for a batch of ``batch`` samples.

    ``parameters`` includes running statistics; ``gradients`` and ``optimiser`` (AdamW's two running means) are needed
    in training only. ``saved`` is what autograd keeps of the forward pass until the backward pass has used it, the
    inputs included; ``live`` the most that inference holds at one time besides the parameters.
    """

    batch: int
    precision: str
    parameters: int
    gradients: int
    optimiser: int
    saved: int
    live: int

    @property
    def training(self) -> int:
        """What a training step takes."""
        return self.parameters + self.gradients + self.optimiser + self.saved

    @property
    def inference(self) -> int:
        """What a forward pass without gradients takes."""
        return self.parameters + self.live


def memory(
    network: nn.Module, input_shape: Sequence[int], *, batch: int = 32, precision: Precision = "fp32"
) -> Memory | None:
    """Returns the memory for a batch of inputs of ``input_shape`` (without the batch), on a CPU in torch's own layout.

    The forward pass runs on tensors that have shapes and lifetimes but no numbers. With ``precision`` bf16 or fp16 it
    is under autocast, as training is. What libraries take for themselves while a layer runs (workspaces, reordered
    weights) and the gradients of activations are not counted; ``docs/benchmarks/memory.md`` says how near that is to
    what a process takes. A network over texts that looks at their tokens runs for real, on tokens that all differ,
    which takes the most. None for any other network that needs numbers to run.
    """
    parameters = sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
    held = sum(tensor.numel() * tensor.element_size() for tensor in (*network.parameters(), *network.buffers()))
    counted = _counted(network, batch, input_shape, precision)
    if counted is None:
        return None
    saved, live = counted
    return Memory(
        batch=batch,
        precision=precision,
        parameters=held,
        gradients=FP32_BYTES * parameters,
        optimiser=FP32_BYTES * ADAMW_NUMBERS * parameters,
        saved=saved,
        live=live,
    )


def _counted(network: nn.Module, batch: int, shape: Sequence[int], precision: Precision) -> tuple[int, int] | None:
    """Returns what is saved in training and what is alive in inference, or None where that cannot be told."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    texts = hasattr(network, TOKENS) and getattr(network, TOKEN_AXES, 1) == 1
    modes: list[AbstractContextManager[object]] = [FakeTensorMode(allow_non_fake_inputs=True)]
    if texts and batch * prod(shape[1:]) <= MOST_REAL_TOKENS:
        modes.append(nullcontext())
    for mode in modes:
        try:
            with mode:
                trial = _without_numbers(network)
                saved = _saved(trial.train(), _inputs(network, batch, shape), precision)
                return saved, _live(trial.eval(), _inputs(network, batch, shape), precision)
        except (RuntimeError, TypeError, ValueError, NotImplementedError):
            continue
    return None


def _inputs(network: nn.Module, batch: int, shape: Sequence[int]) -> Tensor:
    """Returns a batch of inputs of that shape: floats, or the whole numbers of tokens, as different as there are."""
    if not hasattr(network, TOKENS):
        return torch.empty(batch, *shape)
    return (torch.arange(batch * prod(shape[1:])) % shape[0] + 1).view(batch, *shape[1:])


def _without_numbers(network: nn.Module) -> nn.Module:
    """Returns a copy of the network whose tensors the mode that is on has made: with shapes, without its numbers."""
    stand_ins: dict[int, Any] = {}
    for tensor in (*network.parameters(), *network.buffers()):
        empty = torch.zeros(tensor.shape, dtype=tensor.dtype)
        parameter = isinstance(tensor, nn.Parameter)
        stand_ins[id(tensor)] = nn.Parameter(empty, requires_grad=tensor.requires_grad) if parameter else empty
    return copy.deepcopy(network, stand_ins)


def _saved(network: nn.Module, inputs: Tensor, precision: Precision) -> int:
    """Returns the bytes that are still held once a training pass forward is over, its outputs included."""
    with _Tensors(network, inputs) as tensors, _arithmetic(precision):
        outputs = network(inputs)
        held: int = tensors.now
    del outputs
    return held


def _live(network: nn.Module, inputs: Tensor, precision: Precision) -> int:
    with torch.no_grad(), _Tensors(network, inputs) as tensors, _arithmetic(precision):
        network(inputs)
    most: int = tensors.most
    return most


def _arithmetic(precision: Precision) -> AbstractContextManager[object]:
    # fp16 takes as many bytes as bf16, which every CPU knows.
    return nullcontext() if precision == "fp32" else torch.autocast("cpu", torch.bfloat16)


class _Tensors(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows the bytes of the tensors that are made while it is on, without keeping any of them alive."""

    def __init__(self, network: nn.Module, inputs: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._known = {_storage(tensor)._cdata for tensor in (*network.parameters(), *network.buffers())}
        self._alive: dict[int, weakref.ref[torch.UntypedStorage]] = {}
        self.now: int = 0
        self.most: int = 0
        self._note(inputs)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor):
                self._note(tensor)
        self.most = max(self.most, self.now)
        return made

    def _note(self, tensor: Tensor) -> None:
        storage = _storage(tensor)
        place, size = storage._cdata, storage.nbytes()
        if place in self._known or place in self._alive:
            return

        def gone(_: object) -> None:
            self.now -= size
            del self._alive[place]

        self._alive[place] = weakref.ref(storage, gone)
        self.now += size


def _storage(tensor: Tensor) -> torch.UntypedStorage:
    return tensor.untyped_storage()
