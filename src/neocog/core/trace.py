"""Named activations: what any layer of any network makes of an input, caught as it leaves the layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from neocog.core.errors import NetworkError, UsageError, near_names


class Caught:
    """What the watched layers gave, filled while the network runs; ask for it after the run."""

    def __init__(self) -> None:
        self._calls: dict[str, list[Tensor]] = {}
        self._gradients: dict[str, dict[int, Tensor]] = {}

    def activation(self, layer: str) -> Tensor:
        """Returns the layer's output as it left the layer, part of the autograd graph where the run was.

        Raises NetworkError for a layer that did not run, or that ran several times and ``layer`` does not say which.
        """
        return self._calls[_name(layer)][self._call(layer)]

    def gradient(self, layer: str) -> Tensor:
        """Returns the gradient at the layer's output that the last backward pass brought, zeros where none came."""
        call = self._call(layer)
        found = self._gradients[_name(layer)].get(call)
        return torch.zeros_like(self._calls[_name(layer)][call], requires_grad=False) if found is None else found

    def _call(self, layer: str) -> int:
        name, asked = _name(layer), _asked(layer)
        count = len(self._calls[name])
        if count == 0:
            raise NetworkError(f"the network does not run its layer {name!r}, or it gives no tensor; name another.")
        if asked is None and count > 1:
            raise NetworkError(
                f"the layer {name!r} runs {count} times in one pass; say which with {name}@1 to {name}@{count}."
            )
        if asked is not None and not 1 <= asked <= count:
            raise NetworkError(f"the layer {name!r} runs {count} times in one pass; there is no {layer!r}.")
        return 0 if asked is None else asked - 1

    def _watch(self, name: str) -> None:
        self._calls[name], self._gradients[name] = [], {}

    def _note(self, name: str, output: Any) -> None:
        if not isinstance(output, Tensor):
            return
        call = len(self._calls[name])
        # A copy: the next layer may overwrite the output in its place (`relu_`). A hook that is registered now gets the
        # gradient of the value that the tensor has now, whatever is written over it later.
        self._calls[name].append(output.clone())
        if output.requires_grad:
            # The hook holds the gradients alone: one that held the activations too would keep its own graph alive.
            gradients = self._gradients[name]
            output.register_hook(lambda gradient: gradients.__setitem__(call, gradient.detach()))  # type: ignore[no-untyped-call]


@contextmanager
def caught(network: nn.Module, layers: Iterable[str]) -> Iterator[Caught]:
    """Catches the outputs of layers, and the gradients that come back to them, while the network runs.

    ``layers`` are dotted names as `neocog zoo` prints them; ``name@2`` is the second call of a layer that runs several
    times. The network computes exactly what it computes otherwise; no hook stays behind, whatever is raised.

    Raises NetworkError for a name that the network does not have, and for a layer inside a torch.jit module.
    """
    result = Caught()
    names = {_name(layer): find_layer(network, layer) for layer in layers}
    handles = []
    try:
        for name, module in names.items():
            result._watch(name)
            handles.append(module.register_forward_hook(lambda _m, _i, output, name=name: result._note(name, output)))
        yield result
    finally:
        for handle in handles:
            handle.remove()


def find_layer(network: nn.Module, layer: str) -> nn.Module:
    """Returns the module of that dotted name (a call ``@2`` behind it is left out).

    Raises NetworkError, with near names, when there is none, and when no one can watch it run.
    """
    modules: dict[str, nn.Module] = dict(_plain(network).named_modules())
    name = _name(layer)
    if not name or name not in modules:
        raise NetworkError(f"the network has no layer {name!r}.{near_names(name, modules)} `neocog zoo` lists them.")
    if isinstance(modules[name], torch.jit.ScriptModule):
        raise NetworkError(
            f"the layer {name!r} is compiled by torch.jit, where its activations cannot be caught; "
            "give the module that it was made from."
        )
    return modules[name]


def _plain(network: nn.Module) -> nn.Module:
    """Returns the module behind torch.compile, whose layers have the names that its user knows."""
    original = getattr(network, "_orig_mod", network)
    return original if isinstance(original, nn.Module) else network


def _name(layer: str) -> str:
    return layer.partition("@")[0]


def _asked(layer: str) -> int | None:
    _, told, call = layer.partition("@")
    if told and not call.isdecimal():
        raise UsageError(f"a layer's call is a whole number, as in {_name(layer)}@2; got {layer!r}.")
    return int(call) if told else None
