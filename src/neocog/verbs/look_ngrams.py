"""The n-gram that fires each filter: in one text, with what the filter adds to a class, and over a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from neocog.core.errors import DataError, NetworkError, UnreadableInput
from neocog.core.trace import caught, find_layer
from neocog.data.dataset import DataSet
from neocog.explain.entry import derivatives, entry
from neocog.explain.layers import CONVOLUTIONS
from neocog.explain.ngrams import Ngram, firing_ngrams
from neocog.explain.rest import at_rest
from neocog.explain.target import scores
from neocog.nn.sentence_network import StrongestForEach
from neocog.verbs.look_text_result import FilterNgram
from neocog.verbs.look_words import SeenText

EACH, BATCH = 3, 64
FILTERS = (*CONVOLUTIONS, StrongestForEach)


def filter_layers(network: nn.Module, inputs: Tensor) -> tuple[str, ...]:
    """Returns the names of the filters that see the word vectors themselves, in the order in which they run.

    Where none does, it is the first that runs; a network without convolutions has none.
    """
    found: list[tuple[str, Tensor]] = []

    def note(name: str) -> Callable[[nn.Module, Any], None]:
        return lambda _layer, given: found.append((name, given[0].detach().clone()))

    handles = [
        each.register_forward_pre_hook(note(name))
        for name, each in network.named_modules()
        if isinstance(each, FILTERS)
    ]
    try:
        with torch.no_grad():
            network(inputs.clone())
    finally:
        for handle in handles:
            handle.remove()
    first = [name for name, given in found if torch.equal(given, found[0][1])]
    return tuple(dict.fromkeys(first))


def text_ngrams(network: nn.Module, seen: SeenText, layer: str, target: int) -> tuple[FilterNgram, ...]:
    """Returns for each filter of a layer the n-gram of the text that fires it, those that add most to the class first.

    Raises NetworkError for a layer without maps over the words.
    """
    found = firing_ngrams(network, [seen.inputs], str, layer=layer, count=1)
    effects = _effects(network, seen.inputs, layer, target)
    rows = [
        FilterNgram(each, seen.words_at(gram.start, len(gram.words)), gram.value, float(effects[each]))
        for each, grams in found.items()
        for gram in grams
    ]
    return tuple(sorted(rows, key=lambda row: -abs(row.effect or 0)))


def _effects(network: nn.Module, inputs: Tensor, layer: str, target: int) -> Tensor:
    """Returns the activation times its gradient, summed over the places (M,), on the CPU."""
    with at_rest(network):
        where = entry(network, inputs)
        values = where.values.clone().requires_grad_()
        with caught(network, [layer]) as seen:
            derivatives(scores(where.run(values), target), [values])
        added = seen.activation(layer).detach() * seen.gradient(layer)
    return added[0].flatten(1).sum(1).cpu()


class TextData:
    """Texts of a data set as the model reads them: at most ``samples``, spread evenly; refused ones are left out.

    ``module`` takes their inputs, and ``prefix`` stands in it before the names of the network's layers; ``seen`` is
    what the model sees of a sample, one or several texts.
    """

    def __init__(
        self,
        stored: DataSet[Any],
        seen: Callable[[Any], Sequence[SeenText]],
        samples: int,
        *,
        module: nn.Module,
        prefix: str = "",
    ) -> None:
        every = [(part, place) for part in stored.parts.values() for place in range(len(part))]
        step = max(1, -(-len(every) // samples))
        read: list[tuple[SeenText, str]] = []
        count = 0
        for part, place in every[::step]:
            try:
                read += [(each, part.items.name(place)) for each in seen(part.items.read(place))]
                count += 1
            except UnreadableInput:
                continue
        if not read:
            raise DataError(f"{stored.source}: the model can read none of its texts.")
        self._read = sorted(read, key=lambda each: each[0].inputs.shape[1])
        self._module, self._prefix = module, prefix
        taken = f"{count:,} of " if step > 1 else ""
        self.statement = f"Out of {taken}{len(every):,} texts of {stored.source}."

    @property
    def example(self) -> Tensor:
        """The inputs of one of the texts, as ``module`` takes them."""
        return self._read[0][0].inputs

    def ngrams(self, layer: str) -> tuple[FilterNgram, ...]:
        """Returns the n-grams that fire each filter of a layer most, three a filter, strongest first.

        Raises NetworkError for a layer without maps over the words.
        """
        if isinstance(find_layer(self._module, self._prefix + layer), StrongestForEach):
            raise NetworkError(
                f"the layer {layer!r} takes its maximum over a sentence for each word in turn, so that it has no "
                "n-grams of data; leave --data out for those of the sentence."
            )
        found = firing_ngrams(self._module, self._batches(), str, layer=self._prefix + layer, count=EACH)
        return tuple(self._row(each, gram) for each, grams in found.items() for gram in grams)

    def _batches(self) -> Iterator[Tensor]:
        """Yields texts of one length together, so that no padding stands between the words of any."""
        held: list[Tensor] = []
        for seen, _ in self._read:
            if held and (len(held) == BATCH or held[0].shape != seen.inputs.shape):
                yield torch.cat(held)
                held = []
            held.append(seen.inputs)
        yield torch.cat(held)

    def _row(self, number: int, gram: Ngram) -> FilterNgram:
        seen, name = self._read[gram.sample]
        return FilterNgram(number, seen.words_at(gram.start, len(gram.words)), gram.value, source=name)


def named_layers(network: nn.Module, inputs: Tensor, layer: str | None, *, prefix: str = "") -> Sequence[str]:
    """Returns the layer that was asked for, or those that see the word vectors; raises NetworkError without any.

    ``prefix`` is left out of the names that the layers have in ``network``.
    """
    found = (layer,) if layer else [name.removeprefix(prefix) for name in filter_layers(network, inputs)]
    if not found:
        raise NetworkError("the network has no convolution, so no filter that an n-gram could fire; name a layer.")
    return found
