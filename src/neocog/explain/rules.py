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
from neocog.explain.entry import derivatives

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
# A rectifier may hide in these: max(x, 0), where(x > 0, x, 0), x[x < 0] = 0, x[:, 0].relu_().
_AMBIGUOUS = {
    "MaximumBackward0": "torch.maximum",
    "FmaxBackward0": "torch.fmax",
    "WhereBackward0": "torch.where",
    "MaskedFillBackward0": "Tensor.masked_fill",
    "IndexPutBackward0": "an assignment to indexed elements",
    "ClampBackward0": "torch.clamp with tensors",
    "ClampMinBackward1": "torch.clamp with tensors",
    "torch::autograd::CopySlices": "a change in place of a part of a tensor",
}
# Other activations, for which the rules say nothing.
_SMOOTH = frozenset(
    f"{name}Backward0"
    for name in (
        "Sigmoid", "Tanh", "Silu", "Gelu", "Elu", "Celu", "LeakyRelu", "PreluKernel", "RreluWithNoise", "Hardswish",
        "Hardsigmoid", "Softplus", "LogSigmoid", "Mish", "Glu", "Softmax", "LogSoftmax", "Exp", "Log", "Abs",
        "Hardtanh",
    )
)  # fmt: skip
_WITH_OWN_DERIVATIVE: Any = torch.autograd.function.BackwardCFunction
# The identity that a module's own backward hooks hang on.
_PASSING = "BackwardHookFunctionBackward"


def backward(roots: Tensor, leaf: Tensor, rule: Rule, *, method: str, weights: Tensor | None = None) -> Tensor:
    """Returns the derivative of ``roots`` at ``leaf`` when ``rule`` stands in for the derivative of each rectifier.

    ``weights``, of the roots' shape, are what the backward pass begins with; ones unless given. ``method`` is the name
    for errors.

    Raises NetworkError where the network rectifies in a way that cannot be told, where it has other activations and no
    rectifiers, and where no gradient leads from the roots to the leaf.
    """
    nodes = list(_nodes(roots))
    rectifiers = [node for node in nodes if _rectifies(node)]
    _refuse(nodes, rectifiers, method)
    handles = [node.register_hook(_hook(rule)) for node in rectifiers]
    try:
        (result,) = derivatives(roots, [leaf], weights)
    finally:
        for handle in handles:
            handle.remove()
    return result


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
        name = node.name()
        own = isinstance(node, _WITH_OWN_DERIVATIVE) and name != _PASSING
        if own or name.startswith("torch::jit"):
            what = "a function compiled by torch.jit" if not own else name.removesuffix("Backward")
            raise NetworkError(
                f"{method} cannot look into {what}, which has a derivative of its own; write it with torch's "
                "operations, or choose another method."
            )
        ambiguous = "a product with a mask" if _masks(node) else _AMBIGUOUS.get(name)
        if ambiguous:
            raise NetworkError(
                f"{method} cannot tell whether {ambiguous} rectifies here; use torch.relu where it does, "
                "or choose another method."
            )
    if not rectifiers and any(node.name() in _SMOOTH for node in nodes):
        raise NetworkError(
            f"{method} is defined for rectifiers (ReLU, ReLU6, clamp at 0), and there are other activations only "
            "between the input and what is explained; choose saliency or integrated_gradients."
        )


def _masks(node: Node) -> bool:
    """Returns whether the node is a product with the outcomes of a comparison, as in x * (x > 0)."""
    if node.name() != "MulBackward0":
        return False
    factors = [getattr(node, "_saved_self", None), getattr(node, "_saved_other", None)]
    return any(
        isinstance(each, Tensor)
        and not each.requires_grad
        and bool(((each == 0) | (each == 1)).all() and (each == 0).any() and (each == 1).any())
        for each in factors
    )
