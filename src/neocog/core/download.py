"""Files fetched once, verified by their hash, kept in a cache folder."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from urllib.parse import unquote, urlsplit

from neocog.core.errors import ResourceError
from neocog.core.weights import verify

TIMEOUT_SECONDS = 30
CHUNK = 1 << 20

# As torchvision and timm name their files: resnet50-0676ba61.pth.
_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.[a-z0-9.]+$")
_HASH_AFTER = re.compile(r"sha256=([0-9a-fA-F]{8,64})")


def cache_folder() -> Path:
    """Returns ``NEOCOG_CACHE``, or ``~/.cache/neocog``."""
    given = os.environ.get("NEOCOG_CACHE")
    return Path(given).expanduser() if given else Path.home() / ".cache" / "neocog"


def fetch(files: Mapping[str, str], bases: Sequence[str], folder: Path, *, instead: str = "") -> Path:
    """Downloads what the folder lacks and returns the folder.

    ``files`` are SHA-256 hashes, or their first digits, by name, ``bases`` the addresses to try in turn. A file appears
    under its name only when it is whole and its hash fits. Raises ResourceError, which names the files and where to put
    them, and what else to do ``instead``.
    """
    missing = {name: digest for name, digest in files.items() if not (folder / name).is_file()}
    wanted = " ".join(bases[0] + name for name in missing)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, digest in missing.items():
            _fetch_one([base + name for base in bases], digest, folder / name)
    except OSError as error:
        advice = f"Fetch these files elsewhere and put them into {folder}{instead}: {wanted}"
        raise ResourceError(f"cannot download ({_reason(error)}). {advice}") from error
    return folder


def fetch_weights(address: str) -> Path:
    """Downloads a weights file to the cache, or finds it there, and returns its path; its hash fits.

    The SHA-256, or its first digits (8 at least), stand at the end of the file's name, ``resnet50-0676ba61.pth``, or
    behind the address, ``#sha256=HEX``.

    Raises ResourceError for an address without https or without a hash, for a file whose hash is another (nothing is
    kept), and where there is no network: then it says which file to fetch and where to put it.
    """
    plain, _, fragment = address.partition("#")
    name = Path(unquote(urlsplit(plain).path)).name
    found = _HASH_AFTER.fullmatch(fragment) or _HASH_IN_NAME.search(name)
    if not plain.startswith("https://"):
        raise ResourceError(f"{plain}: weights are downloaded by https only; fetch the file and give its path.")
    if not found or not name:
        raise ResourceError(
            f"{plain}: nothing says which file this should be; add its hash, {plain}#sha256=HEX, or give the address "
            "of a file with its hash in the name, such as resnet50-0676ba61.pth."
        )
    digest = found[1].lower()
    target = cache_folder() / "weights" / _with_digest(name, digest)
    if not target.is_file():
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _fetch_one([plain], digest, target)
        except OSError as error:
            raise ResourceError(
                f"cannot download the weights ({_reason(error)}). Fetch {plain} elsewhere and put it at {target}."
            ) from error
    verify(target, digest)
    return target


def _with_digest(name: str, digest: str) -> str:
    """Returns a name that other content of the same name does not share."""
    if digest in name:
        return name
    stem, dot, suffix = name.partition(".")
    return f"{stem}-{digest[:16]}{dot}{suffix}"


def _fetch_one(addresses: Sequence[str], digest: str, target: Path) -> None:
    problem: Exception | None = None
    for address in addresses:
        try:
            _download(address, digest, target)
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
        if not hasher.hexdigest().startswith(digest):
            raise ResourceError(f"{address} came with SHA-256 {hasher.hexdigest()}, expected {digest}; nothing kept")
        Path(temporary).replace(target)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _reason(error: OSError) -> object:
    return getattr(error, "reason", None) or error.strerror or error
