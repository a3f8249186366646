"""Deconvnet: each step back is the adjoint of the step forward, but for the rectifier."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from captum.attr import Deconvolution
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional
from twins import Plain, pictures, settled

from neocog.core.errors import NetworkError, UsageError
from neocog.explain import deconvnet
from neocog.explain.deconvnet import only

# Linear maps, or linear ones while the switches stay: forward layers, and the shape of one sample.
LINEAR: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "convolution": (lambda: nn.Conv2d(2, 3, 3, bias=False), (2, 7, 6)),
    "stride on odd sizes": (lambda: nn.Conv2d(2, 3, 3, stride=2, padding=1, bias=False), (2, 8, 7)),
    "stride beyond the kernel": (lambda: nn.Conv2d(2, 3, 2, stride=3, bias=False), (2, 9, 10)),
    "dilation and groups": (lambda: nn.Conv2d(4, 6, 3, dilation=2, groups=2, bias=False), (4, 9, 8)),
    "same padding": (lambda: nn.Conv2d(2, 3, (3, 5), padding="same", bias=False), (2, 5, 6)),
    "one dimension": (lambda: nn.Conv1d(3, 4, 5, stride=2, bias=False), (3, 14)),
    "three dimensions": (lambda: nn.Conv3d(1, 2, 2, bias=False), (1, 3, 4, 3)),
    "transposed": (lambda: nn.ConvTranspose2d(2, 3, 3, stride=2, bias=False), (2, 4, 5)),
    "pooling": (lambda: nn.MaxPool2d(2), (2, 7, 6)),
    "overlapping pooling": (lambda: nn.MaxPool2d(3, 2), (2, 9, 7)),
    "pooling with padding": (lambda: nn.MaxPool2d(3, 2, padding=1), (2, 6, 7)),
    "pooling in ceil mode": (lambda: nn.MaxPool2d(3, 2, ceil_mode=True), (2, 8, 6)),
    "pooling in one dimension": (lambda: nn.MaxPool1d(3, 2, ceil_mode=True), (2, 8)),
    "adaptive pooling": (lambda: nn.AdaptiveMaxPool2d(3), (2, 7, 5)),
    "average pooling": (lambda: nn.AvgPool2d(3, 2, ceil_mode=True), (2, 8, 6)),
}


def forward(layer: nn.Module, inputs: Tensor) -> Callable[[Tensor], Tensor]:
    """Returns the layer as a linear map: a pooling with the switches that ``inputs`` set."""
    if not type(layer).__name__.startswith(("MaxPool", "AdaptiveMaxPool")):
        return lambda x: layer(x).detach()
    layer.return_indices = True
    _, switches = layer(inputs)
    layer.return_indices = False
    return lambda x: x.flatten(2).gather(2, switches.flatten(2)).reshape(switches.shape)


@pytest.mark.parametrize("name", LINEAR)
def test_the_way_back_is_the_adjoint(name: str) -> None:
    """<A x, y> = <x, A* y>, where the deconvnet gives A* of one unit times its activation."""
    make, shape = LINEAR[name]
    layer = settled(make()).double()
    inputs = pictures(1, *shape, dtype=torch.float64)
    ahead = forward(layer, inputs)
    network = nn.Sequential(layer, nn.ReLU())
    maps = layer(inputs).detach()
    other = pictures(1, *shape, seed=7, dtype=torch.float64)
    for unit in ((0, *(0,) * (maps.dim() - 2)), (maps.shape[1] - 1, *(size - 1 for size in maps.shape[2:]))):
        back = deconvnet(network, inputs, layer="0", unit=unit)
        chosen = maps * only(maps, unit)
        assert float((ahead(other) * chosen).sum()) == pytest.approx(float((other * back).sum()), abs=1e-9)


@settings(max_examples=25)
@given(
    size=st.integers(5, 12), kernel=st.integers(1, 4), stride=st.integers(1, 3), pad=st.booleans(), ceil=st.booleans()
)
def test_a_network_of_any_sizes_is_adjoint_too(size: int, kernel: int, stride: int, pad: bool, ceil: bool) -> None:
    network = nn.Sequential(
        nn.Conv2d(1, 3, kernel, stride=stride, padding=int(pad), bias=False), nn.MaxPool2d(2, 1, ceil_mode=ceil)
    )
    side = (size + 2 * int(pad) - kernel) // stride + 1
    if side < 2:
        return
    network = settled(network).double()
    inputs = pictures(1, 1, size, size + 1, dtype=torch.float64)
    value = network(inputs).detach()
    back = deconvnet(network, inputs, layer="1", unit=1)
    strongest = value[0, 1].max()
    # The unit is linear in the input as long as the switches stay, so <x, A* e> is the unit itself.
    assert float((inputs * back).sum()) == pytest.approx(float(strongest**2), abs=1e-9)


def hand_made() -> nn.Module:
    network = nn.Sequential(
        nn.Conv1d(1, 2, 2, bias=False), nn.ReLU(), nn.MaxPool1d(2, 1), nn.Conv1d(2, 1, 2, bias=False), nn.ReLU()
    )
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[[1.0, 1.0]], [[-1.0, 2.0]]]))
        network[3].weight.copy_(torch.tensor([[[2.0, 1.0], [-1.0, 3.0]]]))
    return network


def test_known_maps() -> None:
    """Worked by hand on the input 1, 3, 0, 2."""
    inputs = torch.tensor([[[1.0, 3.0, 0.0, 2.0]]])
    # conv: 4, 3, 2 and 5, -3, 4; rectified 4, 3, 2 and 5, 0, 4; pooled (winners) 4(0), 3(1) and 5(0), 4(2);
    # the second convolution: 2*4 + 1*3 - 1*5 + 3*4 = 18.
    # Back: 18 (2, 1) and 18 (-1, 3) = 36, 18 and -18, 54; unpooled 36, 18, 0 and -18, 0, 54; rectified 36, 18, 0 and
    # 0, 0, 54; through the filters: 36 + 18 shifted, and 54 (-1, 2) at 2.
    expected = torch.tensor([[[36.0, 36.0 + 18.0, 18.0 - 54.0, 108.0]]])
    assert torch.equal(deconvnet(hand_made(), inputs, layer="4"), expected)
    assert torch.equal(deconvnet(hand_made(), inputs, layer="3", unit=0), expected)
    # The first layer, before any rectifier: the filter itself times the activation.
    found = deconvnet(hand_made(), inputs, layer="0", unit=(1, 0))
    assert torch.equal(found, torch.tensor([[[-5.0, 10.0, 0.0, 0.0]]]))


def test_units() -> None:
    maps = torch.tensor([[[1.0, 5.0], [7.0, 2.0]], [[4.0, 3.0], [0.0, 1.0]]])  # (2, 2, 2)
    assert only(maps, None).nonzero().tolist() == [[0, 1, 0], [1, 0, 0]]
    assert only(maps, 1).nonzero().tolist() == [[0, 1, 0], [1, 1, 1]]  # each sample's own strongest place
    assert only(maps, (0, 1)).nonzero().tolist() == [[0, 0, 1], [1, 0, 1]]


@pytest.mark.parametrize("unit", [2, -1, (0, 0, 0), (0, 9), ()])
def test_units_that_are_not_there(unit: int | tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="units lie in 2x3, counted from 0"):
        deconvnet(hand_made(), torch.rand(1, 1, 4), layer="0", unit=unit)


def test_layers_that_are_not_there() -> None:
    with pytest.raises(NetworkError, match="no layer '9'"):
        deconvnet(hand_made(), torch.rand(1, 1, 4), layer="9")


@pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU")
def test_equal_to_captum() -> None:
    """Captum goes back from a logit with a one in its place, here with the logit."""
    network, inputs = settled(Plain()).eval(), pictures(2, 3, 9, 11)
    expected = Deconvolution(network).attribute(inputs.clone().requires_grad_(), target=1)
    logits = network(inputs).detach()[:, 1].reshape(2, 1, 1, 1)
    found = deconvnet(network, inputs, layer="head", unit=1)
    # The rule is the same for c and c times a positive number; a negative logit flips what passes.
    rows = logits.flatten() > 0
    assert torch.allclose(found[rows], (expected * logits)[rows], atol=1e-5)
    assert rows.any()


def test_unpooling_is_by_switches() -> None:
    network, inputs = nn.Sequential(nn.MaxPool2d(3, 2, ceil_mode=True), nn.ReLU()), pictures(1, 1, 8, 7)
    pooled, switches = functional.max_pool2d(inputs, 3, 2, ceil_mode=True, return_indices=True)
    found = deconvnet(network, inputs, layer="0", unit=(0, 3, 2))
    expected = torch.zeros(56).index_put((switches[0, 0, 3, 2],), pooled[0, 0, 3, 2]).reshape(1, 1, 8, 7)
    assert torch.equal(found, expected)
