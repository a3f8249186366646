"""Linear probes: how well a linear classifier could read the classes off each layer (Alain and Bengio 2016).

arXiv:1610.01644, section 3.  The probes are trained on their own: the network is not changed.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from neocog.core.errors import NetworkError, UsageError
from neocog.core.randomness import generator
from neocog.core.trace import caught, find_layer
from neocog.explain.rest import at_rest

# Layers that work on the last axis, and so leave their channels there.
_LAST = (nn.Embedding, nn.Linear, nn.LayerNorm)


@dataclass(frozen=True)
class Probe:
    """What can be read off one layer.

    ``accuracy`` on the ``held_out`` samples, and ``train_accuracy`` on the ``trained`` others, 0 to 1; ``majority`` is
    the accuracy of always naming the class that is most frequent among those trained on. ``size`` is the number of
    features; ``converged`` tells whether the classifier came to its end.
    """

    layer: str
    accuracy: float
    train_accuracy: float
    majority: float
    size: int
    trained: int
    held_out: int
    converged: bool


def linear_probes(
    module: nn.Module,
    batches: Iterable[Tensor],
    labels: Sequence[int] | Tensor,
    layers: Sequence[str],
    *,
    held_out: float = 0.25,
    places: int | None = 1,
    steps: int = 1000,
    seed: int = 0,
) -> list[Probe]:
    """Returns a probe for each layer, in the order in which they are named.

    ``batches`` are inputs (B, ...), ``labels`` the class of each of their samples in order. Each class gives a share
    ``held_out`` of its samples, at least one, to the test; all layers are judged on the same. Features are
    what leaves the layer, maps (B, M, ...) averaged to ``places`` cells along each axis (None: every value), scaled to
    mean 0 and deviation 1 by the samples trained on; the classifier is logistic regression (L2, C = 1) of at most
    ``steps`` iterations.

    Raises NetworkError for a layer that is not there or does not give a row for each sample; UsageError for labels that
    are not one a sample, a single class, and a class with a single sample.
    """
    if not layers:
        raise UsageError("name at least one layer to probe.")
    if not 0 < held_out < 1:
        raise UsageError(f"held_out should be a share above 0 and below 1, got {held_out}.")
    found = _features(module, batches, layers, places)
    truth = torch.as_tensor(labels).reshape(-1).cpu()
    count = len(found[layers[0]])
    if len(truth) != count or truth.is_floating_point():
        raise UsageError(f"expected a class for each of {count} samples, got {len(truth)} {truth.dtype} labels.")
    test = _held_out(truth, held_out, seed)
    return [_probe(layer, found[layer].double(), truth, test, steps) for layer in layers]


def _features(
    module: nn.Module, batches: Iterable[Tensor], layers: Sequence[str], places: int | None
) -> dict[str, Tensor]:
    """Returns each layer's features (N, D) by name, from one pass over the batches."""
    if places is not None and places < 1:
        raise UsageError(f"places should be at least 1 along each axis, or None for all; got {places}.")
    last = {layer: isinstance(find_layer(module, layer), _LAST) for layer in layers}
    rows: dict[str, list[Tensor]] = {layer: [] for layer in layers}
    with at_rest(module), torch.no_grad():
        for batch in batches:
            with caught(module, layers) as seen:
                module(batch.detach().clone())
            for layer in layers:
                maps = seen.activation(layer)
                if maps.dim() < 2 or len(maps) != len(batch):
                    raise NetworkError(
                        f"the layer {layer!r} gives {tuple(maps.shape)} for {len(batch)} samples, not a row for each; "
                        "name another."
                    )
                rows[layer].append(_averaged(maps.movedim(-1, 1) if last[layer] else maps, places).cpu())
    return {layer: _joined(parts, layer) for layer, parts in rows.items()}


def _averaged(maps: Tensor, places: int | None) -> Tensor:
    """Returns (B, D) for maps (B, M, ...)."""
    if maps.dim() == 2 or places is None:
        return maps.flatten(1)
    if places == 1:
        return maps.flatten(2).mean(2)
    if maps.dim() > 5:
        raise UsageError(f"maps of {maps.dim() - 2} axes are averaged whole, places=1, or not at all, places=None.")
    pool = (functional.adaptive_avg_pool1d, functional.adaptive_avg_pool2d, functional.adaptive_avg_pool3d)
    return pool[maps.dim() - 3](maps, places).flatten(1)


def _joined(parts: list[Tensor], layer: str) -> Tensor:
    if not parts:
        raise UsageError("there are no samples to probe with; give at least one batch.")
    widths = sorted({part.shape[1] for part in parts})
    if len(widths) > 1:
        raise UsageError(
            f"the layer {layer!r} gives rows of different lengths ({', '.join(map(str, widths))}), since the inputs "
            "differ in size; average them with places=1."
        )
    return torch.cat(parts)


def _held_out(truth: Tensor, share: float, seed: int) -> Tensor:
    """Returns a mask (N,) of the samples that are kept for the test, a share of each class."""
    classes, counts = torch.unique(truth, return_counts=True)
    if len(classes) < 2:
        raise UsageError("a probe tells classes apart, and all labels are one class; give samples of several.")
    if int(counts.min()) < 2:
        single = int(classes[counts.argmin()])
        raise UsageError(f"class {single} has a single sample, and one is needed to train and one to test; add some.")
    test = torch.zeros(len(truth), dtype=torch.bool)
    for each, count in zip(classes.tolist(), counts.tolist(), strict=True):
        own = torch.nonzero(truth == each).flatten()
        kept = min(max(round(count * share), 1), count - 1)
        test[own[torch.randperm(count, generator=generator(seed, "probe", each))[:kept]]] = True
    return test


def _probe(layer: str, rows: Tensor, truth: Tensor, test: Tensor, steps: int) -> Probe:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    if not rows.isfinite().all():
        raise UsageError(f"the layer {layer!r} gives values that are not finite, so nothing can be read off it.")
    mean, deviation = rows[~test].mean(0), rows[~test].std(0, correction=0)
    scaled = ((rows - mean) / torch.where(deviation > 0, deviation, 1.0)).numpy()
    known, asked = truth[~test].numpy(), truth[test].numpy()
    classifier = LogisticRegression(max_iter=steps)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # told by `converged`
        classifier.fit(scaled[~test.numpy()], known)
    most = truth[~test].mode().values
    return Probe(
        layer=layer,
        accuracy=float(classifier.score(scaled[test.numpy()], asked)),
        train_accuracy=float(classifier.score(scaled[~test.numpy()], known)),
        majority=float((truth[test] == most).double().mean()),
        size=rows.shape[1],
        trained=len(known),
        held_out=len(asked),
        converged=int(classifier.n_iter_.max()) < steps,
    )
