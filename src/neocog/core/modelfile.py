"""The model file: weights and the contract that says how to use them, in one `.safetensors` file.

The contract is JSON text in the file's own header (key ``neocog``), next to the SHA-256 over it and over every tensor
(key ``sha256``). A reader needs nothing else: no pickle, no second file, no code that came with the weights.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save_file
from torch import Tensor

from neocog.core.contract import FORMAT, ModelContract
from neocog.core.errors import ModelFileError
from neocog.core.files import write_atomically

CONTRACT_KEY = "neocog"
DIGEST_KEY = "sha256"

_LENGTH_BYTES = 8
_MAX_HEADER = 100_000_000  # safetensors' own cap
_FOREIGN_OPENINGS = (
    (b"PK\x03\x04", "a zip archive (a PyTorch checkpoint, a Keras file or a NumPy archive)"),
    (b"\x80", "a Python pickle (an old PyTorch checkpoint)"),
    (b"\x89HDF\r\n", "an HDF5 file (Keras weights)"),
    (b"GGUF", "a GGUF file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG", "a PNG picture"),
)


def save(path: Path, state: Mapping[str, Tensor], contract: ModelContract) -> None:
    """Writes a model file; the path holds the old file or the whole new one, never a part.

    ``state`` is a state dict; tensors that share memory are written once each.

    Raises ResourceError when the folder cannot be written or the disk is full.
    """
    # safetensors wants each tensor dense, on its own memory and on the CPU.
    tensors = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format) for name, tensor in state.items()
    }
    text = contract.to_json()
    header = {CONTRACT_KEY: text, DIGEST_KEY: _digest(text, tensors)}
    write_atomically(path, lambda temporary: _write(temporary, tensors, header))


def _write(path: Path, tensors: dict[str, Tensor], header: dict[str, str]) -> None:
    try:
        save_file(tensors, path, metadata=header)
    except SafetensorError as error:  # what safetensors makes of a full disk
        raise OSError(str(error)) from error


def read(path: Path) -> tuple[ModelContract, dict[str, Tensor]]:
    """Reads a whole model file and proves it against its SHA-256.

    Returns the contract and the state dict, on the CPU.

    Raises ModelFileError, one line, for a file that is missing, truncated, changed, of another program or of a newer
    format.
    """
    path = Path(path)
    read_contract(path)  # refuses a foreign file before its gigabytes are read
    data = _file_bytes(path)
    metadata = _metadata(path, data)
    contract = _contract(path, metadata)
    try:
        tensors = load_tensors(data)
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise ModelFileError(
            f"{path}: the file is truncated or damaged ({error}); copy it again or train the model anew."
        ) from error
    if _digest(metadata[CONTRACT_KEY], tensors) != metadata.get(DIGEST_KEY):
        raise ModelFileError(
            f"{path}: the content does not match its SHA-256, so it was changed or damaged after it was written; "
            "copy it again or train the model anew."
        )
    return contract, tensors


def read_contract(path: Path) -> ModelContract:
    """Reads the contract alone, from the header; the tensors are neither read nor checked.

    Raises ModelFileError as `read` does, as far as the header shows it.
    """
    path = Path(path)
    return _contract(path, _metadata(path, _file_bytes(path, header_only=True)))


def _file_bytes(path: Path, *, header_only: bool = False) -> bytes:
    """Returns the file's bytes, or those up to the end of the header."""
    refuse_no_file(path)
    try:
        with path.open("rb") as file:
            start = file.read(_LENGTH_BYTES)
            if len(start) < _LENGTH_BYTES:
                return start
            return start + (file.read(_header_length(start)) if header_only else file.read())
    except OSError as error:
        raise ModelFileError(f"{path}: the model file cannot be read ({error.strerror or error}).") from error


def refuse_no_file(path: Path) -> None:
    """Raises ModelFileError where there is no file of that path."""
    if path.is_dir():
        inside = path / "model.safetensors"
        advice = f"give {inside}" if inside.is_file() else "give the model.safetensors of a run folder"
        raise ModelFileError(f"{path}: expected a model file, got a folder; {advice}.")
    if path.exists() and not path.is_file():
        raise ModelFileError(f"{path}: expected a model file, got a device or pipe; give a file on disk.")
    if not path.exists():
        raise ModelFileError(f"{path}: there is no such model file; a run folder holds it as model.safetensors.")


def _header_length(start: bytes) -> int:
    """Returns the length that the file claims for its header, 0 where the claim is absurd."""
    length: int = struct.unpack("<Q", start[:_LENGTH_BYTES])[0]
    return length if length <= _MAX_HEADER else 0


def _metadata(path: Path, data: bytes) -> dict[str, str]:
    """Returns the free-text part of a safetensors header."""
    if not data:
        raise ModelFileError(f"{path}: the file is empty; expected a Neocog model file.")
    for opening, kind in _FOREIGN_OPENINGS:
        if data.startswith(opening) and data[_LENGTH_BYTES : _LENGTH_BYTES + 1] != b"{":
            raise ModelFileError(
                f"{path}: expected a Neocog model file, got {kind}; `neocog train` writes model.safetensors."
            )
    header = _header(path, data)
    metadata = header.get("__metadata__", {})
    if not isinstance(metadata, dict) or not isinstance(metadata.get(CONTRACT_KEY), str):
        raise ModelFileError(
            f"{path}: a safetensors file without Neocog's contract, so its classes and preprocessing are unknown; "
            "give a file that `neocog train` wrote."
        )
    return metadata


def _header(path: Path, data: bytes) -> dict[str, Any]:
    length = _header_length(data) if len(data) >= _LENGTH_BYTES else 0
    text = data[_LENGTH_BYTES : _LENGTH_BYTES + length]
    if not length or not text.startswith(b"{"):
        raise ModelFileError(f"{path}: not a Neocog model file (no safetensors header at its start).")
    if len(text) < length:
        raise ModelFileError(
            f"{path}: the file is truncated ({len(data):,} bytes, its header alone has {length + _LENGTH_BYTES:,}); "
            "copy it again."
        )
    try:
        header: dict[str, Any] = json.loads(text)
    except (ValueError, RecursionError) as error:  # broken JSON as well as broken UTF-8
        raise ModelFileError(f"{path}: the header is damaged ({error}); copy the file again.") from error
    return header


def _contract(path: Path, metadata: Mapping[str, str]) -> ModelContract:
    try:
        return ModelContract.from_json(metadata[CONTRACT_KEY])
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from error


def _digest(contract: str, tensors: Mapping[str, Tensor]) -> str:
    """Returns the SHA-256 over the contract's text and over each tensor's name, type, shape and bytes, by name."""
    total = hashlib.sha256(contract.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        total.update(f"\0{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()


__all__ = ["FORMAT", "ModelContract", "read", "read_contract", "save"]
