"""Where explanations enter a network: at its input, or behind its embeddings where the input is words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import batchnorm

from neocog.core.errors import NetworkError
from neocog.core.outputs import primary
from neocog.explain.target import Target, chosen, of_classes, scores

# How many points, and numbers of points, go through a network at a time.
MOST_POINTS, MOST_NUMBERS = 16, 2**19


@dataclass(frozen=True)
class Entry:
    """A network as a function of numbers that can be changed a little.

    ``values`` (B, C, ...): pictures (B, C, H, W), sound (B, C, T), or for words the embeddings (B, E, L), those of
    several tables one behind the other along E; `columns_of` tells which. ``run`` turns such values, of the same B,
    into the network's logits; ``repeated(n)`` is the entry for n times the inputs, one batch behind the other; None
    where samples mix.
    """

    values: Tensor
    run: Callable[[Tensor], Tensor]
    repeated: Callable[[int], Entry] | None

    def slopes(self, points: Iterable[Tensor], target: Target) -> Iterator[Tensor]:
        """Yields the derivative (B, C, ...) of each sample's score at each of the points (B, C, ...), in their order.

        Small inputs go through the network several points at a time, which is what takes their time; the memory is
        bounded. A target that is a function sees the samples it was written for, one point at a time.
        """
        alone = callable(target) or self.repeated is None
        together = 1 if alone else max(1, min(MOST_POINTS, MOST_NUMBERS // max(self.values.numel(), 1)))
        waiting = iter(points)
        while some := list(islice(waiting, together)):
            count = len(some)
            told = target if callable(target) or target is None else torch.as_tensor(target).reshape(-1)
            if isinstance(told, Tensor) and len(told) > 1:
                told = told.repeat(count)
            several = self if self.repeated is None or count == 1 else self.repeated(count)
            yield from torch.split(several.slope(torch.cat(some), told), len(self.values))

    def slope(self, values: Tensor, target: Target) -> Tensor:
        """Returns the derivative (B, C, ...) of each sample's score at ``values``.

        Raises NetworkError where the network lets no gradient through to them.
        """
        at = values.clone().requires_grad_()
        (found,) = derivatives(scores(self.run(at), target), [at])
        return found

    def settled(self, target: Target) -> Target:
        """Returns the target with the predicted classes in the place of None, so that changed values keep them."""
        if target is not None:
            return target
        with torch.no_grad():
            return chosen(of_classes(self.run(self.values)), None)


def entry(module: nn.Module, inputs: Tensor) -> Entry:
    """Returns where gradients for ``inputs`` are taken: floats (B, C, ...), or whole numbers for embeddings.

    Those are words (B, L), or words with further features (B, L, F), of which each embedding looks up one column.
    Raises NetworkError for whole numbers that no embedding of the network takes, for inputs without a batch, and for
    several samples where batch norm without running statistics would mix them.
    """
    if inputs.dim() < 2 or not len(inputs):
        raise NetworkError(f"explanations take a batch of inputs (B, C, ...) or (B, L), got {tuple(inputs.shape)}.")
    mixing = mixing_layer(module)
    if mixing is not None and len(inputs) > 1:
        raise NetworkError(
            f"{mixing} (batch norm without running statistics) mixes the {len(inputs)} samples of the batch; "
            "explain them one at a time."
        )

    def again(times: int) -> Entry:
        return entry(module, inputs.repeat(times, *(1,) * (inputs.dim() - 1)))

    if inputs.is_floating_point():
        # A clone enters the network: its first layer may work in place, which a leaf does not allow.
        return Entry(inputs.detach(), lambda values: _logits(module(values.clone())), None if mixing else again)
    return _behind_embeddings(module, inputs, None if mixing else again)


def derivatives(roots: Tensor, leaves: Sequence[Tensor], weights: Tensor | None = None) -> tuple[Tensor, ...]:
    """Returns the derivatives of the roots' sum, weighted if told, at each leaf; zeros where none leads there.

    Raises NetworkError where no gradient leads from the roots to anything, or the network overwrote what it needs.
    """
    refuse_cut(roots)
    start = torch.ones_like(roots) if weights is None else weights
    try:
        found = torch.autograd.grad(roots, leaves, start, allow_unused=True)
    except RuntimeError as error:
        if "inplace operation" not in str(error):
            raise
        raise NetworkError(
            "the network writes over an activation that its gradient needs; make that operation one that is not in "
            "place, or choose occlusion."
        ) from error
    return tuple(
        torch.zeros_like(leaf, requires_grad=False) if each is None else each.detach()
        for leaf, each in zip(leaves, found, strict=True)
    )


def refuse_cut(score: Tensor) -> None:
    """Raises NetworkError for a score that no gradient leads back from."""
    if not score.requires_grad:
        raise NetworkError(
            "no gradient leads from the score back to the input: the network cuts it (detach, torch.no_grad, a choice "
            "by argmax); remove that, or choose occlusion."
        )


def _logits(outputs: Any) -> Tensor:
    logits = primary(outputs)
    if not isinstance(logits, Tensor):
        raise NetworkError(
            f"a network that is explained returns logits (B, K), or a tuple that begins with them; this one returns "
            f"{type(outputs).__name__}."
        )
    return logits


def mixing_layer(module: nn.Module) -> str | None:
    """Returns the name of a layer that makes a sample's answer depend on the others of its batch."""
    for name, each in module.named_modules():
        if isinstance(each, batchnorm._BatchNorm) and each.running_mean is None:
            return str(name) or type(each).__name__
    return None


def _behind_embeddings(module: nn.Module, tokens: Tensor, again: Callable[[int], Entry] | None) -> Entry:
    calls = _Embeddings.calls_of(module, tokens)
    columns = _columns(tokens)
    entries = [place for place, (asked, _) in enumerate(calls) if _among(asked, columns)]
    if not entries:
        raise NetworkError(
            f"inputs of {tokens.dtype} are explained behind the network's nn.Embedding, and it looks none of them up; "
            "give the network's float inputs."
        )
    _refuse_derived(module, tokens, calls)
    found = [calls[place][1] for place in entries]  # (B, L, E) each
    widths = [each.shape[2] for each in found]

    def run(values: Tensor) -> Tensor:
        parts = dict(zip(entries, torch.split(values.transpose(1, 2), widths, 2), strict=True))  # (B, L, E) each
        with _Embeddings(module, lambda place, _asked, output: parts[place].clone() if place in parts else output):
            return _logits(module(tokens))

    return Entry(torch.cat(found, 2).transpose(1, 2), run, again)


def _refuse_derived(module: nn.Module, tokens: Tensor, calls: list[tuple[Tensor, Tensor]]) -> None:
    """Other look-ups may be of places, which are the same for all words, and not of numbers made of the words."""
    columns = _columns(tokens)
    if all(_among(asked, columns) for asked, _ in calls):
        return
    others = _Embeddings.calls_of(module, torch.zeros_like(tokens) if tokens.any() else torch.ones_like(tokens))
    for (asked, _), (again, _) in zip(calls, others, strict=False):
        if not _among(asked, columns) and not _equal(asked, again):
            raise NetworkError(
                "one of the network's embeddings looks up numbers that are made of its inputs and are not them, so "
                "the words' part in it cannot be told; give it what it looks up."
            )


def columns_of(module: nn.Module, tokens: Tensor) -> tuple[tuple[int, int], ...]:
    """Returns for each table behind which `entry` takes words (B, L, F) the column that it looks up, and its width.

    They are in the order of the entry's values, whose E is the sum of the widths.
    """
    length = tokens.shape[1]
    found: dict[int, tuple[int, int]] = {}
    for column in range(tokens.shape[2]):
        # Columns may hold the same numbers by chance. A second copy of the words, in which this column alone has other
        # numbers (0 or 1, which every table has), tells it from all others.
        twice = tokens.repeat(1, 2, 1)
        twice[:, length:, column] = (tokens[..., column] != 1).to(tokens.dtype)
        for place, (asked, made) in enumerate(_Embeddings.calls_of(module, twice)):
            if _equal(asked, twice[..., column]):
                found[place] = (column, made.shape[2])
    return tuple(found[place] for place in sorted(found))


def _columns(tokens: Tensor) -> tuple[Tensor, ...]:
    """Returns what an embedding may look up, (B, L) each."""
    return tokens.unbind(-1) if tokens.dim() == 3 else (tokens,)


def _among(asked: Tensor, columns: tuple[Tensor, ...]) -> bool:
    return any(_equal(asked, each) for each in columns)


def _equal(first: Tensor, second: Tensor) -> bool:
    return first.shape == second.shape and bool((first == second).all())


class _Embeddings:
    """Within it ``change(place, indices, output)`` replaces each embedding's output, counted in the calls' order."""

    def __init__(self, module: nn.Module, change: Callable[[int, Tensor, Tensor], Tensor]) -> None:
        self._tables = [each for each in module.modules() if isinstance(each, nn.Embedding)]
        self._change = change
        self._handles: list[torch.utils.hooks.RemovableHandle] = []
        self._count = 0

    @classmethod
    def calls_of(cls, module: nn.Module, tokens: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Returns what was looked up and what was found, of each call of an embedding in one pass."""
        calls: list[tuple[Tensor, Tensor]] = []

        def note(_place: int, asked: Tensor, output: Tensor) -> Tensor:
            # Copies: the network may go on in place.
            calls.append((asked.detach().clone(), output.detach().clone()))
            return output

        watching = cls(module, note)
        if watching._tables:  # without one, a network for floats would fail on whole numbers in words of its own
            with watching, torch.no_grad():
                module(tokens)
        return calls

    def __enter__(self) -> None:
        # In front of other hooks, so that those who watch an embedding see what the network goes on with.
        for each in self._tables:
            self._handles.append(each.register_forward_hook(self._replace, prepend=True, with_kwargs=True))

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()

    def _replace(self, _module: nn.Module, inputs: Any, keywords: Any, output: Tensor) -> Tensor:
        self._count += 1
        return self._change(self._count - 1, inputs[0] if inputs else keywords["input"], output)
