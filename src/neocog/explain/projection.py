"""Features of a data set on a plane: principal components, or t-SNE (van der Maaten and Hinton 2008)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from neocog.core.errors import UsageError

Method = Literal["pca", "tsne"]
PERPLEXITY = 30.0


def project(features: Tensor, *, method: Method = "pca", seed: int = 0) -> Tensor:
    """Returns a place (N, 2) on a plane for each row of ``features`` (N, ...).

    ``"pca"`` are the first two principal components, in the features' own units; their signs are such that the greatest
    loading is positive. ``"tsne"`` keeps neighbours together, with a perplexity of 30 or a third of N - 1, begins with
    the principal components and is the same for the same ``seed``; its distances between groups mean nothing.

    Raises UsageError for features that are not finite, no rows, an unknown method, and t-SNE of fewer than 3 rows.
    """
    if features.dim() < 2 or not features.numel():
        raise UsageError(f"features should be (N, D) with something in them, got {tuple(features.shape)}.")
    flat = features.detach().flatten(1).double().cpu()
    if not flat.isfinite().all():
        raise UsageError("features should be finite to be projected; leave out the samples that are not.")
    if method == "pca":
        return _pca(flat)
    if method != "tsne":
        raise UsageError(f"method is pca or tsne; got {method!r}.")
    if len(flat) < 3:
        raise UsageError(
            f"t-SNE places samples by their neighbours and needs at least 3, got {len(flat)}; use method='pca'."
        )
    return _tsne(flat, seed)


def _pca(flat: Tensor) -> Tensor:
    centred = flat - flat.mean(0)
    _, values, axes = torch.linalg.svd(centred, full_matrices=False)
    rank = int((values > values.max() * 1e-12 * max(flat.shape)).sum())  # what lies below is rounding
    axes = axes[: min(rank, 2)]
    greatest = axes.abs().argmax(1, keepdim=True)
    places = centred @ (axes * axes.gather(1, greatest).sign()).T
    return torch.nn.functional.pad(places, (0, 2 - places.shape[1]))


def _tsne(flat: Tensor, seed: int) -> Tensor:
    from sklearn.manifold import TSNE

    begin = _pca(flat)
    spread = begin[:, 0].std()
    if spread == 0:  # all rows are one and the same
        return torch.zeros(len(flat), 2, dtype=torch.float64)
    perplexity = min(PERPLEXITY, (len(flat) - 1) / 3)
    # Many features are first brought down to 50 components, as the authors do (section 4.2).
    close = _components(flat, 50) if flat.shape[1] > 50 else flat
    plane = TSNE(init=(begin / spread * 1e-4).float().numpy(), perplexity=perplexity, random_state=seed)
    return torch.from_numpy(plane.fit_transform(close.numpy())).double()


def _components(flat: Tensor, count: int) -> Tensor:
    centred = flat - flat.mean(0)
    axes: Tensor = torch.linalg.svd(centred, full_matrices=False)[2][:count]
    return centred @ axes.T
