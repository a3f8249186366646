"""The state of a run in one file, written whole or not at all, and proved when it is read.

A safetensors file: the tensors by name, and in its header the rest as JSON beside the SHA-256 over both.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from neocog.core.errors import ModelFileError
from neocog.core.files import write_atomically

_FACTS = "neocog-checkpoint"
_DIGEST = "sha256"


class Snapshot(NamedTuple):
    """Everything that a run is made of: tensors by name, and facts that JSON can hold."""

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]

    def group(self, prefix: str) -> dict[str, Tensor]:
        """Returns the tensors whose name begins with ``prefix/``, without it."""
        start = prefix + "/"
        return {name.removeprefix(start): tensor for name, tensor in self.tensors.items() if name.startswith(start)}


def grouped(**groups: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns the tensors of all groups under names that `Snapshot.group` takes apart again."""
    return {f"{prefix}/{name}": tensor for prefix, tensors in groups.items() for name, tensor in tensors.items()}


def save(path: Path, snapshot: Snapshot) -> None:
    """Writes a snapshot; the path holds the one before or this one, never a part.

    Raises ResourceError when the disk is full or the folder cannot be written; the one before then stays valid.
    """
    # Dense and each on its own memory, as safetensors wants them; the layout is put back when they are loaded.
    tensors = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in snapshot.tensors.items()
    }
    text = json.dumps(snapshot.facts)
    header = {_FACTS: text, _DIGEST: _digest(text, tensors)}
    write_atomically(path, lambda temporary: _write(temporary, tensors, header))


def load(path: Path) -> Snapshot:
    """Reads a snapshot and proves it.

    Raises ModelFileError, one line, for a file that is truncated, changed or not a checkpoint.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelFileError(f"{path}: truncated, damaged or no checkpoint of Neocog ({error}); train anew.") from error
    text = header.get(_FACTS)
    if text is None:
        raise ModelFileError(f"{path}: a safetensors file, but no checkpoint of Neocog; --resume takes a run folder.")
    if header.get(_DIGEST) != _digest(text, tensors):
        raise ModelFileError(f"{path}: changed or damaged since it was written (its SHA-256 differs); train anew.")
    return Snapshot(tensors, json.loads(text))


def _write(path: Path, tensors: dict[str, Tensor], header: dict[str, str]) -> None:
    try:
        save_file(tensors, path, metadata=header)
    except SafetensorError as error:  # what safetensors makes of a full disk
        raise OSError(str(error)) from error


def _digest(text: str, tensors: Mapping[str, Tensor]) -> str:
    """Returns the SHA-256 over the facts and over each tensor's name, type, shape and bytes, by name."""
    total = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        total.update(f"\0{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()
