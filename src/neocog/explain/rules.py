"""Backward passes with another rule at the rectifiers, for guided backpropagation and the deconvnet.

The rule is set on the autograd graph that a forward pass left, not on modules: there a rectifier is one node whether
it was a module, a function or a method, in place or not, and however often a module was called. Nothing is set on the
network, so nothing can stay behind. What the graph does not show openly is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from neocog.core.errors import NetworkError

# From the gradient at a rectifier's output, and the ordinary one at its input, to the one that is passed on.
Rule = Callable[[Tensor, Tensor], Tensor]
Node = torch.autograd.graph.Node

# Nodes that rectify, and the attribute that has to be 0 for it: where values below it are cut off.
_RECTIFIERS: dict[str, str | None] = {
    "ReluBackward0": None,
    "ThresholdBackward0": "_saved_threshold",
    "HardtanhBackward0": "_saved_min_val",  # ReLU6
    "ClampMinBackward0": "_saved_min",
    "ClampBackward1": "_saved_min",
}
# A rectifier may hide in these: max(x, 0), where(x > 0, x, 0).
_AMBIGUOUS = {
    "MaximumBackward0": "torch.maximum",
    "WhereBackward0": "torch.where",
    "ClampBackward0": "torch.clamp with tensors",
    "ClampMinBackward1": "torch.clamp with tensors",
}


def backward(roots: Tensor, leaf: Tensor, rule: Rule, *, method: str, weights: Tensor | None = None) -> Tensor:
    """Returns the derivative of ``roots`` at ``leaf`` when ``rule`` stands in for the derivative of each rectifier.

    ``weights``, of the roots' shape, are what the backward pass begins with; ones unless given. ``method`` is the name
    for errors.

    Raises NetworkError where the network rectifies in a way that cannot be told, or does not rectify at all.
    """
    nodes = list(_nodes(roots))
    rectifiers = [node for node in nodes if _rectifies(node)]
    _refuse(nodes, rectifiers, method)
    handles = [node.register_hook(_hook(rule)) for node in rectifiers]
    try:
        start = torch.ones_like(roots) if weights is None else weights
        (result,) = torch.autograd.grad(roots, leaf, start, allow_unused=True)
    finally:
        for handle in handles:
            handle.remove()
    return torch.zeros_like(leaf) if result is None else result.detach()


def _hook(rule: Rule) -> Callable[[Sequence[Any], Sequence[Any]], tuple[Any, ...]]:
    def replace(inner: Sequence[Any], outer: Sequence[Any]) -> tuple[Any, ...]:
        if inner[0] is None or outer[0] is None:
            return tuple(inner)
        return (rule(outer[0], inner[0]), *inner[1:])

    return replace


def _nodes(root: Tensor) -> Iterator[Node]:
    """Yields each node of the graph that made ``root``, once."""
    waiting = [root.grad_fn] if root.grad_fn is not None else []
    seen = set(waiting)
    while waiting:
        node = waiting.pop()
        yield node
        for source, _ in node.next_functions:
            if source is not None and source not in seen:
                seen.add(source)
                waiting.append(source)


def _rectifies(node: Node) -> bool:
    name = node.name()
    if name not in _RECTIFIERS:
        return False
    bound = _RECTIFIERS[name]
    return bound is None or getattr(node, bound, None) == 0


def _refuse(nodes: list[Node], rectifiers: list[Node], method: str) -> None:
    for node in nodes:
        if isinstance(node, torch.autograd.function.BackwardCFunction):
            raise NetworkError(
                f"{method} cannot look into {type(node).__name__.removesuffix('Backward')}, a function with a "
                "derivative of its own; write it with torch's operations, or choose another method."
            )
        if node.name() in _AMBIGUOUS:
            raise NetworkError(
                f"{method} cannot tell whether {_AMBIGUOUS[node.name()]} rectifies here; use torch.relu where it does, "
                "or choose another method."
            )
    if not rectifiers:
        raise NetworkError(
            f"{method} is defined for rectifiers (ReLU, ReLU6, clamp at 0), and there is none between the input and "
            "what is explained; choose saliency or integrated_gradients."
        )
