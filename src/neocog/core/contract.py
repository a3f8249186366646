"""The contract of a trained model: everything beside the weights that an answer depends on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from neocog.core.errors import ModelFileError
from neocog.core.plain import plain

FORMAT = 1


@dataclass(frozen=True)
class ModelContract:
    """What a network needs to be used as it was trained.

    ``network`` and ``arguments``: `neocog.architectures.create(network, **arguments)` rebuilds it, so ``arguments``
    holds ``classes`` and ``channels`` too. ``task`` names the task (``"image classification"``), ``classes`` the
    outputs in order. ``preprocessing`` belongs to the task: whatever turns a raw input into the network's.
    ``training`` is the provenance (recipe, seeds, data's fingerprint), ``metrics`` the final figures by part,
    as fractions. All mappings hold plain JSON values.
    """

    network: str
    arguments: Mapping[str, Any]
    task: str
    classes: tuple[str, ...]
    preprocessing: Mapping[str, Any]
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    format: int = FORMAT

    def __post_init__(self) -> None:
        twice = [name for name, count in Counter(self.classes).items() if count > 1]
        if twice:
            raise ModelFileError(f"the contract names the class {twice[0]!r} twice.")

    def to_json(self) -> str:
        """Returns the contract as ASCII JSON; numbers that JSON lacks (NaN, infinities) become null."""
        return json.dumps(plain({each.name: getattr(self, each.name) for each in fields(self)}), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> ModelContract:
        """Reads what `to_json` wrote; fields that this version does not know are refused.

        Raises ModelFileError for a newer format, and for a field that is missing, unknown or of the wrong kind.
        """
        try:
            entries = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ModelFileError(f"the contract is not JSON ({error}).") from error
        if not isinstance(entries, dict):
            raise ModelFileError(f"the contract should be a JSON object, got {type(entries).__name__}.")
        _check(entries)
        return cls(**{**entries, "classes": tuple(entries["classes"])})


_KINDS: Mapping[str, tuple[type, str]] = {
    "network": (str, "a name"),
    "arguments": (dict, "an object"),
    "task": (str, "a name"),
    "classes": (list, "a list of names"),
    "preprocessing": (dict, "an object"),
    "training": (dict, "an object"),
    "metrics": (dict, "an object"),
}


def _check(entries: Mapping[str, Any]) -> None:
    version = entries.get("format")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ModelFileError(f"the contract's format should be a whole number from 1, got {version!r}.")
    if version > FORMAT:
        raise ModelFileError(
            f"written by a newer Neocog (model format {version}, this one reads up to {FORMAT}); update Neocog."
        )
    if strange := sorted(set(entries) - set(_KINDS) - {"format"}):
        raise ModelFileError(f"the contract has a field {strange[0]!r} that format {version} does not know.")
    for name, (kind, meaning) in _KINDS.items():
        if not isinstance(entries.get(name), kind):
            raise ModelFileError(f"the contract's {name!r} should be {meaning}, got {entries.get(name)!r:.60}.")
    if strays := [name for name in entries["classes"] if not isinstance(name, str)]:
        raise ModelFileError(f"the contract's classes should be names, got {strays[0]!r:.60}.")
