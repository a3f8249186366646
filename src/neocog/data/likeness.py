"""Near duplicates: a perceptual hash, a search that does not compare all with all, and a second look at each pair."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from neocog.data.decode import Array

SIDE = 32  # of the thumbnail
KEPT = 8  # lowest frequencies a side: 64 bits
DISTANCE = 4  # bits that may differ
BANDS = DISTANCE + 1  # by the pigeonhole principle one of them is equal
CORRELATION = 0.985  # that the thumbnails of a pair must reach
LEAST_CONTRAST = 4.0  # standard deviation, in grey levels, below which a hash says nothing
LARGEST_BUCKET = 4096


def frequencies() -> Tensor:
    """Returns the first `KEPT` + 1 rows of the orthogonal DCT-II matrix, (KEPT + 1, SIDE)."""
    row, column = torch.arange(KEPT + 1).view(-1, 1), torch.arange(SIDE).view(1, -1)
    return torch.cos(math.pi * (2 * column + 1) * row / (2 * SIDE)) * math.sqrt(2 / SIDE)


def perceptual_hash(thumbnail: Tensor) -> int | None:
    """Returns the 64 signs of a grey thumbnail's lowest frequencies against their median (pHash, Zauner 2010, 3.2.1).

    ``thumbnail`` uint8 (SIDE, SIDE). None for a picture with so little contrast that noise would decide.
    """
    values = thumbnail.to(torch.float32)
    if float(values.std()) < LEAST_CONTRAST:
        return None
    matrix = frequencies()
    low = (matrix @ values @ matrix.T)[1:, 1:].flatten()  # (64,); the first row and column follow the brightness
    bits = (low > low.median()).tolist()
    return sum(1 << place for place, bit in enumerate(bits) if bit)


def near_pairs(hashes: Sequence[int | None], thumbnails: Array) -> list[tuple[int, int]]:
    """Returns the pairs (i < j) whose hashes differ in at most `DISTANCE` bits and whose thumbnails correlate.

    ``thumbnails`` uint8 (N, SIDE, SIDE). Two hashes so close agree wholly in one of `BANDS` bands of their bits, so
    only those that share a band are compared.
    """
    pairs: set[tuple[int, int]] = set()
    for band in _buckets(hashes):
        members = np.array(band)
        codes = np.array([hashes[index] for index in band], dtype=np.uint64)
        for place in range(len(members) - 1):
            close = members[place + 1 :][_bits(codes[place + 1 :] ^ codes[place]) <= DISTANCE]
            pairs.update((int(members[place]), int(other)) for other in close)
    return sorted(pair for pair in pairs if correlation(thumbnails[pair[0]], thumbnails[pair[1]]) >= CORRELATION)


def correlation(first: Array, second: Array) -> float:
    """Returns Pearson's correlation of two thumbnails of the same shape that are not flat."""
    a, b = first.astype(np.float64).ravel(), second.astype(np.float64).ravel()
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / math.sqrt((a @ a) * (b @ b)))


def _buckets(hashes: Sequence[int | None]) -> Iterator[list[int]]:
    """Yields the indices that share a band of bits; a bucket too full to be told apart is passed over."""
    edges = [round(band * KEPT * KEPT / BANDS) for band in range(BANDS + 1)]
    for low, high in pairwise(edges):
        buckets: dict[int, list[int]] = defaultdict(list)
        for index, code in enumerate(hashes):
            if code is not None:
                buckets[(code >> low) & ((1 << (high - low)) - 1)].append(index)
        yield from (bucket for bucket in buckets.values() if 1 < len(bucket) <= LARGEST_BUCKET)


def _bits(codes: Array) -> Array:
    """Returns the number of ones of each 64-bit code."""
    octets = np.ascontiguousarray(codes).view(np.uint8).reshape(-1, 8)
    ones: Array = np.unpackbits(octets, axis=1).sum(axis=1)
    return ones
