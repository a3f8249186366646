"""The n-gram that fires each filter of a network for text, over a data set of sentences."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn

from neocog.core.errors import NetworkError, UsageError
from neocog.core.trace import caught, find_layer
from neocog.explain.entry import entry
from neocog.explain.rest import at_rest

Decode = Callable[[int], str]
TRIED = 64  # words that are tried at a time


@dataclass(frozen=True)
class Ngram:
    """Words that a filter saw: ``value`` is what it made of them, in the ``sample`` counted over all batches.

    ``start`` is the place of the first word in the sentence; words beyond its ends, in the padding of a convolution,
    are not there.
    """

    words: tuple[str, ...]
    value: float
    sample: int
    start: int

    @property
    def text(self) -> str:
        """The words with spaces between them."""
        return " ".join(self.words)


def firing_ngrams(
    module: nn.Module,
    batches: Iterable[Tensor],
    decode: Decode | Sequence[str],
    *,
    layer: str,
    filters: Sequence[int] | None = None,
    count: int = 5,
) -> dict[int, list[Ngram]]:
    """Returns for each filter the ``count`` different n-grams with the greatest values, strongest first.

    ``batches`` are words as whole numbers (B, L), or (B, L, F) with features behind them; ``decode`` is the word of a
    number; ``layer`` gives maps (B, M, L') or (B, M, L', 1). Which words a value was made of is found by trying, so
    that layers behind others have their longer n-grams and a layer behind attention whole sentences. ``filters`` are
    those to tell of, all unless told; a filter has fewer n-grams where the data do. Of equal values the first comes
    first.

    Raises NetworkError for a layer without such maps, UsageError for filters that are not there and for no batches.
    """
    if count < 1:
        raise UsageError(f"count should be at least 1, got {count}.")
    best: dict[int, _Best] = {}
    spans: dict[int, list[tuple[int, int]]] = {}
    first = 0
    with at_rest(module), torch.no_grad():
        for tokens in batches:
            maps = _maps(module, tokens, layer)  # (B, M, P)
            length = tokens.shape[1]
            if length not in spans:
                spans[length] = spans_of(module, tokens[:1], layer)
            wanted = _wanted(filters, maps.shape[1])
            best = best or {each: _Best(count) for each in wanted}
            for each, own in best.items():
                own.add(maps[:, each], tokens if tokens.dim() == 2 else tokens[..., 0], spans[length], first)
            first += len(tokens)
    if not best:
        raise UsageError("there are no batches or no filters to look for n-grams in.")
    word = decode if callable(decode) else decode.__getitem__
    return {each: own.ngrams(word) for each, own in best.items()}


@dataclass
class _Best:
    """The strongest different n-grams so far: value, sample and start by the numbers of their words."""

    count: int
    found: dict[tuple[int, ...], tuple[float, int, int]] = field(default_factory=dict)

    def add(self, maps: Tensor, tokens: Tensor, spans: Sequence[tuple[int, int]], first: int) -> None:
        """Adds what a filter made of a batch: maps (B, P) of tokens (B, L), each place with its span of words."""
        values, order = maps.flatten().sort(descending=True, stable=True)
        seen: set[tuple[int, ...]] = set()
        for value, at in zip(values.tolist(), order.tolist(), strict=True):
            sample, place = divmod(at, maps.shape[1])
            start, end = spans[place]
            words = tuple(tokens[sample, start:end].tolist())
            if not words or words in seen:
                continue
            seen.add(words)
            if words not in self.found or value > self.found[words][0]:
                self.found[words] = (value, first + sample, start)
            if len(seen) == self.count:
                break
        strongest = sorted(self.found.items(), key=lambda item: (-item[1][0], item[1][1], item[1][2]))
        self.found = dict(strongest[: self.count])

    def ngrams(self, word: Decode) -> list[Ngram]:
        """Returns them in words, strongest first."""
        return [
            Ngram(tuple(word(number) for number in words), value, sample, start)
            for words, (value, sample, start) in self.found.items()
        ]


def _wanted(filters: Sequence[int] | None, count: int) -> Sequence[int]:
    wanted = range(count) if filters is None else filters
    strange = [each for each in wanted if not 0 <= each < count]
    if strange:
        raise UsageError(f"the layer has filters 0 to {count - 1}, got {strange[0]}.")
    return wanted


def _maps(module: nn.Module, tokens: Tensor, layer: str) -> Tensor:
    if tokens.dim() not in (2, 3) or tokens.is_floating_point():
        raise UsageError(
            f"batches should be whole numbers (B, L) or (B, L, F), got {tokens.dtype} {tuple(tokens.shape)}."
        )
    with caught(module, [layer]) as seen:
        module(tokens.clone())
    return maps_over_time(seen.activation(layer), layer)


def maps_over_time(maps: Tensor, layer: str) -> Tensor:
    """Returns maps (B, M, P) of a layer that slides over the words alone."""
    if maps.dim() == 4 and maps.shape[3] == 1:
        maps = maps[..., 0]
    if maps.dim() != 3:
        raise NetworkError(
            f"the layer {layer!r} gives {tuple(maps.shape)}; n-grams are of layers with maps (B, M, L), such as the "
            "convolutions behind the embedding."
        )
    return maps


def spans_of(module: nn.Module, tokens: Tensor, layer: str) -> list[tuple[int, int]]:
    """Returns from which word to which, the last not included, each place of a layer's maps is made.

    ``tokens`` are one sentence (1, L), or (1, L, F) with features. A word that is not a number makes everything not a
    number that is made of it, whatever stands between.
    """

    def made(run: Callable[[], Tensor]) -> Tensor:
        return maps_over_time(_until(module, layer, run), layer).isnan().any(1)  # (T, P)

    spans = []
    for depends in _dependence(module, tokens, made).T:
        words = torch.nonzero(depends).flatten().tolist()
        spans.append((words[0], words[-1] + 1) if words else (0, 0))
    return spans


def words_behind(module: nn.Module, tokens: Tensor) -> Tensor:
    """Returns which words (L,) of a sentence (1, L) or (1, L, F) the module's output is made of."""

    def made(run: Callable[[], Tensor]) -> Tensor:
        with _plain_arithmetic():
            return run().isnan().flatten(1).any(1, keepdim=True)  # (T, 1)

    with at_rest(module), torch.no_grad():
        return _dependence(module, tokens, made)[:, 0]


def _dependence(module: nn.Module, tokens: Tensor, made: Callable[[Callable[[], Tensor]], Tensor]) -> Tensor:
    """Returns for each word whether it has a part in each of what ``made`` gives of a run, (L, P)."""
    length = tokens.shape[1]
    count = min(TRIED, length)
    where = entry(module, tokens.expand(count, *tokens.shape[1:]).contiguous())
    seen: dict[int, Tensor] = {}
    for first in range(0, length, count):
        places = torch.arange(count) + min(first, length - count)  # the last ones overlap those before
        marked = where.values.clone()  # (T, E, L)
        marked[torch.arange(count), :, places] = torch.nan
        seen |= dict(zip(places.tolist(), made(partial(where.run, marked)), strict=True))
    return torch.stack([seen[place] for place in range(length)])


class _Reached(Exception):
    """The layer was reached: what comes after it is of no interest."""


def _until(module: nn.Module, layer: str, run: Callable[[], object]) -> Tensor:
    """Returns what a layer gives in a run that ends there."""
    number = int(layer.partition("@")[2] or 1)
    outputs: list[Tensor] = []

    def stop(_layer: nn.Module, _inputs: object, output: Tensor) -> None:
        outputs.append(output)
        if len(outputs) == number:
            raise _Reached

    handle = find_layer(module, layer).register_forward_hook(stop)
    try:
        with _plain_arithmetic():
            run()
    except _Reached:
        pass
    finally:
        handle.remove()
    return outputs[number - 1]


@contextmanager
def _plain_arithmetic() -> Iterator[None]:
    """Fast convolutions work on blocks, in which what is not a number could spread; none of them runs within."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of settings for other processors, which stay as they are
        off = torch.backends.mkldnn, torch.backends.cudnn, torch.backends.nnpack
        with ExitStack() as stack:
            for each in off:
                stack.enter_context(each.flags(enabled=False))
            yield
