"""What the peers of the sentence benchmark share: their orders, one fold's sentences, the clock and the answer.

Runs in any environment that has NumPy. A peer is started as ``python -m peers.NAME ORDERS`` and answers with one line
of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MARGIN = 4  # words of padding on both sides of a sentence: the widest filter's, less one, as in the authors' code

# Kim 2014, section 3.1, and the authors' code.
MAPS, WINDOWS, DROPOUT, MAX_NORM, RHO, EPSILON = 100, (3, 4, 5), 0.5, 3.0, 0.95, 1e-6


@dataclass(frozen=True)
class Orders:
    """What a peer is to do: train for ``epochs`` on the sentences in the folder ``data``, then test."""

    data: str
    epochs: int
    batch: int
    seed: int


@dataclass(frozen=True)
class Sentences:
    """One fold: tokens parted by spaces and labels of both parts, the vectors (V + 1, E) of ``words`` from row 1."""

    words: list[str]
    train: list[str]
    train_labels: list[int]
    test: list[str]
    test_labels: list[int]
    vectors: NDArray[np.float32]

    def padded(self, texts: list[str]) -> NDArray[np.int32]:
        """Returns the numbers (N, L) of sentences, all as long as the longest of both parts with its margins."""
        longest = max(len(text.split()) for text in (*self.train, *self.test))
        number = {word: place for place, word in enumerate(self.words, 1)}
        made = np.zeros((len(texts), longest + 2 * MARGIN), dtype=np.int32)
        for row, text in zip(made, texts, strict=True):
            tokens = text.split()
            row[MARGIN : MARGIN + len(tokens)] = [number.get(token, 0) for token in tokens]
        return made


@dataclass(frozen=True)
class Answer:
    """What a peer says: seconds of wall and of CPU time an epoch, test accuracy, its size, and what it is."""

    params: int
    versions: dict[str, str]
    accuracy: float
    wall: list[float]
    cpu: list[float]


@dataclass
class Clock:
    """Takes the time of epochs; it is started before whatever comes before the first of them."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._last = time.perf_counter(), time.process_time()

    def lap(self) -> None:
        """Ends an epoch."""
        now = time.perf_counter(), time.process_time()
        self.wall.append(now[0] - self._last[0])
        self.cpu.append(now[1] - self._last[1])
        self._last = now


def save(folder: Path, sentences: Sentences) -> None:
    plain = {name: value for name, value in vars(sentences).items() if name != "vectors"}
    (folder / "sentences.json").write_text(json.dumps(plain), encoding="utf-8")
    np.save(folder / "vectors.npy", sentences.vectors)


def load(orders: Orders) -> Sentences:
    folder = Path(orders.data)
    plain: dict[str, Any] = json.loads((folder / "sentences.json").read_text(encoding="utf-8"))
    return Sentences(**plain, vectors=np.load(folder / "vectors.npy"))


def orders() -> Orders:
    return Orders(**json.loads(sys.argv[1]))


def answer(given: Answer) -> None:
    """Ends the peer's output with its answer."""
    print(json.dumps(asdict(given)))


def read_answer(output: str) -> Answer:
    found: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
    return Answer(**found)
