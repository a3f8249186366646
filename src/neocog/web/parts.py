"""How much each input map adds to one output map: a convolution, a dense layer and a sum taken apart, in float64."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules import conv

from neocog.core.arithmetic import same_padding
from neocog.web.network import windows_of
from neocog.web.roles import NORMS, POOLS
from neocog.web.session import Session

# Parts are shown only where they add up to what the network computed, to this share of its largest number.
TOLERANCE = 1e-4
# What is shown in a form of its own, and sums nothing over its input maps; what remembers is no sum of its inputs.
KEEPING = (*NORMS, *POOLS, nn.Embedding, nn.RNNBase)
LARGEST_TRIAL = 1 << 24
_FUNCTIONS: dict[type[nn.Module], Any] = {
    nn.Conv1d: functional.conv1d,
    nn.Conv2d: functional.conv2d,
    nn.Conv3d: functional.conv3d,
}
_TRANSPOSED: dict[type[nn.Module], Any] = {
    nn.ConvTranspose1d: functional.conv_transpose1d,
    nn.ConvTranspose2d: functional.conv_transpose2d,
    nn.ConvTranspose3d: functional.conv_transpose3d,
}


@dataclass(frozen=True)
class Parts:
    """What one output map is the sum of, but for ``bias``.

    ``values`` (n, ...) float64 is what each input map adds at each place; ``sources`` the (node, channel) of each.
    ``inputs`` (n, ...) are these input maps, padded where the padding is not zeros; ``weights`` (n, ...) their kernels,
    both None where there are no such, of a join and of local connections, whose bias is a map.
    """

    values: Tensor
    sources: tuple[tuple[int, int], ...]
    bias: float | Tensor = 0.0
    inputs: Tensor | None = None
    weights: Tensor | None = None

    def order(self) -> list[int]:
        """Returns the parts' places by the sum of their magnitudes, the strongest first."""
        strength = self.values.reshape(len(self.values), -1).abs().sum(1).nan_to_num()
        places: list[int] = torch.sort(strength, descending=True, stable=True).indices.tolist()
        return places


def parts_of(session: Session, id: int, place: int, channel: int) -> Parts | None:
    """Returns what a map is the sum of, or None where it is no sum, or none that adds up to what the network made."""
    passed = session.passed(id)
    made = passed.values[place][0]
    given, layer, node = passed.given[place], session.runner.layer(place), passed.nodes[place]
    found = None
    if isinstance(layer, conv._ConvNd) and len(given) == 1:
        found = _convolution(layer, given[0], channel, node.sources[0])
    elif isinstance(layer, nn.Linear) and len(given) == 1 and given[0].dim() == 2:
        found = _dense(layer, given[0][0], channel, node.sources[0])
    elif layer is not None and len(given) == 1 and not isinstance(layer, KEEPING):
        found = sliding_parts(layer, given[0], channel, node.sources[0], session.model.device)
        if found is None or not adds_up(found, made[channel]):
            found = _affine(layer, given[0], channel, node.sources[0], session.model.device)
    elif node.kind in ("+", "-") and len(given) == 2:
        found = _sum(given, made, channel, node.sources, -1 if node.kind == "-" else 1)
    return found if found is not None and adds_up(found, made[channel]) else None


def adds_up(parts: Parts, made: Tensor) -> bool:
    """Tells whether parts and bias are what the network computed, but for rounding."""
    total = parts.values.sum(0) + parts.bias
    if total.shape != made.shape:
        return False
    size = max(float(made.abs().max()), float(parts.values.abs().sum(0).max()), 1e-30)
    return bool(((total - made.double()).abs() <= TOLERANCE * size).all())


def _convolution(layer: Any, given: Tensor, channel: int, source: int) -> Parts | None:
    outputs, inputs = layer.out_channels // layer.groups, layer.in_channels // layer.groups
    first = channel // outputs * inputs
    x = given[:, first : first + inputs]  # (1, n, ...)
    plain, transposed = _function(layer, _FUNCTIONS), _function(layer, _TRANSPOSED)
    if plain is not None:
        kernels = layer.weight[channel].detach().cpu()  # (n, ...)
        x, padded, padding = _padded(layer, x)
        made = plain(padded.double(), kernels[:, None].double(), None, layer.stride, padding, layer.dilation, inputs)
    elif transposed is not None:
        kernels = layer.weight[first : first + inputs, channel % outputs].detach().cpu()
        settings = (layer.stride, layer.padding, layer.output_padding, inputs, layer.dilation)
        made = transposed(x.double(), kernels[:, None].double(), None, *settings)
    else:
        return None
    bias = 0.0 if layer.bias is None else float(layer.bias[channel])
    return Parts(made[0], tuple((source, first + each) for each in range(inputs)), bias, x[0], kernels)


def _padded(layer: Any, x: Tensor) -> tuple[Tensor, Tensor, Any]:
    """Returns the maps to be shown, those to convolve, and the zeros that are still to be put around these."""
    if layer.padding_mode != "zeros":
        around = functional.pad(x, layer._reversed_padding_repeated_twice, mode=layer.padding_mode)
        return around, around, 0
    if not isinstance(layer.padding, str):
        return x, x, layer.padding
    amounts: list[int] = []  # "same" of torch, or TensorFlow's with a stride, which torch does not know
    for size, window in reversed(list(zip(x.shape[2:], windows_of(layer, x.shape[1:]), strict=True))):
        amounts += same_padding(size, window.kernel, window.stride, window.dilation)
    return x, functional.pad(x, amounts), 0


def _function(layer: nn.Module, table: dict[type[nn.Module], Any]) -> Any:
    return next((function for kind, function in table.items() if isinstance(layer, kind)), None)


def sliding_parts(layer: nn.Module, given: Tensor, channel: int, source: int, device: torch.device) -> Parts | None:
    """Takes a layer of another library, or of one's own, for a convolution, with the kernel that its derivative has."""
    windows = windows_of(layer, given.shape[1:])
    if given.dim() != 4 or len(windows) != 2:
        return None
    place, made, slope = _derivative(layer, given.to(device), channel)
    starts = [at * each.stride - each.before for at, each in zip(place, windows, strict=True)]
    ends = [start + each.dilation * (each.kernel - 1) for start, each in zip(starts, windows, strict=True)]
    if min(starts) < 0 or any(end >= size for end, size in zip(ends, given.shape[2:], strict=True)):
        return None
    rows, columns = (slice(a, b + 1, each.dilation) for a, b, each in zip(starts, ends, windows, strict=True))
    kernels = slope[0, :, rows, columns]
    bias = made - float((slope.double() * given.double()).sum())
    used = kernels.flatten(1).abs().amax(1).nonzero().flatten()
    if not len(used):
        return None
    x, kernel = given[:, used], kernels[used, None].double()
    stride, padding, dilation = ([getattr(each, name) for each in windows] for name in ("stride", "before", "dilation"))
    values = functional.conv2d(x.double(), kernel, None, stride, padding, dilation, len(used))[0]
    return Parts(values, tuple((source, each) for each in used.tolist()), bias, x[0], kernels[used])


def _derivative(layer: nn.Module, given: Tensor, channel: int) -> tuple[list[int], float, Tensor]:
    """Returns the middle of a layer's map, what it gives there, and the derivative of that by its input."""
    with torch.enable_grad():
        x = given.clone().requires_grad_()
        made = layer(x.clone())[0, channel]  # a clone, for layers that work in place
        place = [size // 2 for size in made.shape]
        number = made[tuple(place)]
        (slope,) = torch.autograd.grad(number, x, materialize_grads=True)
    return place, float(number.detach()), slope.cpu()


def _affine(layer: nn.Module, given: Tensor, channel: int, source: int, device: torch.device) -> Parts | None:
    """Takes any layer with weights for a sum over its input maps: each by itself, less what it makes of none."""
    count = given.shape[1]
    if given.dim() < 3 or count * given.numel() > LARGEST_TRIAL or next(layer.parameters(), None) is None:
        return None
    alone = torch.diag_embed(given[0].flatten(1).T).permute(1, 2, 0).reshape(count, *given.shape[1:])  # (n, n, ...)
    with torch.no_grad():
        made = layer(torch.cat([torch.zeros_like(given), alone]).to(device))[:, channel].cpu().double()
    return Parts(made[1:] - made[0], tuple((source, each) for each in range(count)), made[0])


def _dense(layer: nn.Linear, given: Tensor, channel: int, source: int) -> Parts:
    weights = layer.weight[channel].detach().cpu()
    bias = 0.0 if layer.bias is None else float(layer.bias[channel])
    sources = tuple((source, each) for each in range(len(given)))
    return Parts(given.double() * weights.double(), sources, bias, given, weights)


def _sum(given: tuple[Tensor, ...], made: Tensor, channel: int, sources: tuple[int, ...], sign: int) -> Parts | None:
    try:
        spread = [torch.broadcast_to(each[0].double(), made.shape)[channel] for each in given]
    except RuntimeError:
        return None
    spread[1] = sign * spread[1]
    channels = [min(channel, each.shape[1] - 1) for each in given]
    return Parts(torch.stack(spread), tuple(zip(sources, channels, strict=True)))
