"""Which words of a sentence moved each filter's part of a score: behind a window, a maximum over time, or pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from neocog.core.errors import NetworkError
from neocog.core.trace import caught, find_layer
from neocog.explain.entry import derivatives, entry
from neocog.explain.ngrams import maps_over_time, spans_of
from neocog.explain.rest import at_rest
from neocog.explain.target import scores
from neocog.nn.sentence_network import StrongestForEach
from neocog.verbs.look_kind import Question
from neocog.verbs.look_text_result import FilterNgram

# The name of a piece of a sentence and which of its words (n,) are in it.
Piece = tuple[str, Tensor]


def placed_ngrams(
    question: Question, network: nn.Module, layer: str, target: int, pieces: Sequence[Piece] = ()
) -> tuple[FilterNgram, ...]:
    """Returns for each filter of a layer of ``network`` the words whose answer moves the score, the most first.

    Where that are several, as behind no maximum over time, it is those that move it most; with ``pieces`` in each piece
    of the sentence. A filter that adds nothing has no row.

    Raises NetworkError for a layer without maps over the words.
    """
    if isinstance(find_layer(network, layer), StrongestForEach):
        rows = _picked(question, network, layer, target)
    else:
        rows = _slid(question, network, layer, target, pieces)
    return tuple(sorted(rows, key=lambda row: -abs(row.effect or 0)))


def _slid(
    question: Question, network: nn.Module, layer: str, target: int, pieces: Sequence[Piece]
) -> list[FilterNgram]:
    """Returns the rows of a layer that slides over the words."""
    with at_rest(question.module):
        where = entry(question.module, question.seen.inputs)
        values = where.values.clone().requires_grad_()
        with caught(network, [layer]) as seen:
            derivatives(scores(where.run(values), target), [values])
        maps = maps_over_time(seen.activation(layer).detach(), layer)[0].cpu()  # (M, P)
        slopes = maps_over_time(seen.gradient(layer), layer)[0].cpu()
        spans = spans_of(question.module, question.seen.inputs, question.prefix + layer)
    effects = maps * slopes
    rows = []
    for name, among in _groups(pieces, spans, len(question.seen.tokens)):
        strength = effects.abs() * among  # (M, P)
        for each in torch.nonzero(strength.any(1)).flatten().tolist():
            place = int(strength[each].argmax())
            start, end = spans[place]
            words = question.seen.words_at(start, end - start)
            value, effect = float(maps[each, place]), float(effects[each, place])
            rows.append(FilterNgram(each, words, value, effect, piece=name))
    return rows


def _groups(pieces: Sequence[Piece], spans: Sequence[tuple[int, int]], length: int) -> list[Piece]:
    """Returns the pieces over the places of the maps (P,): each place is in the piece of the word in its middle."""
    if not pieces:
        return [("", torch.ones(len(spans), dtype=torch.bool))]
    # A filter that sees beyond an end has its middle nearer to it than the words that are there.
    same = len(spans) == length
    middles = [place if same else (start + max(end, start + 1) - 1) // 2 for place, (start, end) in enumerate(spans)]
    return [(name, among.cpu()[middles]) for name, among in pieces]


def _picked(question: Question, network: nn.Module, layer: str, target: int) -> list[FilterNgram]:
    """Returns the rows of a layer that has taken the maximum over time already: whence each came, for the word."""
    if question.word is None:
        raise NetworkError(f"the layer {layer!r} picks words for each word in turn; ask about one of them.")
    place = question.word - question.start
    with at_rest(question.module):
        where = entry(question.module, question.seen.inputs)
        values = where.values.clone().requires_grad_()
        with caught(network, [layer]) as seen:
            derivatives(scores(where.run(values), target), [values])
        slopes = _at(seen.gradient(layer), place)  # (M,)
        answers = _at(_output(find_layer(network, layer), lambda: where.run(values)), place)
        each = torch.eye(len(answers)).to(answers)
        (by_filter,) = torch.autograd.grad(answers, values, each, is_grads_batched=True)  # (M, 1, E, L)
    answers = answers.detach()
    depends = (by_filter[:, 0] != 0).any(1).cpu()  # (M, L)
    rows = []
    effects = answers * slopes
    for number in torch.nonzero(effects).flatten().tolist():
        words = torch.nonzero(depends[number]).flatten().tolist()
        if words:
            gram = question.seen.words_at(words[0], words[-1] - words[0] + 1)
            rows.append(FilterNgram(number, gram, float(answers[number]), float(effects[number])))
    return rows


def _at(answers: Tensor, place: int) -> Tensor:
    """Returns the answers (M,) for a word, of all words (1, L, M) or of it alone (1, 1, M)."""
    return answers[0, place if answers.shape[1] > 1 else 0]


def _output(layer: nn.Module, run: Callable[[], object]) -> Tensor:
    """Returns what a layer gives in a run, without hooks that look at its gradient: many are taken at once."""
    found: list[Tensor] = []
    handle = layer.register_forward_hook(lambda _layer, _inputs, output: found.append(output))
    try:
        run()
    finally:
        handle.remove()
    return found[0]
