"""Named activations: what any layer of any network makes of an input, caught as it leaves the layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

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
        return (
            self._calls[_name(layer)][call].detach().new_zeros(()).expand_as(self.activation(layer))
            if (found is None)
            else found
        )

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
            output.register_hook(lambda gradient: self._gradients[name].__setitem__(call, gradient.detach()))


@contextmanager
def caught(network: nn.Module, layers: Iterable[str]) -> Iterator[Caught]:
    """Catches the outputs of layers, and the gradients that come back to them, while the network runs.

    ``layers`` are dotted names as `neocog zoo` prints them; ``name@2`` is the second call of a layer that runs several
    times. The network computes exactly what it computes otherwise; no hook stays behind, whatever is raised.

    Raises NetworkError for a name that the network does not have.
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

    Raises NetworkError, with near names, when there is none.
    """
    modules = dict(network.named_modules())
    name = _name(layer)
    if not name or name not in modules:
        raise NetworkError(f"the network has no layer {name!r}.{near_names(name, modules)} `neocog zoo` lists them.")
    return modules[name]


def _name(layer: str) -> str:
    return layer.partition("@")[0]


def _asked(layer: str) -> int | None:
    _, told, call = layer.partition("@")
    if told and not call.isdecimal():
        raise UsageError(f"a layer's call is a whole number, as in {_name(layer)}@2; got {layer!r}.")
    return int(call) if told else None
