"""Where explanations enter a network: at its input, or behind its embeddings where the input is words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from neocog.core.errors import NetworkError
from neocog.core.outputs import primary


@dataclass(frozen=True)
class Entry:
    """A network as a function of numbers that can be changed a little.

    ``values`` (B, C, ...): pictures (B, C, H, W), sound (B, C, T), or for words the embeddings (B, E, L), those of
    several tables one behind the other along E. ``run`` turns such values, of the same B, into the network's logits.
    """

    values: Tensor
    run: Callable[[Tensor], Tensor]


def entry(module: nn.Module, inputs: Tensor) -> Entry:
    """Returns where gradients for ``inputs`` are taken: floats (B, C, ...), or whole numbers (B, L) for embeddings.

    Raises NetworkError for whole numbers that no embedding of the network takes, and for inputs without a batch.
    """
    if inputs.dim() < 2 or not len(inputs):
        raise NetworkError(f"explanations take a batch of inputs (B, C, ...) or (B, L), got {tuple(inputs.shape)}.")
    if inputs.is_floating_point():
        # A clone enters the network: its first layer may work in place, which a leaf does not allow.
        return Entry(inputs.detach(), lambda values: primary(module(values.clone())))
    return _behind_embeddings(module, inputs)


def _behind_embeddings(module: nn.Module, tokens: Tensor) -> Entry:
    found: list[Tensor] = []
    with _Embeddings(module, lambda _place, output: found.append(output.detach()) or output), torch.no_grad():
        module(tokens)
    if not found or any(each.dim() != 3 for each in found):
        raise NetworkError(
            f"inputs of {tokens.dtype} are explained behind the network's nn.Embedding, and it runs none over them; "
            "give the network's float inputs."
        )
    widths = [each.shape[2] for each in found]

    def run(values: Tensor) -> Tensor:
        parts = values.transpose(1, 2).split(widths, 2)  # (B, L, E) each
        with _Embeddings(module, lambda place, _output: parts[place].clone()):
            return primary(module(tokens))

    return Entry(torch.cat(found, 2).transpose(1, 2), run)


class _Embeddings:
    """Within it ``change(place, output)`` replaces the output of each embedding, counted in the order of the calls."""

    def __init__(self, module: nn.Module, change: Callable[[int, Tensor], Tensor]) -> None:
        self._tables = [each for each in module.modules() if isinstance(each, nn.Embedding)]
        self._change = change
        self._handles: list[torch.utils.hooks.RemovableHandle] = []
        self._count = 0

    def __enter__(self) -> None:
        self._handles = [each.register_forward_hook(self._replace) for each in self._tables]

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()

    def _replace(self, _module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        self._count += 1
        return self._change(self._count - 1, output)
