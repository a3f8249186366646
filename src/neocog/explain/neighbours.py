"""Nearest neighbours in feature space, exactly (Krizhevsky et al. 2012, section 6.1, shows a network's six)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from neocog.core.errors import UsageError

Metric = Literal["euclidean", "cosine"]

# Distances that are held at a time: 32 MiB of them, whatever the number of features.
HELD = 2**22


class Neighbours(NamedTuple):
    """The nearest of each query: distances (Q, K), nearest first, and their rows in the features (Q, K)."""

    distances: Tensor
    indices: Tensor


def nearest_neighbours(
    features: Tensor,
    queries: Tensor,
    count: int = 6,
    *,
    metric: Metric = "euclidean",
    exclude_self: Sequence[int] | Tensor | None = None,
) -> Neighbours:
    """Returns the ``count`` rows of ``features`` (N, ...) that are nearest to each of ``queries`` (Q, ...).

    ``metric`` is the Euclidean distance, or the cosine distance 1 - cos, 0 to 2, which is 1 to a vector of zeros.
    ``exclude_self`` (Q,) is the row that each query itself is, which is left out; below 0 for none. Of equal distances
    the lower row comes first; equal rows have a distance of exactly 0. Memory stays bounded however many there are.

    Raises UsageError where the sizes do not agree, for features that are not finite, and where fewer rows than
    ``count`` are left.
    """
    rows, asked = (_prepared(each, metric) for each in (features, queries))
    out = _excluded(exclude_self, len(asked), len(rows))
    _check(rows, asked, count, metric, left=len(rows) - int((out >= 0).any()))
    chunks = zip(torch.split(asked, 256), torch.split(out, 256), strict=True)
    parts = [_nearest(rows, each, own, count, metric) for each, own in chunks]
    distances, indices = (torch.cat(each) for each in zip(*parts, strict=True))
    return Neighbours(distances, indices)


def _nearest(rows: Tensor, asked: Tensor, out: Tensor, count: int, metric: Metric) -> tuple[Tensor, Tensor]:
    best = asked.new_empty(len(asked), 0)
    places = torch.empty(len(asked), 0, dtype=torch.long, device=asked.device)
    start = 0
    for chunk in torch.split(rows, HELD // len(asked)):
        distances = _distances(asked, chunk, metric)
        numbers = torch.arange(start, start + len(chunk), device=asked.device).expand_as(distances)
        distances = distances.masked_fill(numbers == out[:, None], torch.inf)
        # What was found before has lower rows, so a stable sort leaves it first among equals.
        best, places = torch.cat([best, distances], 1), torch.cat([places, numbers], 1)
        order = best.argsort(dim=1, stable=True)[:, :count]
        best, places = best.gather(1, order), places.gather(1, order)
        start += len(chunk)
    return best, places


def _distances(asked: Tensor, rows: Tensor, metric: Metric) -> Tensor:
    # By differences: the faster way over products loses the small distances, which are those that are looked for.
    distances: Tensor = torch.cdist(asked, rows, compute_mode="donot_use_mm_for_euclid_dist")
    if metric == "euclidean":
        return distances
    none = (asked.abs().amax(1) == 0)[:, None] | (rows.abs().amax(1) == 0)[None, :]
    return (distances.square() / 2).masked_fill(none, 1)  # of vectors of length 1: |a - b|^2 = 2 - 2 cos


def _prepared(vectors: Tensor, metric: Metric) -> Tensor:
    if vectors.dim() < 2 or not vectors.numel():
        raise UsageError(f"features should be (N, D) with something in them, got {tuple(vectors.shape)}.")
    flat = vectors.detach().flatten(1)
    flat = flat if flat.dtype == torch.float64 else flat.float()
    if not flat.isfinite().all():
        raise UsageError("features should be finite to have distances; leave out the samples that are not.")
    if metric == "euclidean":
        return flat
    scaled: Tensor = flat / flat.abs().amax(1, keepdim=True).clamp(min=torch.finfo(flat.dtype).tiny)
    lengths: Tensor = scaled.norm(dim=1, keepdim=True)
    return scaled / lengths.clamp(min=torch.finfo(flat.dtype).tiny)


def _excluded(exclude: Sequence[int] | Tensor | None, queries: int, rows: int) -> Tensor:
    if exclude is None:
        return torch.full((queries,), -1)
    out: Tensor = torch.as_tensor(exclude).reshape(-1)
    if len(out) != queries or out.is_floating_point() or bool((out >= rows).any()):
        raise UsageError(f"exclude_self should be one row below {rows} for each of {queries} queries, got {exclude}.")
    return out.long()


def _check(rows: Tensor, asked: Tensor, count: int, metric: str, *, left: int) -> None:
    if metric not in ("euclidean", "cosine"):
        raise UsageError(f"metric is euclidean or cosine; got {metric!r}.")
    if rows.shape[1] != asked.shape[1]:
        raise UsageError(f"features and queries should be of one length, got {rows.shape[1]} and {asked.shape[1]}.")
    if not 1 <= count <= left:
        raise UsageError(f"count should be 1 to {left}, the rows that can be neighbours; got {count}.")
