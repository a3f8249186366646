"""Batch norm that is told the mean and variance of its input, for inputs of which most maps were measured before."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

PIXELS = 3000  # least numbers of a map over a batch for which measuring them once is worth its bookkeeping


class Statistics(NamedTuple):
    """The mean and the variance (over n, not n - 1) of each map over a batch, (C,) each."""

    mean: Tensor
    variance: Tensor

    def beside(self, more: Statistics) -> Statistics:
        """Returns those of all maps, more's behind these."""
        return Statistics(torch.cat([self.mean, more.mean]), torch.cat([self.variance, more.variance]))


def batch_statistics(x: Tensor) -> Statistics:
    """Returns the statistics of x (B, C, H, W), in one operator as batch norm itself has it."""
    mean, variance = torch.ops.aten.batch_norm_update_stats(x.detach(), None, None, 0.0)
    return Statistics(mean, variance)


def worth_telling(x: Tensor) -> bool:
    """Returns whether batch norms of x gain by being told: on CPUs, where measuring many numbers is most of their work.

    Not under autocast.
    """
    plain = x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64)
    return plain and not torch.is_autocast_enabled("cpu") and x.numel() >= PIXELS * x.shape[1]


class ToldBatchNorm2d(nn.BatchNorm2d):
    """`nn.BatchNorm2d` that in training takes its next input's statistics from ``told``, where they have been put.

    They are used once. Outputs, gradients and running statistics are those of `nn.BatchNorm2d`, but for rounding.
    """

    told: Statistics | None = None

    def forward(self, input: Tensor) -> Tensor:
        """Normalises ``input`` (B, C, H, W), and in training moves the running statistics."""
        told, self.told = self.told, None
        if told is None or not self.training:
            return super().forward(input)
        self._track(told, input.numel() // input.shape[1])
        result: Tensor = _Normalised.apply(input, self.weight, self.bias, *told, self.eps)  # type: ignore[no-untyped-call]
        return result

    @torch.no_grad()
    def _track(self, told: Statistics, count: int) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(told.mean, share)
        self.running_var.lerp_(told.variance * (count / (count - 1)), share)


class _Normalised(torch.autograd.Function):
    """The forward pass of a batch norm that knows its statistics, and the backward pass of one that measured them."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, eps: float
    ) -> Tensor:
        ctx.save_for_backward(x, weight, mean, torch.rsqrt(variance + eps))
        ctx.eps = eps
        return functional.batch_norm(x, mean, variance, weight, bias, False, 0.0, eps)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, deviation = ctx.saved_tensors
        needed = list(ctx.needs_input_grad[:3])
        found = torch.ops.aten.native_batch_norm_backward(
            gradients[0], x, weight, None, None, mean, deviation, True, ctx.eps, needed
        )
        return (*(each if wanted else None for each, wanted in zip(found, needed, strict=True)), None, None, None)
