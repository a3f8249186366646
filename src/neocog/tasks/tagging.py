"""The task of tagging: the words of a sentence in, a tag for each of them out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from neocog.core.errors import NetworkError
from neocog.core.spans import scheme_of
from neocog.core.task import Batch
from neocog.data.tag_source import PADDING
from neocog.nn.crf import Constraints, LinearChainCRF
from neocog.tasks.tag_metrics import TaggedWords, metrics

NAME = "tagging"


class Tagged(NamedTuple):
    """A network's answers for a batch: ``tags`` (B, L) its best, ``chances`` (B, L) their probabilities, by marginals.

    ``scores`` (B, L, K) are the network's own; `PADDING` and zeros stand behind a sentence's end.
    """

    tags: Tensor
    chances: Tensor
    scores: Tensor


class Judged(NamedTuple):
    """A network's best tags (B, L) for a batch, and minus the log-likelihood (B,) of each sentence's true tags."""

    tags: Tensor
    losses: Tensor


@dataclass(frozen=True)
class Tagging:
    """`core.task.Task` for tags: batches hold int64 (B, L, features), and targets (B, L) with `PADDING` behind the end.

    A network with a ``crf`` learns the likelihood of whole sentences (Collobert et al. 2011, equation 13), one without
    that of each word (equation 12); both losses are the mean over sentences. ``allowed`` is what the tags' scheme
    allows, None for tags that are no spans.
    """

    classes: tuple[str, ...]
    selects_by: str
    allowed: Constraints | None = None
    name: str = NAME

    def prepare(self, batch: Batch, generator: torch.Generator | None) -> Batch:
        """Returns the batch as it is."""
        del generator
        return batch

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Returns the mean negative log-likelihood of a batch's sentences."""
        scores = network(batch.inputs).float()
        total = negative_log_likelihood(network, scores, batch.targets)
        return total / max(len(batch), 1)

    def outputs(self, network: nn.Module, batch: Batch) -> Judged:
        """Returns the best tags of a batch, and what its true ones cost: the loss of training, sentence by sentence."""
        if not isinstance(batch.inputs, Tensor):
            raise TypeError(f"expected one tensor of tokens, got {len(batch.inputs)}")
        scores = network(batch.inputs).float()
        transitions = _transitions(network, scores)
        tags = transitions.decode(scores, batch.inputs[:, :, 0] != 0, self.allowed).tags
        return Judged(tags, -transitions(scores, batch.targets, batch.targets != PADDING).detach())

    def meter(self) -> TaggingMeter:
        """Returns an empty meter."""
        return TaggingMeter(self.classes)


def negative_log_likelihood(network: nn.Module, scores: Tensor, targets: Tensor) -> Tensor:
    """Returns minus the log-likelihood of tags (B, L) under scores (B, L, K), summed over all sentences."""
    crf = crf_of(network)
    if crf is not None:
        likelihood: Tensor = crf(scores, targets, targets != PADDING)
        return -likelihood.sum()
    return functional.cross_entropy(scores.flatten(0, 1), targets.flatten(), ignore_index=PADDING, reduction="sum")


def answers(network: nn.Module, tokens: Tensor, allowed: Constraints | None) -> Tagged:
    """Returns the best tags of sentences (B, L, features), among those that are allowed, and how probable each is."""
    inside = tokens[:, :, 0] != 0
    scores = network(tokens).float()
    transitions = _transitions(network, scores)
    tags = transitions.decode(scores, inside, allowed).tags
    chances = transitions.marginals(scores, inside).gather(2, tags.clamp_min(0).unsqueeze(2)).squeeze(2)
    return Tagged(tags, chances.masked_fill(~inside, 0), scores)


def _transitions(network: nn.Module, scores: Tensor) -> LinearChainCRF:
    """Returns the network's scores of transitions; of a network without them some that weigh nothing."""
    crf = crf_of(network)
    return LinearChainCRF(scores.shape[2]).to(scores.device) if crf is None else crf


def crf_of(network: nn.Module) -> LinearChainCRF | None:
    """Returns the network's scores of transitions; raises NetworkError for a network that is not a tagger."""
    if not hasattr(network, "crf"):
        raise NetworkError(f"{type(network).__name__} is no tagger: it has no attribute crf (None where none is)")
    crf = network.crf
    assert crf is None or isinstance(crf, LinearChainCRF)
    return crf


class TaggingMeter:
    """Gathers tags over a part; `core.task.Meter` for tagging."""

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = tuple(classes)
        self._gathered: list[tuple[Tensor, ...]] = []

    def update(self, outputs: Judged, batch: Batch) -> None:
        """Takes in the answers for a batch whose targets are (B, L)."""
        inside = batch.targets != PADDING
        columns = (batch.indices, inside.sum(1), outputs.losses, outputs.tags[inside], batch.targets[inside])
        self._gathered.append(columns)

    def state(self) -> Any:
        """Returns sentences' places, lengths and losses (N,), and of all words (W,) answers and truths."""
        if not self._gathered:
            whole = torch.empty(0, dtype=torch.int64)
            return whole, whole, torch.empty(0), whole, whole
        return tuple(torch.cat(column).cpu() for column in zip(*self._gathered, strict=True))

    def merge(self, states: list[Any]) -> None:
        """Replaces what was gathered by the union of all processes' states, each sentence once."""
        rows: dict[int, tuple[Tensor, ...]] = {}
        for indices, lengths, losses, *words in states:
            pieces = [torch.split(each, lengths.tolist()) for each in words]
            for place, index in enumerate(indices.tolist()):
                rows[index] = (
                    *(column[place : place + 1] for column in (indices, lengths, losses)),
                    *(p[place] for p in pieces),
                )
        self._gathered = [rows[index] for index in sorted(rows)]

    def compute(self) -> Mapping[str, float]:
        """Returns the metrics of `neocog.tasks.tag_metrics.metrics`, and ``loss``, the mean over sentences."""
        _, lengths, losses, answered, truth = self.state()
        words = TaggedWords(
            self.classes,
            lengths.numpy(),
            truth.numpy(),
            answered.numpy(),
            spans_are_tagged=scheme_of([self.classes]) is not None,
        )
        return {**metrics(words), "loss": float(losses.double().mean()) if len(losses) else float("nan")}
