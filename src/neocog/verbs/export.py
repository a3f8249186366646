"""``export``: a trained model in a form that other programs read; for now its weights in another library's naming."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from neocog.architectures import record
from neocog.core import modelfile
from neocog.core.errors import UsageError, near_names
from neocog.core.files import write_atomically
from neocog.core.foreign import NAMINGS, written
from neocog.core.own import is_own
from neocog.tasks.model import Model

State = Mapping[str, Tensor]


def export(model: str | Path | Model, *, weights: str, out: str | Path) -> Path:
    """Writes a model's weights as a state dict in ``torchvision``'s or ``timm``'s naming, and returns the file's path.

    ``model`` is a model file or a loaded model; ``out`` ends in ``.safetensors``, or in ``.pth`` or ``.pt`` for
    `torch.save`. The file holds what the library's own network of that name loads with ``load_state_dict``.

    Raises ModelFileError for a bad model file, UsageError for an unknown naming or ending, NetworkError where the
    library does not have the network, ResourceError where ``out`` cannot be written.
    """
    path = Path(out)
    if weights not in NAMINGS:
        raise UsageError(
            f"no naming of weights is called {weights!r}.{near_names(weights, NAMINGS)} There are {_SAID}."
        )
    if path.suffix not in _WRITERS:
        raise UsageError(f"{path}: the file's name should end in {' or '.join(_WRITERS)}.")
    name, state = _named_state(model)
    if not isinstance(model, Model) and path.exists() and path.samefile(model):
        raise UsageError(f"{path} is the model file itself; choose another --out.")
    if is_own(name):
        raise UsageError(f"{name} is a network of your own, which no other library has; load its model file instead.")
    translated = written(state, record(name), weights)
    write_atomically(path, lambda temporary: _WRITERS[path.suffix](translated, temporary))
    return path


def _named_state(model: str | Path | Model) -> tuple[str, State]:
    if isinstance(model, Model):
        return model.contract.network, model.network.state_dict()
    contract, state = modelfile.read(Path(model))
    return contract.network, state


def _write_safetensors(state: State, path: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        save_file({name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}, path)
    except SafetensorError as error:  # what safetensors makes of a full disk
        raise OSError(str(error)) from error


def _write_pytorch(state: State, path: Path) -> None:
    torch.save({name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}, path)


_SAID = "torchvision and timm"
_WRITERS: dict[str, Callable[[State, Path], None]] = {
    ".safetensors": _write_safetensors,
    ".pth": _write_pytorch,
    ".pt": _write_pytorch,
}
