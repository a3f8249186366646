"""Convolution over word vectors and the maximum over time in one step, at the cost of the different words alone.

A filter's answer at a place is the sum of what each of its columns gives for the word there. A batch of sentences has
a few hundred different words, most of them many times: each column is multiplied with each different word once, the
places only add up. Backwards the gradient comes from the places of the maxima alone, and goes to those words alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

TOGETHER = 64  # sentences whose answers are in the cache together


def strongest_answers(tokens: Tensor, tables: Sequence[nn.Embedding], filters: Sequence[nn.Conv1d]) -> Tensor:
    """Returns the largest answer of each filter over all places (B, sum of the filters' maps).

    Tokens (B, L) are looked up in each table and the vectors summed; row 0 of a table gets no gradient, as its
    ``padding_idx`` says; a table whose ``sparse`` is set gets its gradient by rows. The value and the gradients are
    those of ``max over L of conv1d``; of equal answers the first counts. Without gradients the more sentences come at
    once the cheaper is each, sentences of similar length beside each other.
    """
    if not torch.is_grad_enabled():
        with torch.autocast(tokens.device.type, enabled=False):
            return _answers(tokens, tables, filters)
    weights = [tensor for each in filters for tensor in (each.weight, each.bias)]
    sparse = tuple(each.sparse for each in tables)
    made: Tensor = _StrongestAnswers.apply(tokens, sparse, *(each.weight for each in tables), *weights)  # type: ignore[no-untyped-call]
    return made


def _answers(tokens: Tensor, tables: Sequence[nn.Embedding], filters: Sequence[nn.Conv1d]) -> Tensor:
    """Returns what `strongest_answers` does, without what gradients need of it."""
    different, places = torch.unique(tokens, return_inverse=True)  # (U,), (B, L)
    vectors = _vectors(different, [each.weight for each in tables])
    pieces = _pieces(tokens, places, max(each.kernel_size[0] for each in filters))
    made = tokens.new_empty(len(tokens), sum(each.out_channels for each in filters), dtype=vectors.dtype)
    first = 0
    for each in filters:
        answers = (vectors @ _columns(each.weight)).view(-1, each.out_channels)  # once for all pieces
        found = [_at_places(answers, piece, each.kernel_size[0]).amax(1) for piece in pieces]
        assert each.bias is not None
        made[:, first : first + each.out_channels] = torch.cat(found) + each.bias
        first += each.out_channels
    return made


def _pieces(tokens: Tensor, places: Tensor, width: int) -> list[Tensor]:
    """Returns ``places`` (B, L) by rows, as many as the cache holds, each piece without superfluous padding.

    Behind the last token of all its rows come windows of nothing but padding, whose answers are equal: one is enough.
    """
    pieces = []
    for some, piece in zip(torch.split(tokens, TOGETHER), torch.split(places, TOGETHER), strict=True):
        filled = some.any(0).nonzero()
        end = int(filled[-1]) + 1 if len(filled) else 1
        pieces.append(piece[:, : end + width])
    return pieces


def _vectors(different: Tensor, tables: Sequence[Tensor]) -> Tensor:
    """Returns the vectors (U, E) of tokens (U,), summed over the tables."""
    return torch.stack([each[different] for each in tables]).sum(0) if tables[1:] else tables[0][different]


class _StrongestAnswers(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tokens: Tensor, sparse: tuple[bool, ...], *parameters: Tensor) -> Tensor:
        tables, weights = parameters[: len(sparse)], parameters[len(sparse) :: 2]
        biases = parameters[len(sparse) + 1 :: 2]
        with torch.autocast(tokens.device.type, enabled=False):
            different, places = torch.unique(tokens, return_inverse=True)  # (U,), (B, L)
            vectors = _vectors(different, tables)
            answers, strongest = [], []
            for weight, bias in zip(weights, biases, strict=True):
                found, at = _slide(vectors, places, weight)
                answers.append(found + bias)
                strongest.append(at)
        ctx.save_for_backward(different, places, vectors, *weights, *strongest)
        ctx.sparse, ctx.rows = sparse, [len(each) for each in tables]
        return torch.cat(answers, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        different, places, vectors, *others = ctx.saved_tensors
        weights, strongest = others[: len(others) // 2], others[len(others) // 2 :]
        by_vector = torch.zeros_like(vectors)
        of_filters: list[Tensor | None] = []
        pieces = torch.split(gradient, [len(weight) for weight in weights], 1)
        for piece, weight, at in zip(pieces, weights, strongest, strict=True):
            columns = _columns(weight)  # (E, K M)
            spread = _spread(piece, places, at, weight, len(different))  # (U, K M)
            if any(ctx.needs_input_grad[2 : 2 + len(ctx.sparse)]):
                by_vector.addmm_(spread, columns.t())
            maps, _, width = weight.shape
            of_filters += [(vectors.t() @ spread).view(-1, width, maps).permute(2, 0, 1), piece.sum(0)]
        first = len(ctx.sparse)
        of_tables = [
            _rows(different, by_vector, rows, sparse=sparse) if ctx.needs_input_grad[2 + place] else None
            for place, (rows, sparse) in enumerate(zip(ctx.rows, ctx.sparse, strict=True))
        ]
        needed = ctx.needs_input_grad[2 + first :]
        return None, None, *of_tables, *(each if use else None for each, use in zip(of_filters, needed, strict=True))


def _columns(weight: Tensor) -> Tensor:
    """Returns filters (M, E, K) as the matrix (E, K M) that a vector is multiplied with: column after column."""
    return weight.permute(1, 2, 0).reshape(weight.shape[1], -1)


def _slide(vectors: Tensor, places: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the largest answers (B, M) without bias, and where they are."""
    answers = (vectors @ _columns(weight)).view(-1, len(weight))  # (U K, M): of each word to each column
    return _at_places(answers, places, weight.shape[2]).max(1)


def _at_places(answers: Tensor, places: Tensor, width: int) -> Tensor:
    """Returns the answers (B, L - K + 1, M) at each place: those of its words to the columns (U K, M), summed."""
    bags = (places * width).unfold(1, width, 1) + torch.arange(width, device=places.device)  # (B, L - K + 1, K)
    batch, count, _ = bags.shape
    return functional.embedding_bag(bags.reshape(-1, width), answers, mode="sum").view(batch, count, answers.shape[1])


def _spread(gradient: Tensor, places: Tensor, at: Tensor, weight: Tensor, words: int) -> Tensor:
    """Returns the gradient (U, K M) of each word's answer to each column: zero but where a maximum came from it."""
    maps, _, width = weight.shape
    columns = torch.arange(width, device=at.device)
    chosen = places.gather(1, (at.unsqueeze(2) + columns).flatten(1)).view(*at.shape, width)  # (B, M, K)
    index = chosen * (width * maps) + columns * maps + torch.arange(maps, device=at.device).unsqueeze(1)
    spread = gradient.new_zeros(words * width * maps)
    spread.scatter_add_(0, index.flatten(), gradient.unsqueeze(2).expand(-1, -1, width).flatten())
    return spread.view(words, width * maps)


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
