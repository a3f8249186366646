"""Out of memory: how to know it, and how to get back what the failed attempt held."""

from __future__ import annotations

import gc

import torch

_CPU_TEXTS = ("can't allocate memory", "not enough memory", "DefaultCPUAllocator", "could not create a memory object")


def is_out_of_memory(error: BaseException) -> bool:
    """Returns whether an exception says that the device, or the machine, has no memory left."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _CPU_TEXTS)


def release(device: torch.device) -> None:
    """Frees what nothing holds any more.

    Call it outside the ``except`` block, whose traceback holds the activations.
    """
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
