"""How much each input map adds to one output map: a convolution, a dense layer and a sum taken apart, in float64."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules import conv

from neocog.web.network import windows_of
from neocog.web.roles import NORMS, POOLS
from neocog.web.session import Session

# Parts are shown only where they add up to what the network computed, to this share of its largest number.
TOLERANCE = 1e-4
# What is shown in a form of its own, and sums nothing over its input maps.
KEEPING = (*NORMS, *POOLS)
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
    given, layer, node = passed.given[place], session.runner.layer(place), session.nodes[place]
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
    groups: int = layer.groups
    size = layer.in_channels // groups
    first = channel // (layer.out_channels // groups) * size
    x = given[:, first : first + size].double()  # (1, n, ...)
    weight = layer.weight.detach().cpu().double()
    transposed = _function(layer, _TRANSPOSED)
    plain = _function(layer, _FUNCTIONS)
    if plain is not None:
        kernels = weight[channel]  # (n, ...)
        padding = layer.padding
        if layer.padding_mode != "zeros":
            x = functional.pad(x, layer._reversed_padding_repeated_twice, mode=layer.padding_mode)
            padding = 0
        made = plain(x, kernels[:, None], None, layer.stride, padding, layer.dilation, size)[0]
    elif transposed is not None:
        kernels = weight[first : first + size, channel % (layer.out_channels // groups)]
        settings = (layer.stride, layer.padding, layer.output_padding, size, layer.dilation)
        made = transposed(x, kernels[:, None], None, *settings)[0]
    else:
        return None
    bias = 0.0 if layer.bias is None else float(layer.bias[channel])
    sources = tuple((source, first + each) for each in range(size))
    return Parts(made, sources, bias, x[0].float(), kernels.float())


def _function(layer: nn.Module, table: dict[type[nn.Module], Any]) -> Any:
    return next((function for kind, function in table.items() if isinstance(layer, kind)), None)


def sliding_parts(layer: nn.Module, given: Tensor, channel: int, source: int, device: torch.device) -> Parts | None:
    """Takes a layer of another library, or of one's own, for a convolution, with the kernel that its derivative has."""
    windows = windows_of(layer, given.shape[1:])
    if given.dim() != 4 or len(windows) != 2:
        return None
    with torch.enable_grad():
        x = given.clone().to(device).requires_grad_()
        made = layer(x)[0, channel]
        place = [size // 2 for size in made.shape]
        (slope,) = torch.autograd.grad(made[tuple(place)], x, materialize_grads=True)
    taps = [
        range(at * each.stride - each.before, at * each.stride - each.before + each.dilation * each.kernel)
        for at, each in zip(place, windows, strict=True)
    ]
    if any(each.start < 0 or each.stop > size for each, size in zip(taps, given.shape[2:], strict=True)):
        return None
    rows, columns = (slice(tap.start, tap.stop, each.dilation) for tap, each in zip(taps, windows, strict=True))
    kernels = slope[0, :, rows, columns].cpu()
    bias = float(made[tuple(place)].double() - (slope.double() * x.detach().double()).sum())
    used = kernels.flatten(1).abs().amax(1).nonzero().flatten()
    if not len(used):
        return None
    x = given[:, used]
    stride, padding, dilation = ([getattr(each, name) for each in windows] for name in ("stride", "before", "dilation"))
    kernel = kernels[used, None].double()
    values = functional.conv2d(x.double(), kernel, None, stride, padding, dilation, len(used))[0]
    sources = tuple((source, each) for each in used.tolist())
    return Parts(values, sources, bias, x[0], kernels[used])


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
