"""Keras's weights files: read without Keras, and turned from its tensor layouts into PyTorch's.

Keras 3 writes a group for each layer, called by class and counter, with the layer's own name in an attribute; files of
older versions have groups called by the layers' names, with the order of their tensors in an attribute.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, takewhile
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from neocog.core.errors import ModelFileError, NetworkError, ResourceError
from neocog.core.inputs import empty_batch, shape_copy
from neocog.core.weights import HEAD, State

Layers = dict[str, list[Tensor]]

_NOT_LAYERS = {"optimizer", "optimizer_weights", "seed_generator", "metrics", "compile_metrics"}
# Names that Keras makes up. They count on within a session, so only their order says which layer is meant.
_MADE_UP = re.compile(r"(conv2d|depthwise_conv2d|separable_conv2d|batch_normalization|dense)(?:_(\d+))?")
_DEEPEST = 12
_MOST_EXPANSION = 64  # of compressed data


def read_layers(path: Path) -> Layers:
    """Reads the tensors of each layer, in Keras's order and layout, by the layer's name.

    The file is what `save_weights` or `save` of Keras 3 writes (``.weights.h5``, ``.keras``), or a ``.h5`` of older
    versions. Raises ResourceError without h5py, ModelFileError for a file that is damaged or no Keras weights.
    """
    h5py = _h5py()
    if not path.is_file():
        raise ModelFileError(f"{path}: there is no such weights file.")
    try:
        source: Any = path
        if zipfile.is_zipfile(path):  # a .keras archive
            with zipfile.ZipFile(path) as archive:
                source = io.BytesIO(archive.read("model.weights.h5"))
        with h5py.File(source, "r") as file:
            root = _group(file, "model_weights") if "model_weights" in file else file
            pairs = list(_by_name(root) if _attribute(root, "layer_names") else _by_counter(root))
    except (OSError, KeyError, ValueError, RuntimeError, TypeError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())[:120]
        raise ModelFileError(f"{path}: not a whole weights file of Keras ({reason}); copy or save it again.") from error
    layers = dict(pairs)
    if not layers or len(layers) < len(pairs):
        found = "two layers of one name" if layers else "no layer with weights"
        raise ModelFileError(f"{path}: expected a weights file of Keras, got {found}.")
    return layers


def _h5py() -> Any:
    try:
        import h5py
    except ImportError as error:
        raise ResourceError(
            "reading Keras's weights needs h5py, which is not installed: pip install h5py (Neocog's extra keras)."
        ) from error
    return h5py


def _by_name(root: Any) -> Iterator[tuple[str, list[Tensor]]]:
    for name in _attribute(root, "layer_names"):
        group = _group(root, name)
        if tensors := [_tensor(group, weight) for weight in _attribute(group, "weight_names")]:
            yield name, tensors


def _by_counter(group: Any, depth: int = 0) -> Iterator[tuple[str, list[Tensor]]]:
    if depth > _DEEPEST:
        raise ValueError(f"groups more than {_DEEPEST} deep")
    for key in group:
        if key in _NOT_LAYERS or group.get(key, getclass=True).__name__ != "Group":
            continue
        child = _group(group, key)
        if key == "vars":
            if tensors := [_tensor(child, number) for number in sorted(child, key=int)]:
                if "name" not in child.attrs:  # a class and a counter alone do not say which layer is meant
                    raise ValueError("its layers have no names, as older Keras 3 wrote it: load and save it in a newer")
                yield str(child.attrs["name"]), tensors
        else:
            yield from _by_counter(child, depth + 1)


def _attribute(group: Any, name: str) -> list[str]:
    """Returns a list of names, which Keras cuts in pieces where it is long."""
    pieces = (
        [name] if name in group.attrs else list(takewhile(group.attrs.__contains__, (f"{name}{n}" for n in count())))
    )
    return [each.decode() if isinstance(each, bytes) else str(each) for piece in pieces for each in group.attrs[piece]]


def _inside(group: Any, path: str) -> Any:
    """Returns what lies under a path; a link that leads elsewhere, perhaps out of the file, is not followed."""
    for part in path.split("/"):
        if type(group.get(part, getlink=True)).__name__ != "HardLink":
            raise KeyError(f"{part} is missing or a link")
        group = group[part]
    return group


def _group(parent: Any, path: str) -> Any:
    found = _inside(parent, path)
    if not hasattr(found, "attrs") or hasattr(found, "dtype"):
        raise ValueError(f"{path} is no group")
    return found


def _tensor(group: Any, path: str) -> Tensor:
    found = _inside(group, path)
    if not hasattr(found, "dtype") or found.dtype.kind != "f" or found.external or found.is_virtual:
        raise ValueError(f"{path} is no array of numbers in this file")
    if found.nbytes > _MOST_EXPANSION * max(found.id.get_storage_size(), 1024):
        raise ValueError(f"{path} claims {found.nbytes:,} bytes and has far fewer")
    return torch.from_numpy(found[()].astype("float32" if found.dtype.itemsize <= 4 else "float64", copy=False))


def aligned(found: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """Returns for each layer's name in a file the name by which a table knows it.

    Names that Keras makes up (``conv2d_7``) are matched by their order, where there are as many in both.
    """
    names = {name: name for name in found}
    for stem in {match[1] for name in known if (match := _MADE_UP.fullmatch(name))}:
        ours, theirs = (_made_up(each, stem) for each in (known, found))
        if len(ours) == len(theirs):
            names.update(zip(theirs, ours, strict=True))
    return names


def _made_up(names: Sequence[str], stem: str) -> list[str]:
    numbered = [
        (int(match[2] or 0), name) for name in names if (match := _MADE_UP.fullmatch(name)) and match[1] == stem
    ]
    return [name for _, name in sorted(numbered)]


def classes_in_layers(layers: Layers, table: Mapping[str, str]) -> int | None:
    """Returns the number of classes of the layer that becomes the head, or None when there is none."""
    names = aligned(list(layers), list(table))
    heads = (tensors[0] for name, tensors in layers.items() if table.get(names[name]) == HEAD)
    return next((int(kernel.shape[-1]) for kernel in heads), None)


def translated(
    layers: Layers, table: Mapping[str, str], network: nn.Module, shape: Sequence[int], *, source: str
) -> State:
    """Returns the layers as a state dict of the network, in its naming and in PyTorch's layouts.

    ``table`` has our module for each of Keras's layers; ``shape`` is an input's, without the batch, since the order of
    a dense layer's inputs after a flattening depends on the maps. A layer that the table does not know keeps its name.

    Raises NetworkError for a tensor that cannot be what its layer has.
    """
    names, modules = aligned(list(layers), list(table)), dict(network.named_modules())
    maps = flattened_maps(network, shape)
    state: State = {}
    for name, tensors in layers.items():
        ours = table.get(names[name], "")
        if ours not in modules or not ours:
            state |= {f"{name}.{number}": tensor for number, tensor in enumerate(tensors)}
            continue
        try:
            for target, key, tensor in _arranged(ours, modules[ours], tensors, maps):
                state[f"{target}.{key}"] = tensor.contiguous()
        except (RuntimeError, IndexError, ValueError) as error:
            shapes = ", ".join("x".join(map(str, tensor.shape)) for tensor in tensors)
            raise NetworkError(
                f"{source}: Keras's layer {name!r} has tensors of {shapes}, which {ours!r} cannot take; "
                "these weights belong to another network."
            ) from error
    return state


def flattened_maps(network: nn.Module, shape: Sequence[int]) -> dict[str, int]:
    """Returns, for each dense layer that flattened maps go into, how many maps they are."""
    copy = shape_copy(network)
    last: list[tuple[int, ...]] = []
    found: dict[str, int] = {}

    def note(name: str, module: nn.Module, output: Any) -> None:
        if not isinstance(output, Tensor):
            return
        if isinstance(module, nn.Linear):
            if last and prod(last[0]) == module.in_features:
                found[name] = last[0][0]
            last.clear()
        if output.dim() == 4:
            last[:] = [tuple(output.shape[1:])]

    for name, module in copy.named_modules():
        if next(module.children(), None) is None:
            module.register_forward_hook(lambda module, _, output, name=name: note(name, module, output))
    try:
        with torch.no_grad():
            copy(empty_batch(copy, shape))
    except (RuntimeError, ValueError, IndexError) as error:
        raise NetworkError(f"the network takes no input of {'x'.join(map(str, shape))} ({error}).") from error
    return found


def _arranged(
    name: str, module: nn.Module, tensors: list[Tensor], maps: Mapping[str, int]
) -> Iterator[tuple[str, str, Tensor]]:
    """Yields the tensors of a layer as ours has them: the layer's name, the tensor's name and the tensor."""
    if isinstance(module, _BatchNorm):
        keys = ("weight", "bias", "running_mean", "running_var")
        if len(tensors) == 3:  # Keras's scale=False: beta, mean and variance
            tensors = [torch.ones_like(tensors[0]), *tensors]
        yield from ((name, key, tensor) for key, tensor in zip(keys, tensors, strict=True))
        return
    if not isinstance(module, (nn.Linear, _ConvNd)):  # a separable convolution: a depthwise and a pointwise one
        yield from _separable(name, module, tensors)
        return
    kernel = _dense(tensors[0], maps.get(name, 1)) if isinstance(module, nn.Linear) else _kernel(tensors[0], module)
    yield name, "weight", kernel
    for bias in tensors[1:2]:
        yield name, "bias", bias


def _separable(name: str, module: nn.Module, tensors: list[Tensor]) -> Iterator[tuple[str, str, Tensor]]:
    convolutions = [(f"{name}.{key}", each) for key, each in module.named_modules() if isinstance(each, _ConvNd)]
    (depthwise, first), (pointwise, second) = convolutions
    yield depthwise, "weight", _kernel(tensors[0], first)
    yield pointwise, "weight", _kernel(tensors[1], second)
    for bias in tensors[2:3]:
        yield pointwise, "bias", bias


def _kernel(kernel: Tensor, layer: _ConvNd) -> Tensor:
    if kernel.dim() == 2:  # a dense layer's, (I, O)
        return kernel.T[:, :, None, None]  # (O, I, 1, 1)
    if layer.groups > 1 and kernel.shape[2] == layer.in_channels:  # (H, W, C, M), one by one
        height, width, channels, multiples = kernel.shape
        return kernel.permute(2, 3, 0, 1).reshape(channels * multiples, 1, height, width)
    return kernel.permute(3, 2, 0, 1)  # (H, W, I, O) to (O, I, H, W)


def _dense(kernel: Tensor, maps: int) -> Tensor:
    """Turns (I, O) around; inputs that are flattened maps come with the maps last in Keras, first in PyTorch."""
    if kernel.dim() == 4:  # a 1x1 convolution's
        kernel = kernel[0, 0]
    inputs, outputs = kernel.shape
    return kernel.reshape(inputs // maps, maps, outputs).permute(2, 1, 0).reshape(outputs, inputs)
