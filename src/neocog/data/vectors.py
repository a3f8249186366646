"""Word vectors from files: GloVe's text (also gzipped), word2vec's text and binary, safetensors."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from neocog.core.errors import DataError

LONGEST = 1_000_000  # bytes of one line; a vector of 4096 numbers has a tenth of it
Matrix = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class WordVectors:
    """The words that were wanted of a file, and their vectors (N, dimension); ``total`` counts all of the file's."""

    source: str
    words: tuple[str, ...]
    matrix: Matrix
    total: int

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return int(self.matrix.shape[1])


def read_vectors(path: str | Path, wanted: Collection[str], *, first: int = 0) -> WordVectors:
    """Reads the vectors of the ``wanted`` words and of the file's ``first`` words, in the file's order.

    Text has ``word v1 ... vn`` lines, the most frequent words first, with word2vec's head line or without; ``.bin`` is
    word2vec's binary format; each may be gzipped (``.gz``). A safetensors file holds one matrix and its words, as a
    JSON list or as lines, in the header under ``words``. Of a word that comes twice the first vector counts.

    Raises DataError, with the line, for a vector of another dimension, a number that is none, a line of a megabyte.
    """
    path = Path(path).expanduser()
    try:
        if path.suffix == ".safetensors":
            return _chosen(path, _safetensors(path), wanted, first)
        with _opened(path) as file:
            binary = path.name.removesuffix(".gz").endswith(".bin")
            return _chosen(path, _binary(path, file) if binary else _text(path, file), wanted, first)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"the word vectors {path} cannot be read: {reason}") from error


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if packed:
            with gzip.open(raw) as file:
                yield file  # type: ignore[misc]
        else:
            yield raw


# The place in the file, the word as its bytes, and its vector, or the text of its numbers.
Entry = tuple[str, bytes, bytes | Matrix]


def _chosen(path: Path, entries: Iterator[Entry], wanted: Collection[str], first: int) -> WordVectors:
    asked = {word.encode() for word in wanted}
    words: dict[str, None] = {}
    rows: list[bytes | Matrix] = []
    places: list[str] = []
    total = 0
    for total, (where, raw, numbers) in enumerate(entries, 1):
        if total > first and raw not in asked:
            continue
        try:
            word = raw.decode()
        except UnicodeDecodeError as error:
            raise DataError(f"{where}: the word {raw[:40]!r} is not UTF-8") from error
        if word in words:
            continue
        words[word] = None
        rows.append(numbers)
        places.append(where)
    if not total:
        raise DataError(
            f"{path} holds no word vectors; expected `word v1 ... vn` lines, word2vec's .bin or safetensors"
        )
    if not rows:
        raise DataError(f"{path} has none of the {len(asked):,} words; is it of another language, or of other case?")
    matrix = _matrix(rows, places)
    bad = np.flatnonzero(~np.isfinite(matrix).all(1))
    if len(bad):
        raise DataError(f"{places[bad[0]]}: a number of the vector is not finite")
    return WordVectors(str(path), tuple(words), matrix, total)


def _matrix(rows: list[bytes | Matrix], places: list[str]) -> Matrix:
    """Returns the vectors as one matrix; raises DataError with the place of the first that is not of numbers."""
    texts = [row for row in rows if isinstance(row, bytes)]
    if not texts:
        return np.stack([row for row in rows if not isinstance(row, bytes)])
    numbers: list[float] = []
    try:
        return np.array(b" ".join(texts).split(b" "), dtype="S32").astype(np.float32).reshape(len(texts), -1)
    except ValueError:
        for place, text in zip(places, texts, strict=True):
            try:
                numbers = [float(each) for each in text.split(b" ")]
            except ValueError as error:
                raise DataError(f"{place}: expected numbers behind the word; {error}") from error
        raise DataError(f"{places[0]}: expected {len(numbers)} numbers behind each word") from None


def _text(path: Path, file: IO[bytes]) -> Iterator[Entry]:
    dimension = 0
    number = 0
    while line := file.readline(LONGEST + 1):
        number += 1
        where = f"{path}, line {number}"
        if len(line) > LONGEST:
            raise DataError(f"{where}: longer than {LONGEST:,} bytes; expected a word and its vector")
        line = line.rstrip()
        fields = line.count(b" ")
        if not line or (number == 1 and fields == 1 and all(each.isdigit() for each in line.split())):
            continue  # word2vec's head line: how many words of how many numbers
        dimension = dimension or fields
        if fields != dimension and not _has_spaces(line, dimension):
            raise DataError(f"{where}: {fields} numbers where the lines before have {dimension}")
        word, _, numbers = line.partition(b" ")
        if fields != dimension:  # a word of several
            cut = len(b" ".join(line.split(b" ")[:-dimension]))
            word, numbers = line[:cut], line[cut + 1 :]
        if not numbers:
            raise DataError(f"{where}: expected a word and its vector, got {line[:40]!r}")
        yield where, word, numbers


def _has_spaces(line: bytes, dimension: int) -> bool:
    """Tells whether the word itself holds spaces, as some of GloVe's do (``. . .``): it is no number then."""
    before = line.split(b" ")[: line.count(b" ") + 1 - dimension]
    if len(before) < 2:
        return False
    try:
        float(before[-1])
    except ValueError:
        return True
    return False


def _binary(path: Path, file: IO[bytes]) -> Iterator[Entry]:
    head = file.readline(100).split()
    if len(head) != 2 or not all(each.isdigit() for each in head):
        raise DataError(
            f"{path} is no word2vec binary: its first line should be the numbers of words and of dimensions"
        )
    count, dimension = map(int, head)
    for number in range(1, count + 1):
        where = f"{path}, word {number}"
        word = _until_space(file, where)
        content = file.read(4 * dimension)
        if len(content) < 4 * dimension:
            raise DataError(f"{where} of {count}: the file ends inside its vector; copy it again")
        yield where, word.lstrip(b"\n"), np.frombuffer(content, "<f4")


def _until_space(file: IO[bytes], where: str) -> bytes:
    word = bytearray()
    while (letter := file.read(1)) not in (b" ", b""):
        word += letter
        if len(word) > 10_000:
            raise DataError(f"{where}: a word of more than 10,000 bytes; the file is damaged, or its dimension another")
    return bytes(word)


def _safetensors(path: Path) -> Iterator[Entry]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            metadata = file.metadata() or {}
            matrices = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, ValueError) as error:
        raise DataError(f"{path} is no safetensors file: {error}") from error
    matrices = {key: tensor for key, tensor in matrices.items() if tensor.ndim == 2}
    if len(matrices) != 1 or "words" not in metadata:
        raise DataError(f"{path}: expected one matrix and its words (`words` in the header), got {', '.join(matrices)}")
    words = _listed(path, metadata["words"])
    (matrix,) = matrices.values()
    if len(words) != len(matrix):
        raise DataError(f"{path}: {len(words)} words for {len(matrix)} vectors")
    for number, (word, row) in enumerate(zip(words, matrix, strict=True), 1):
        yield f"{path}, word {number}", word.encode(), row.astype(np.float32)


def _listed(path: Path, text: str) -> list[str]:
    """Returns the words of a JSON list, or of lines; raises DataError for a list that is none of texts."""
    try:
        words = json.loads(text)
    except ValueError:
        words = None
    if isinstance(words, list) and all(isinstance(word, str) for word in words):
        return words
    if words is None and not text.lstrip().startswith('["'):
        return text.removesuffix("\n").split("\n")
    raise DataError(f"{path}: `words` in the header should be a JSON list of texts, or lines; got {text[:40]!r}")
