"""The one exception tree: each error says what was expected, what came and what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class NeocogError(Exception):
    """Anything Neocog refuses; its text is one line fit to be shown to a person."""


class UsageError(NeocogError):
    """An option or argument that cannot be followed."""


class DataError(NeocogError):
    """Data that cannot be read as what it claims to be."""


class UnreadableInput(DataError):
    """One input that cannot be read; the others are still answered."""


class NetworkError(NeocogError):
    """An unknown network, or a network that cannot take this input."""


class ModelFileError(NeocogError):
    """A model file or checkpoint that is truncated, tampered with, or not ours."""


class TrainingError(NeocogError):
    """Training that cannot go on: a non-finite loss, no memory at a batch of one."""


class ResourceError(NeocogError):
    """The machine refuses: a full disk, an unwritable folder, a download that fails its hash."""


def near_names(name: str, known: Iterable[str], count: int = 3) -> str:
    """Returns ``" Did you mean a, b?"`` for the known names nearest to ``name``, or an empty string."""
    lowered = {candidate.lower(): candidate for candidate in known if candidate}
    close = difflib.get_close_matches(name.lower(), list(lowered), n=count, cutoff=0.5)
    return f" Did you mean {', '.join(lowered[match] for match in close)}?" if close else ""
