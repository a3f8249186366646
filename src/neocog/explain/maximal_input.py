"""The input that excites a dense unit most, in closed form (Ng, lecture notes of CS294A, section 4).

Of all inputs of one length the one along the unit's weights w gives the largest w . x, by the inequality of Cauchy and
Schwarz; any increasing activation is largest there, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn

from neocog.core.errors import NetworkError, UsageError
from neocog.core.randomness import generator
from neocog.core.trace import find_layer
from neocog.explain.rest import at_rest


def maximal_input(
    module: nn.Module,
    *,
    layer: str | None = None,
    shape: Sequence[int] | None = None,
    units: Sequence[int] | None = None,
    bound: float = 1.0,
) -> Tensor:
    """Returns each unit's input (units, *shape) of length ``bound`` that excites it most, w / ||w||.

    ``layer`` is a dense layer that sees the input itself, the network's first layer with weights unless told; that it
    sees the input, at most flattened, is tried. ``shape`` is the input's without the batch, all inputs in a row unless
    told; ``units`` are all unless told.

    Raises NetworkError for a network whose first layer is not dense or does not see the input, and for units whose
    weights are all zero, which prefer no input; UsageError for the rest.
    """
    name, dense = _dense(module, layer)
    weights = dense.weight.detach()  # (units, inputs)
    sizes = (dense.in_features,) if shape is None else tuple(shape)
    if prod(sizes) != dense.in_features:
        raise UsageError(
            f"the layer {name or 'given'} takes {dense.in_features} inputs, not {'x'.join(map(str, sizes))}."
        )
    if not bound > 0:
        raise UsageError(f"bound is a length above 0, got {bound:g}.")
    _check_sees_input(module, dense, name, sizes)
    rows = list(range(len(weights))) if units is None else list(units)
    if strays := [row for row in rows if not 0 <= row < len(weights)]:
        raise UsageError(f"the layer {name} has units 0 to {len(weights) - 1}, got {strays[0]}.")
    chosen = weights[rows]
    lengths: Tensor = torch.linalg.vector_norm(chosen, dim=1, keepdim=True)  # (units, 1)
    if zero := [row for row, length in zip(rows, lengths[:, 0].tolist(), strict=True) if length == 0]:
        raise NetworkError(
            f"all weights of unit {', '.join(map(str, zero[:5]))} of {name or 'the layer'} are zero, so it prefers no "
            "input; leave it out of units."
        )
    return (bound * chosen / lengths).reshape(len(rows), *sizes)


def _dense(module: nn.Module, layer: str | None) -> tuple[str, nn.Linear]:
    layers = module.named_modules()
    found = [(name, each) for name, each in layers if next(each.parameters(recurse=False), None) is not None]
    if layer is not None:
        found = [(layer, find_layer(module, layer))]
    if not found:
        raise NetworkError("the network has no layer with weights, so no unit prefers an input.")
    name, first = found[0]
    if not isinstance(first, nn.Linear):
        raise NetworkError(
            f"{name or 'the network'} is a {type(first).__name__}; the closed form is for a dense layer (nn.Linear) "
            "that sees the input: for others there is maximise."
        )
    return name, first


def _check_sees_input(module: nn.Module, dense: nn.Linear, name: str, sizes: tuple[int, ...]) -> None:
    """Refuses a layer that does not get the network's input as it is: its preferred input would be another's."""
    drawn = torch.randn(2, *sizes, generator=generator(0, "maximal input")).to(dense.weight)
    seen: list[Tensor] = []
    handle = dense.register_forward_pre_hook(lambda _layer, inputs: seen.append(inputs[0].detach().clone()))
    try:
        with at_rest(module), torch.no_grad():
            module(drawn.clone())
    except (RuntimeError, ValueError, IndexError) as error:
        raise NetworkError(
            f"the network takes no inputs of {'x'.join(map(str, sizes))}; give the shape that it takes, without the "
            "batch."
        ) from error
    finally:
        handle.remove()
    if not seen or seen[0].numel() != drawn.numel() or not torch.equal(seen[0].reshape(drawn.shape), drawn):
        raise NetworkError(
            f"the layer {name} does not see the network's input itself, so the closed form does not hold; use maximise."
        )
