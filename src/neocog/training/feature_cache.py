"""Features on disk, a file for each way of computing them, a row for each content of a sample."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from neocog.core.errors import ResourceError
from neocog.core.files import write_atomically

FORMAT = "neocog-features-1"
LIMIT = 2 << 30  # bytes of all files together
DIGEST = 16  # bytes

Rows = dict[bytes, Tensor]


def sample_digest(key: str) -> bytes:
    """Returns the 16 bytes by which a sample's content key is known."""
    return hashlib.blake2b(key.encode(), digest_size=DIGEST).digest()


class FeatureCache:
    """A folder of files of features; whatever is wrong with a file, its features are computed anew.

    ``limit`` is how many bytes the files may take together; those used longest ago go first.
    """

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self.folder = Path(folder)
        self.limit = limit

    def path(self, key: str) -> Path:
        """Returns the file of one way of computing features, named by the digest of ``key``."""
        return self.folder / f"features-{sample_digest(key).hex()}.safetensors"

    def read(self, key: str) -> Rows:
        """Returns the features (V, F) by sample digest; none where the file is missing, truncated or altered."""
        path = self.path(key)
        try:
            with safe_open(path, "pt") as file:
                metadata = file.metadata() or {}
                digests, values = file.get_tensor("digests"), file.get_tensor("values")
            path.touch()  # the time of last use
        except (OSError, SafetensorError):
            return {}
        if metadata.get("format") != FORMAT or metadata.get("checksum") != _checksum(digests, values):
            return {}
        names = digests.numpy().tobytes()
        return {names[DIGEST * row : DIGEST * (row + 1)]: value for row, value in enumerate(values)}

    def write(self, key: str, rows: Rows) -> None:
        """Adds rows to the file of ``key``; the file is the old one or the whole new one at any moment.

        Raises ResourceError when the folder cannot be written or the disk is full.
        """
        shapes = {value.shape for value in rows.values()}
        kept = {name: value for name, value in self.read(key).items() if value.shape in shapes}
        merged = {**kept, **rows}
        digests = torch.frombuffer(bytearray(b"".join(merged)), dtype=torch.uint8).view(-1, DIGEST)
        values = torch.stack(list(merged.values()))  # (N, V, F)
        metadata = {"format": FORMAT, "checksum": _checksum(digests, values)}
        path = self.path(key)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ResourceError(f"{self.folder}: cannot be made ({error.strerror}); set NEOCOG_CACHE.") from error
        tensors = {"digests": digests, "values": values}
        write_atomically(path, lambda temporary: save_file(tensors, temporary, metadata))
        self._make_room(path)

    def _make_room(self, newest: Path) -> None:
        """Removes the files used longest ago until the rest fit; the one just written stays."""
        files = [(_stat(path), path) for path in self.folder.glob("features-*.safetensors") if path != newest]
        total = _stat(newest)[1] + sum(size for (_, size), _ in files)
        for (_, size), path in sorted(files):
            if total <= self.limit:
                return
            with contextlib.suppress(OSError):
                path.unlink()
            total -= size


def gather_rows(rows: Rows, digests: Sequence[bytes]) -> Tensor:
    """Returns the features (V, N, F) of samples in this order."""
    return torch.stack([rows[digest] for digest in digests], 1)


def weights_digest(tensors: Iterable[tuple[str, Tensor]]) -> str:
    """Returns a digest of named tensors: of their names, types, shapes and bits."""
    state = hashlib.blake2b(digest_size=DIGEST)
    for name, tensor in tensors:
        state.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        state.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return state.hexdigest()


def _checksum(digests: Tensor, values: Tensor) -> str:
    return weights_digest((("digests", digests), ("values", values)))


def _stat(path: Path) -> tuple[float, int]:
    """Returns the time of last use and the size; a file that is gone has none."""
    try:
        found = path.stat()
    except OSError:
        return 0.0, 0
    return found.st_mtime, found.st_size
