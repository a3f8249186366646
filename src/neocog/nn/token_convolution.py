"""Convolution over word vectors and the maximum over time in one step, at the cost of the different words alone.

A filter's answer at a place is the sum of what each of its columns gives for the word there. A batch of sentences has
a few hundred different words, most of them many times: each column is multiplied with each different word once, the
places only add up. Backwards the gradient comes from the places of the maxima alone, and goes to those words alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

TOGETHER = 64  # sentences whose answers are in the cache together


def strongest_answers(tokens: Tensor, tables: Sequence[nn.Embedding], filters: Sequence[nn.Conv1d]) -> Tensor:
    """Returns the largest answer of each filter over all places (B, sum of the filters' maps).

    Tokens (B, L) are looked up in each table and the vectors summed; row 0 of a table gets no gradient, as its
    ``padding_idx`` says; a table whose ``sparse`` is set gets its gradient by rows. All ``filters`` have equally many
    maps. The value and the gradients are those of ``max over L of conv1d``; of equal answers the first counts. Without
    gradients the more sentences come at once the cheaper is each, sentences of similar length beside each other.
    """
    weights, biases = [each.weight for each in filters], [each.bias for each in filters]
    with torch.autocast(tokens.device.type, enabled=False):
        if not torch.is_grad_enabled():
            return _inferred(tokens, [each.weight for each in tables], weights) + torch.cat(biases)  # type: ignore[arg-type]
        sparse = tuple(each.sparse for each in tables)
        made: Tensor = _Strongest.apply(tokens, sparse, *(each.weight for each in tables), *weights)  # type: ignore[no-untyped-call]
        return made + torch.cat(biases)  # type: ignore[arg-type]


class _Slots(NamedTuple):
    """The columns of all filters one after the other: how many they are, the maps of each, each filter's first."""

    total: int
    maps: int
    widths: tuple[int, ...]

    @property
    def firsts(self) -> list[int]:
        return [sum(self.widths[:place]) for place in range(len(self.widths))]

    def filters(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Returns for each slot (S,) which filter it belongs to, and which column of it it is."""
        pairs = [(place, column) for place, width in enumerate(self.widths) for column in range(width)]
        which, columns = torch.tensor(pairs, device=device).unbind(1)
        return which, columns


def _slots(weights: Sequence[Tensor]) -> _Slots:
    widths = tuple(weight.shape[2] for weight in weights)
    return _Slots(sum(widths), len(weights[0]), widths)


def _inferred(tokens: Tensor, tables: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    """Returns the largest answers (B, F M) without bias and without what gradients need."""
    slots = _slots(weights)
    different, places = torch.unique(tokens, return_inverse=True)  # (U,), (B, L)
    answers = (_vectors(different, tables) @ _columns(weights)).view(-1, slots.maps)  # (U S, M), once for all pieces
    pieces = [
        torch.cat([each.amax(1) for each in _at_places(answers, piece, slots)], 1)
        for piece in _pieces(tokens, places, max(slots.widths))
    ]
    return torch.cat(pieces)


def _pieces(tokens: Tensor, places: Tensor, width: int) -> Iterator[Tensor]:
    """Yields ``places`` (B, L) by rows, as many as the cache holds, each piece without superfluous padding.

    Behind the last token of all its rows come windows of nothing but padding, whose answers are equal: one is enough.
    """
    for some, piece in zip(torch.split(tokens, TOGETHER), torch.split(places, TOGETHER), strict=True):
        filled = some.any(0).nonzero()
        end = int(filled[-1]) + 1 if len(filled) else 1
        yield piece[:, : end + width]


def _vectors(different: Tensor, tables: Sequence[Tensor]) -> Tensor:
    """Returns the vectors (U, E) of tokens (U,), summed over the tables."""
    first, *others = (each.index_select(0, different) for each in tables)
    return torch.stack([first, *others]).sum(0) if others else first


def _columns(weights: Sequence[Tensor]) -> Tensor:
    """Returns filters (M, E, K) as the matrix (E, S M) that a vector is multiplied with: column after column."""
    return torch.cat([weight.permute(1, 2, 0).flatten(1) for weight in weights], 1)


def _at_places(answers: Tensor, places: Tensor, slots: _Slots) -> Iterator[Tensor]:
    """Yields each filter's answers (B, L - K + 1, M): those of its words to its columns (U S, M), summed."""
    rows = places * slots.total
    for first, width in zip(slots.firsts, slots.widths, strict=True):
        bags = rows.unfold(1, width, 1) + torch.arange(first, first + width, device=rows.device)  # (B, L - K + 1, K)
        batch, count, _ = bags.shape
        yield functional.embedding_bag(bags.reshape(-1, width), answers, mode="sum").view(batch, count, slots.maps)


def _largest(answers: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the largest of answers (B, P, M) over the places (B, M), and the first place that has it.

    It is `Tensor.max`, several times as fast: pooling goes along the maps, which lie side by side in memory.
    """
    batch, places, maps = answers.shape
    picture = answers.as_strided((batch, maps, places, 1), (places * maps, 1, maps, maps))
    largest, at = functional.max_pool2d(picture, (places, 1), return_indices=True)
    return largest.view(batch, maps), at.view(batch, maps)


class _Strongest(torch.autograd.Function):
    """The largest answers (B, F M) without bias."""

    @staticmethod
    def forward(ctx: Any, tokens: Tensor, sparse: tuple[bool, ...], *parameters: Tensor) -> Tensor:
        tables, weights = parameters[: len(sparse)], parameters[len(sparse) :]
        slots, columns = _slots(weights), _columns(weights)
        different, places = torch.unique(tokens, return_inverse=True)  # (U,), (B, L)
        vectors = _vectors(different, tables)
        answers = (vectors @ columns).view(-1, slots.maps)  # (U S, M): of each word to each column
        largest, at = zip(*map(_largest, _at_places(answers, places, slots)), strict=True)
        ctx.save_for_backward(different, places, vectors, columns, torch.stack(at, 2))
        ctx.sparse, ctx.rows, ctx.slots = sparse, [len(each) for each in tables], slots
        return torch.cat(largest, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        different, places, vectors, columns, at = ctx.saved_tensors
        slots, first = ctx.slots, 2 + len(ctx.sparse)
        words, pulled = _chosen(gradient, places, at, slots)  # (B, M, S), (B, M, S)
        of_tables: list[Tensor | None] = [None] * len(ctx.sparse)
        if any(ctx.needs_input_grad[2:first]):
            by_vector = _spread(words, pulled, len(different)) @ columns.t()
            of_tables = [
                _rows(different, by_vector, rows, sparse=sparse) if ctx.needs_input_grad[2 + place] else None
                for place, (rows, sparse) in enumerate(zip(ctx.rows, ctx.sparse, strict=True))
            ]
        if not any(ctx.needs_input_grad[first:]):
            return None, None, *of_tables, *(None for _ in slots.widths)
        of_columns = torch.split(_weighed(words, pulled, vectors), slots.widths)  # (K, M, E) each
        return None, None, *of_tables, *(each.permute(1, 2, 0) for each in of_columns)


def _chosen(gradient: Tensor, places: Tensor, at: Tensor, slots: _Slots) -> tuple[Tensor, Tensor]:
    """Returns the word that each column saw where its filter was largest, and its gradient: both (B, M, S).

    ``at`` (B, M, F) are the places of the maxima whose gradient is (B, F M).
    """
    which, columns = slots.filters(at.device)  # (S,), (S,)
    seen = at.index_select(2, which).add_(columns)
    words = places.gather(1, seen.flatten(1)).view_as(seen)
    by_filter = gradient.reshape(len(gradient), len(slots.widths), slots.maps).transpose(1, 2)  # (B, M, F)
    return words, by_filter.index_select(2, which)


def _spread(words: Tensor, pulled: Tensor, count: int) -> Tensor:
    """Returns the gradient (U, S M) of each word's answer to each column: zero but where a maximum came from it."""
    _, maps, slots = words.shape
    columns = torch.arange(slots, device=words.device) * maps + torch.arange(maps, device=words.device).unsqueeze(1)
    index = (words * (slots * maps)).add_(columns)
    spread = pulled.new_zeros(count * slots * maps)
    return spread.scatter_add_(0, index.flatten(), pulled.flatten()).view(count, slots * maps)


def _weighed(words: Tensor, pulled: Tensor, vectors: Tensor) -> Tensor:
    """Returns the gradient (S, M, E) of the columns: the vectors of the words that they saw, times their gradients.

    A batch has fewer sentences than different words, so this is cheaper than the product with `_spread`.
    """
    batch, maps, slots = words.shape
    if not batch:
        return vectors.new_zeros(slots, maps, vectors.shape[1])
    seen, weights = (each.permute(2, 1, 0).reshape(slots * maps, batch) for each in (words, pulled))
    added = functional.embedding_bag(seen, vectors, mode="sum", per_sample_weights=weights)
    return added.view(slots, maps, vectors.shape[1])


def _rows(different: Tensor, gradient: Tensor, rows: int, *, sparse: bool) -> Tensor:
    """Returns the gradient of a table (V, E), none for its row 0: by rows, or as a whole."""
    own = different != 0
    different, gradient = different[own], gradient[own]
    size = (rows, gradient.shape[1])
    if sparse:
        return torch.sparse_coo_tensor(
            different.unsqueeze(0), gradient, size, is_coalesced=True, check_invariants=False
        )
    return gradient.new_zeros(size).index_copy_(0, different, gradient)
