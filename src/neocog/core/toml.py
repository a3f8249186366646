"""Writes plain values as TOML that the standard library's ``tomllib`` reads back unchanged."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def dumps(values: Mapping[str, Any]) -> str:
    """Returns TOML text for nested mappings of strings, numbers, truth values and lists of these.

    Raises TypeError for anything else, None among it: TOML has no null.
    """
    return "\n".join(_table(values, ())).strip() + "\n"


def _table(values: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    """Returns a table's own lines, then those of the tables inside it."""
    lines = [f"{_key(name)} = {_inline(value)}" for name, value in values.items() if not _is_table(value)]
    for name, value in values.items():
        if not _is_table(value):
            continue
        inner = (*path, _key(name))
        header = ".".join(inner)
        if isinstance(value, Mapping):
            lines += ["", f"[{header}]", *_table(value, inner)]
        else:
            for entry in value:
                lines += ["", f"[[{header}]]", *_table(entry, inner)]
    return lines


def _is_table(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return bool(value) and all(isinstance(entry, Mapping) for entry in value)
    return isinstance(value, Mapping)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _string(name)


def _inline(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_inline(entry) for entry in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(name)} = {_inline(entry)}" for name, entry in value.items()) + "}"
    raise TypeError(f"TOML holds texts, numbers, truth values, lists and tables; got {type(value).__name__}")


def _string(text: str) -> str:
    # JSON's escapes are TOML's, but for DEL, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
