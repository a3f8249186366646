"""Files fetched once, verified by their hash, kept in a cache folder."""

from __future__ import annotations

import hashlib
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from pathlib import Path

from neocog.core.errors import ResourceError

TIMEOUT_SECONDS = 30
CHUNK = 1 << 20


def cache_folder() -> Path:
    """Returns ``NEOCOG_CACHE``, or ``~/.cache/neocog``."""
    given = os.environ.get("NEOCOG_CACHE")
    return Path(given).expanduser() if given else Path.home() / ".cache" / "neocog"


def fetch(files: Mapping[str, str], bases: Sequence[str], folder: Path) -> Path:
    """Downloads what the folder lacks and returns the folder.

    ``files`` are SHA-256 hashes by name, ``bases`` the addresses to try in turn. A file appears under its name only
    when it is whole and its hash fits. Raises ResourceError, which names the files and where to put them.
    """
    missing = {name: digest for name, digest in files.items() if not (folder / name).is_file()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, digest in missing.items():
            _fetch_one(name, digest, bases, folder)
    except OSError as error:
        wanted = " ".join(bases[0] + name for name in missing)
        reason = getattr(error, "reason", None) or error.strerror or error
        raise ResourceError(
            f"cannot download ({reason}). Fetch these files elsewhere and put them into {folder}, "
            f"or name a folder that has them by --root or NEOCOG_DATA: {wanted}"
        ) from error
    return folder


def _fetch_one(name: str, digest: str, bases: Sequence[str], folder: Path) -> None:
    problem: Exception | None = None
    for base in bases:
        try:
            _download(base + name, digest, folder / name)
            return
        except (OSError, HTTPException, ResourceError) as error:
            problem = error
    if isinstance(problem, (OSError, ResourceError)):
        raise problem
    raise OSError(str(problem))


def _download(address: str, digest: str, target: Path) -> None:
    if not address.startswith("https://"):
        raise ResourceError(f"{address} is no https address")
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    hasher = hashlib.sha256()
    try:
        with (
            os.fdopen(handle, "wb") as file,
            urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as answer,  # noqa: S310 - https, checked above
        ):
            while chunk := answer.read(CHUNK):
                hasher.update(chunk)
                file.write(chunk)
        if hasher.hexdigest() != digest:
            raise ResourceError(f"{address} came with SHA-256 {hasher.hexdigest()}, expected {digest}; nothing kept")
        Path(temporary).replace(target)
    finally:
        Path(temporary).unlink(missing_ok=True)
