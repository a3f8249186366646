"""The arithmetic of a training step, and the memory layout of its tensors."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from neocog.core.errors import UsageError
from neocog.core.recipe import Precision
from neocog.core.task import Batch

Chosen = Literal["fp32", "bf16", "fp16"]
_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Arithmetic:
    """What a step computes in: ``precision``, and whether pictures lie with their channels last in memory."""

    device: torch.device
    precision: Chosen
    channels_last: bool

    def autocast(self) -> AbstractContextManager[object]:
        """Returns the context in which the forward pass runs; weights stay in fp32."""
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, _TYPES[self.precision])

    def scaler(self) -> torch.amp.GradScaler | None:
        """Returns the scaler that keeps small fp16 gradients from vanishing; None where none is needed."""
        return torch.amp.GradScaler(self.device.type) if self.precision == "fp16" else None

    def lay_out(self, network: nn.Module) -> None:
        """Puts the network on the device, in this layout."""
        network.to(self.device)
        if self.channels_last:
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def arrange(self, batch: Batch) -> Batch:
        """Returns the batch in this layout."""
        if not self.channels_last:
            return batch
        return batch.apply(
            lambda tensor: tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor
        )


def choose_arithmetic(network: nn.Module, precision: Precision, device: torch.device) -> Arithmetic:
    """Returns what pays for this network on this device; the choice depends on nothing that is measured.

    Raises UsageError for fp16 on a CPU, which has no arithmetic for it.
    """
    if precision == "fp16" and device.type == "cpu":
        raise UsageError("--precision fp16 needs a GPU; on a CPU use bf16, fp32 or auto.")
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    chosen = _automatic(convolutions, device) if precision == "auto" else precision
    return Arithmetic(device, chosen, bool(convolutions))


def _automatic(convolutions: list[nn.Conv2d], device: torch.device) -> Chosen:
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    # Measured a training step on a CPU with AVX-512 BF16, as times a plain loop: keras_cifar 2.4, resnet18 1.4 to 2.0;
    # but lenet5 1.2, too little to give up digits for, and depthwise layers 0.8 to 1.2 where fp32 has 1.4 to 1.6.
    wide = any(layer.in_channels // layer.groups >= 32 for layer in convolutions)
    depthwise = any(layer.groups == layer.in_channels > 1 for layer in convolutions)
    return "bf16" if wide and not depthwise and cpu_has_bf16() else "fp32"


def cpu_has_bf16() -> bool:
    """Returns whether the CPU multiplies bf16 natively (AVX-512 BF16 or AMX, or Arm's equivalent)."""
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported", "_is_arm_bf16_supported")
    return any(bool(getattr(torch.cpu, check, bool)()) for check in checks)
