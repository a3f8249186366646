"""What is asked of a look, in words: the class to explain, and numbers that have to be at least one."""

from __future__ import annotations

from collections.abc import Mapping

from neocog.core.errors import UsageError, near_names


def class_of(target: str | int, classes: tuple[str, ...]) -> int:
    """Returns the class's place; a name goes before a number. Raises UsageError with near names."""
    if isinstance(target, str) and target in classes:
        return classes.index(target)
    text = str(target).strip()
    if text.isdecimal() and int(text) < len(classes):
        return int(text)
    alike = [place for place, name in enumerate(classes) if name.lower() == text.lower()]
    if len(alike) == 1:
        return alike[0]
    raise UsageError(f"the model has no class {target!r}.{near_names(text, classes)} It has {_few(classes)}.")


def _few(classes: tuple[str, ...]) -> str:
    more = f" and {len(classes) - 12} more" if len(classes) > 12 else ""
    return ", ".join(classes[:12]) + more


def refuse_none(numbers: Mapping[str, int]) -> None:
    """Raises UsageError for a number below 1."""
    for name, number in numbers.items():
        if number < 1:
            raise UsageError(f"{name} should be 1 or more, got {number}.")
