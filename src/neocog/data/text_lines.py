"""The lines of a text file, each with its number: nothing is skipped, joined or split that the file does not split."""

from __future__ import annotations

import codecs
from pathlib import Path

from neocog.core.errors import DataError, UsageError

ENCODING = "utf-8"
LOOKED_AT = 64  # lines
LONGEST = 500_000  # characters of one text; a novel has about as many


def read_text(path: Path, encoding: str = ENCODING) -> str:
    """Returns a file's text, without a byte-order mark.

    Raises DataError, with the line of the first byte that is not of this encoding, UsageError for an encoding that
    there is not.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    return decoded(content, str(path), encoding)


def decoded(content: bytes, name: str, encoding: str = ENCODING) -> str:
    """Returns bytes as text; ``name`` is what an error calls them. Raises as `read_text` does."""
    codec = check_encoding(encoding)
    try:
        text = content.removeprefix(codecs.BOM_UTF8).decode(codec) if codec == ENCODING else content.decode(codec)
    except UnicodeError as error:
        place = getattr(error, "start", 0) + (len(codecs.BOM_UTF8) if content.startswith(codecs.BOM_UTF8) else 0)
        byte = f"the byte 0x{content[place]:02x}" if place < len(content) else "its end"
        wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        hint = (
            "; it begins as UTF-16 does: say --encoding utf-16"
            if wide
            else "; if it is Latin-1, say --encoding latin-1"
        )
        other = hint if codec == ENCODING else ""
        raise DataError(f"{name}, line {content.count(10, 0, place) + 1}: {byte} is not {encoding}{other}") from error
    return text


def first_line(path: Path, encoding: str = ENCODING) -> str:
    """Returns the first line of a file that is not blank, of its first `LOOKED_AT` ones; empty where it has none.

    Only that much is read. What is not of the encoding is replaced, since whoever reads the file says so.
    """
    codec = "utf-8-sig" if (known := check_encoding(encoding)) == ENCODING else known
    try:
        with path.open(encoding=codec, errors="replace") as file:
            lines = (file.readline(LONGEST) for _ in range(LOOKED_AT))
            return next((line.rstrip("\n") for line in lines if line.strip()), "")
    except OSError:
        return ""


def check_encoding(encoding: str) -> str:
    """Returns Python's name of an encoding; raises UsageError where there is none of that name."""
    try:
        return codecs.lookup(encoding).name
    except LookupError as error:
        raise UsageError(f"--encoding {encoding}: there is no such encoding; e.g. utf-8, latin-1, cp1252") from error


def split_lines(text: str) -> list[str]:
    """Returns the lines between line feeds; a carriage return before one belongs to it, and alone ends old Mac lines.

    Other separators that Unicode knows stay inside a line: in Latin-1 0x85 is no more than a stray character.
    """
    if "\n" not in text and "\r" in text:
        text = text.replace("\r", "\n")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    return lines[:-1] if lines and not lines[-1] else lines


def numbered_lines(path: Path, encoding: str = ENCODING) -> list[tuple[int, str]]:
    """Returns (line number, line) of each line that is not blank; raises DataError for one longer than `LONGEST`."""
    lines = [(number, line) for number, line in enumerate(split_lines(read_text(path, encoding)), 1) if line.strip()]
    for number, line in lines:
        refuse_long(line, f"{path}, line {number}")
    return lines


def refuse_long(text: str, where: str) -> None:
    """Raises DataError for a text longer than `LONGEST`."""
    if len(text) > LONGEST:
        raise DataError(f"{where}: {len(text):,} characters in one text, more than {LONGEST:,}; is it one text?")
