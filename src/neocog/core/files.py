"""Files that are either the old one or the whole new one, whatever happens while they are written."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path

from neocog.core.errors import ResourceError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_TEMPORARY = ".tmp"
# Ours, and those that safetensors writes before it renames them to ours.
_LEFTOVERS = (f".*{_TEMPORARY}", ".tmp??????")
_OS_ERROR = re.compile(r"os error (\d+)")


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Lets ``write`` make a file of another name in the same folder, and puts it in the place of ``path``.

    The new content is on the disk before it gets the name, so a kill, a crash or a full disk leaves the old file.

    Raises ResourceError when the folder cannot be written or the disk is full; the old file is then untouched.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}{_TEMPORARY}")
    try:
        temporary.touch()
        mode = temporary.stat().st_mode  # what the user's umask makes of a new file; some writers make it narrower
        write(temporary)
        temporary.chmod(mode)
        _flush(temporary)
        temporary.replace(path)
        _flush(path.parent)
    except OSError as error:
        raise ResourceError(why_not_written(path, error)) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text atomically; raises as `write_atomically` does."""
    data = text.encode("utf-8", errors="replace")
    write_atomically(path, lambda temporary: _write_bytes(temporary, data))


def remove_leftovers(folder: Path) -> None:
    """Removes the temporary files that a killed process left in ``folder``."""
    for pattern in _LEFTOVERS:
        for path in folder.glob(pattern):
            with contextlib.suppress(OSError):
                path.unlink()


def why_not_written(path: Path, error: OSError) -> str:
    """Returns the line that says why ``path`` could not be written and what to do."""
    reason = error.strerror or str(error)
    told = _OS_ERROR.search(reason)  # some writers put the number into the text alone
    number = int(told[1]) if error.errno is None and told else error.errno
    if number in _FULL:
        return f"{path}: the disk is full ({reason}); free some space. What was written before is untouched."
    if number in _FORBIDDEN:
        return f"{path}: may not be written ({reason}); choose another folder with --out."
    return f"{path}: cannot be written ({reason})."


def _write_bytes(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _flush(path: Path) -> None:
    """Forces a file, or the entries of a folder, onto the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # file systems that cannot sync a folder
            raise
    finally:
        os.close(handle)
