"""Batch norm over the samples of all processes, on CPUs too, where torch's own does not run."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from neocog.training.distributed import expected


class _SumOverProcesses(torch.autograd.Function):
    """The sum of a tensor over all processes; its gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:  # noqa: ARG004 - autograd passes it
        return _all_reduce(tensor)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ARG004
        return _all_reduce(gradients[0])


class SyncBatchNorm(_BatchNorm):
    """Batch norm whose mean and variance in training are those of all processes' samples together.

    Input (B, C, ...) with any B, 0 included; output of the same shape. In evaluation it is plain batch norm.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"expected at least 2 dimensions (batch, channels), got {input.dim()}")

    def forward(self, input: Tensor) -> Tensor:
        """Normalises ``input``, and in training moves the running statistics."""
        self._check_input_dim(input)
        if not self.training:
            return functional.batch_norm(
                input, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps
            )
        x = input.float()
        axes = [axis for axis in range(x.dim()) if axis != 1]
        per_channel = [1, -1, *(1 for _ in axes[1:])]
        own = x.new_full((1,), x.numel() / max(x.shape[1], 1))
        sums = _sum_over_processes(torch.cat([own, x.sum(axes)]))  # (1 + C,)
        count, mean = sums[:1], sums[1:] / sums[:1]
        centred = x - mean.view(per_channel)
        variance = _sum_over_processes(centred.square().sum(axes)) / count  # (C,)
        self._track(mean.detach(), variance.detach(), count.detach())
        y = centred * torch.rsqrt(variance + self.eps).view(per_channel)
        if self.affine:
            y = y * self.weight.view(per_channel) + self.bias.view(per_channel)
        return y.to(input.dtype)

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor, count: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance * count / (count - 1).clamp(min=1), share)


def synchronise(network: nn.Module) -> nn.Module:
    """Lets every batch norm normalise over all processes and returns the network; alone it changes nothing.

    The modules change their kind in place, so names, weights and whoever refers to them stay.
    """
    if expected().size == 1:
        return network
    for module in network.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)):
            module.__class__ = SyncBatchNorm  # type: ignore[assignment]
    return network


def synchronises(network: nn.Module) -> bool:
    """Returns whether a batch norm of the network waits for other processes."""
    return any(isinstance(module, SyncBatchNorm) for module in network.modules())


def _sum_over_processes(tensor: Tensor) -> Tensor:
    total: Tensor = _SumOverProcesses.apply(tensor)  # type: ignore[no-untyped-call]
    return total


def _all_reduce(tensor: Tensor) -> Tensor:
    from torch import distributed

    total = tensor.contiguous().clone()
    distributed.all_reduce(total)
    return total
