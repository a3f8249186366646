"""The gradient of a class's logit at one layer: at its output, and what the layer passes on of it to its input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from neocog.core.errors import UsageError
from neocog.core.outputs import primary
from neocog.explain.entry import entry
from neocog.explain.rest import at_rest
from neocog.web.session import Session


@dataclass(frozen=True)
class Gradients:
    """The gradient at a layer's input (``inner``) and output (``outer``), (1, C, ...), of the target's logit."""

    inner: Tensor
    outer: Tensor
    target: int


def gradients_at(session: Session, id: int, place: int, target: int | None) -> Gradients | None:
    """Returns the gradients at a node, None where it is a function, which no hook can watch.

    ``target`` is the predicted class unless told.

    Raises UsageError for a class that is not there.
    """
    chosen = target_of(session, id, target)
    layer = session.runner.layer(place)
    if layer is None:
        return None
    tap = _Tap(session.runner.calls[place])
    run = _with_gradients(session, id)
    with at_rest(session.network):
        handles = [layer.register_forward_pre_hook(tap.enter), layer.register_forward_hook(tap.leave)]
        try:
            logits = run()
        finally:
            for handle in handles:
                handle.remove()
        inner, outer = torch.autograd.grad(logits[0, chosen], tap.caught, allow_unused=True)
    found = [
        torch.zeros_like(at) if each is None else each for at, each in zip(tap.caught, (inner, outer), strict=True)
    ]
    return Gradients(found[0].cpu(), found[1].cpu(), chosen)


def _with_gradients(session: Session, id: int) -> Callable[[], Tensor]:
    """Returns the forward pass of an input that asks for a gradient, so that layers have one, frozen as they are."""
    inputs = session.picture(id).inputs
    if inputs.is_floating_point():
        return lambda: primary(session.network(inputs.clone().requires_grad_()))
    where = entry(session.network, inputs)  # words have none: their vectors ask for it
    return lambda: where.run(where.values.clone().requires_grad_())


def target_of(session: Session, id: int, target: int | None) -> int:
    """Returns the class that is asked for, the predicted one unless told; raises UsageError for an unknown one."""
    if target is None:
        return int(session.logits(id).argmax())
    if not 0 <= target < len(session.classes):
        raise UsageError(f"targets are classes from 0 to {len(session.classes) - 1}; got {target}.")
    return target


class _Tap:
    """Stands at one call of a layer with copies of its input and output, through which all gradients have to pass."""

    def __init__(self, call: int) -> None:
        self._call, self._count = call, 0
        self.caught: list[Tensor] = []

    def enter(self, _layer: nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...] | None:
        self._count += 1
        if self._count != self._call:
            return None
        self.caught.append(arguments[0].clone())
        return (self.caught[0].clone(), *arguments[1:])  # once more, for layers that work in place

    def leave(self, _layer: nn.Module, _arguments: Any, output: Any) -> Any:
        if self._count != self._call or len(self.caught) != 1:
            return None
        self.caught.append(output.clone())
        return self.caught[1].clone()
