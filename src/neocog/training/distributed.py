"""Several processes that train one network: each takes its share of every batch, and they agree on each step.

The gradients, the running statistics and the loss of a step travel in one flat vector, weighted by the number of
samples behind them. That makes the step exactly the global mean whatever the shares are, an empty one included, and,
unlike buckets that are laid out anew after the first step of a process, adds up in the same order in a resumed run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, nn

from neocog.core.errors import ResourceError


@dataclass(frozen=True)
class World:
    """Who takes part: ``rank`` of ``size`` processes; ``local_rank`` is the number on this machine."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def main(self) -> bool:
        """Whether this is the process that writes files and speaks."""
        return self.rank == 0

    def gather(self, value: Any) -> list[Any]:
        """Returns the value of every process, by rank."""
        if self.size == 1:
            return [value]
        from torch import distributed

        values: list[Any] = [None] * self.size
        distributed.all_gather_object(values, value)
        return values

    def share(self, value: Any) -> Any:
        """Returns the main process's value in every process."""
        if self.size == 1:
            return value
        from torch import distributed

        values = [value]
        distributed.broadcast_object_list(values, src=0)
        return values[0]


SINGLE = World()


def expected() -> World:
    """Returns who takes part according to ``torchrun``'s environment, without starting anything."""
    if "RANK" not in os.environ or int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return SINGLE
    return World(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), int(os.environ.get("LOCAL_RANK", "0")))


@contextmanager
def joined(device: torch.device, *, minutes: float = 30) -> Iterator[World]:
    """Joins the processes that ``torchrun`` started, gloo on CPUs and nccl on GPUs; alone it does nothing.

    ``minutes`` is how long a process waits for the others before it gives up.

    Raises ResourceError when they cannot be reached.
    """
    world = expected()
    if world.size == 1:
        yield world
        return
    from torch import distributed

    if device.type == "cuda":
        torch.cuda.set_device(device)
    try:
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=timedelta(minutes=minutes))
    except (RuntimeError, ValueError, OSError) as error:
        raise ResourceError(f"the {world.size} processes of torchrun cannot reach each other ({error}).") from error
    try:
        yield world
    finally:
        distributed.destroy_process_group()


class Agreement:
    """One sum over all processes a step: gradients, running statistics, loss, number of samples, wish to stop.

    ``unit`` is the number of samples for which a process's loss counts once: with n samples it is n / unit times its
    mean, before the backward pass, since through a synchronised batch norm it reaches the others' gradients too.
    """

    def __init__(self, network: nn.Module, device: torch.device, unit: float) -> None:
        self._unit = unit
        self._parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self._statistics = running_statistics(network)
        members = [*self._parameters, *self._statistics]
        self._flat = torch.zeros(sum(tensor.numel() for tensor in members) + 3, device=device)
        self._views: list[Tensor] = []
        offset = 0
        for tensor in members:
            self._views.append(self._flat[offset : offset + tensor.numel()].view(tensor.shape))
            offset += tensor.numel()

    @torch.no_grad()
    def reach(self, loss: Tensor | None, samples: int, stop: bool) -> tuple[Tensor, Tensor, Tensor]:
        """Replaces gradients and running statistics by their mean over all samples of the step.

        ``loss`` is this process's, None when its share is empty; the gradients are those of it. Returns the mean loss,
        the number of samples and the number of processes that want to stop, as scalars on the device.
        """
        from torch import distributed

        for parameter in self._parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        own = [parameter.grad for parameter in self._parameters if parameter.grad is not None] + self._statistics
        torch._foreach_copy_(self._views, own)
        if self._statistics:
            torch._foreach_mul_(self._views[len(self._parameters) :], samples / self._unit)
        self._flat[-3] = 0 if loss is None else loss
        self._flat[-2], self._flat[-1] = samples, float(stop)
        distributed.all_reduce(self._flat)
        self._flat[:-2].mul_(self._unit / self._flat[-2].clamp(min=1))
        torch._foreach_copy_(own, self._views)
        mean, total, stops = self._flat[-3:].clone()
        return mean, total.long(), stops


def running_statistics(network: nn.Module) -> list[Tensor]:
    """Returns the floating-point buffers of the modules in training mode: what a forward pass changes."""
    return [
        buffer
        for module in network.modules()
        if module.training
        for buffer in module.buffers(recurse=False)
        if buffer.is_floating_point()
    ]


def start_together(network: nn.Module, world: World) -> None:
    """Gives every process the main process's weights and statistics."""
    if world.size == 1:
        return
    from torch import distributed

    for tensor in network.state_dict().values():
        dense = tensor.contiguous()
        distributed.broadcast(dense, src=0)
        tensor.copy_(dense)
