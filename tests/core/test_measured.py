"""The receptive fields of the theory are those that gradients measure."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import Tensor, nn

from neocog.architectures import create
from neocog.core.arithmetic import TransposedWindow, Window, inputs_seen, receptive_field
from neocog.core.errors import NetworkError
from neocog.core.measured import measured_field
from neocog.core.receptive import receptive_fields

CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
MAX_POOLS = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}
AVERAGE_POOLS = {1: nn.AvgPool1d, 2: nn.AvgPool2d, 3: nn.AvgPool3d}
NORMS = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
KINDS = ("convolution", "transposed", "max", "average")


def layer_of(kind: str, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool) -> nn.Module:
    axes = len(kernel)
    if kind == "convolution":
        return CONVOLUTIONS[axes](2, 2, kernel, stride, padding, dilation)
    if kind == "transposed":
        return TRANSPOSED[axes](2, 2, kernel, stride, padding, dilation=dilation)
    if kind == "max":
        return MAX_POOLS[axes](kernel, stride, tuple(k // 2 for k in kernel), dilation, ceil_mode=ceil)
    return AVERAGE_POOLS[axes](kernel, stride, tuple(k // 2 for k in kernel), ceil_mode=ceil)


@st.composite
def chains(draw, kinds=KINDS):
    """Draws a network, its inputs, by axis the windows and the sizes before each layer, and a unit."""
    axes = draw(st.integers(1, 3))
    shape = tuple(draw(st.integers(5, 14 - 3 * axes)) for _ in range(axes))
    network, windows, sizes = nn.Sequential(), [[] for _ in shape], [[] for _ in shape]
    inputs = maps = torch.zeros(1, 2, *shape)
    for _ in range(draw(st.integers(1, 4))):
        kind, ceil = draw(st.sampled_from(kinds)), draw(st.booleans())
        kernel, stride, padding, dilation = (
            tuple(draw(st.integers(least, most)) for _ in shape) for least, most in ((1, 3), (1, 2), (0, 2), (1, 2))
        )
        if kind in ("max", "average"):
            padding = tuple(k // 2 for k in kernel)
        if kind == "average":
            dilation = (1,) * axes
        layer = layer_of(kind, kernel, stride, padding, dilation, ceil)
        try:
            made = layer(maps)
        except RuntimeError:  # it does not fit
            continue
        for axis in range(axes):
            window = TransposedWindow if kind == "transposed" else Window
            windows[axis].append(window(kernel[axis], stride[axis], padding[axis], dilation[axis]))
            sizes[axis].append(maps.shape[2 + axis])
        network.append(layer)
        network.append(draw(st.sampled_from([nn.ReLU(), NORMS[axes](2), nn.Tanh()])))
        maps = made
    assume(len(network))
    unit = tuple(draw(st.integers(0, size - 1)) for size in maps.shape[2:])
    return network, inputs, windows, sizes, unit


def spanned(places: tuple[int, ...]) -> range:
    return range(places[0], places[-1] + 1) if places else range(0)


@given(chains())
def test_the_field_of_a_random_chain(chain):
    network, inputs, windows, sizes, unit = chain
    box = measured_field(network, inputs, str(len(network) - 1), unit)
    seen = [inputs_seen(*axis) for axis in zip(windows, unit, sizes, strict=True)]
    expected = tuple(map(spanned, seen)) if all(seen) else (range(0),) * len(seen)
    assert box == expected


@given(chains(kinds=("convolution", "max", "average")))
def test_the_field_of_a_chain_without_padding_in_sight_is_the_theorys(chain):
    network, inputs, windows, sizes, unit = chain
    name = str(len(network) - 1)
    box = measured_field(network, inputs, name, unit)
    fields = receptive_fields(network.eval(), inputs)[name]
    assert fields == tuple(receptive_field(axis) for axis in windows)
    axes = zip(windows, unit, sizes, fields, box, inputs.shape[2:], strict=True)
    for axis, place, lengths, field, measured, size in axes:
        inside = field.inside(place, size)
        assert not measured or (inside.start <= measured.start and measured.stop <= inside.stop)
        if box[0] and inputs_seen(axis, place) == inputs_seen(axis, place, lengths):
            assert measured == inside
            assert len(measured) == field.size


class Inception(nn.Module):
    """Four branches as in GoogLeNet, joined, then a strided layer that all of them are seen through."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, 2, padding=1)
        self.one = nn.Conv2d(4, 2, 1)
        self.three = nn.Sequential(nn.Conv2d(4, 2, 1), nn.ReLU(), nn.Conv2d(2, 2, 3, padding=1))
        self.five = nn.Sequential(nn.Conv2d(4, 2, 1), nn.ReLU(), nn.Conv2d(2, 2, 5, padding=2))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(4, 2, 1))
        self.relu = nn.ReLU()
        self.last = nn.MaxPool2d(3, 2, ceil_mode=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return self.last(self.relu(torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], 1)))


CASES = {
    "inception": (Inception, 32, ("stem", "three.2", "five.2", "pool.0", "relu", "last")),
    "resnet18": (lambda: create("resnet18"), 64, ("maxpool", "layer1.1.conv2", "layer2.0.relu2", "layer4.1.relu2")),
    "mobilenet_v2": (lambda: create("mobilenet_v2"), 64, ()),
    "efficientnet_lite0": (lambda: create("efficientnet_lite0"), 64, ()),
    "lenet5": (lambda: create("lenet5"), 32, ("s2", "c3", "s4")),
}


@pytest.mark.parametrize("name", CASES)
def test_the_fields_of_networks(name):
    build, side, layers = CASES[name]
    network = build()
    inputs = torch.zeros(1, next(iter(network.parameters())).shape[1], side, side)
    fields = receptive_fields(network, inputs)
    for layer in layers or some_convolutions(network):
        for unit in ((0, 0), None):
            box = measured_field(network, inputs, layer, unit)
            place = (0, 0) if unit else middle(network, inputs, layer)
            assert box == tuple(f.inside(p, side) for f, p in zip(fields[layer], place, strict=True)), (layer, place)


def some_convolutions(network: nn.Module) -> list[str]:
    return [name for name, module in network.named_modules() if isinstance(module, nn.Conv2d)][::18]


def middle(network: nn.Module, inputs: Tensor, layer: str) -> tuple[int, ...]:
    shapes: list[torch.Size] = []
    handle = network.get_submodule(layer).register_forward_hook(lambda *given: shapes.append(given[2].shape))
    with torch.no_grad():
        network.eval()(inputs)
    handle.remove()
    return tuple(size // 2 for size in shapes[0][2:])


def test_the_box_by_hand():
    network = nn.Sequential(nn.Conv2d(1, 1, (3, 1), padding=(1, 0)), nn.MaxPool2d((1, 2)))
    inputs = torch.zeros(0, 1, 6, 8)
    assert measured_field(network, inputs, "1", (2, 3)) == (range(1, 4), range(6, 8))
    assert measured_field(network, inputs, "1", (0, 0)) == (range(2), range(2))
    assert measured_field(network, inputs, "1") == (range(2, 5), range(4, 6))  # the middle of 6 x 4


def test_a_unit_that_sees_padding_only_has_an_empty_box():
    network = nn.Sequential(nn.Conv1d(1, 1, 1, padding=2))
    assert measured_field(network, torch.zeros(1, 1, 3), "0", (1,)) == (range(0),)
    assert receptive_field([Window(1, 1, 2)]).inside(1, 3) == range(0)


def test_a_global_pooling_and_what_follows_see_everything():
    network = nn.Sequential(nn.Conv2d(1, 2, 3, 2), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(2, 2))
    for layer in ("1", "2", "3"):
        assert measured_field(network, torch.zeros(1, 1, 9, 9), layer) == (range(9), range(9))


def test_the_network_stays_as_it_was():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout())
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    measured_field(network, torch.zeros(1, 1, 8, 8), "3")
    assert [type(module) for module in network] == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.MaxPool2d, nn.Dropout]
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert all(module.training and not module._forward_hooks for module in network.modules())
    assert all(parameter.grad is None for parameter in network.parameters())


class Maxima(nn.Module):
    """Takes maxima without layers for them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.last = nn.Conv2d(1, 2, 1), nn.Conv2d(4, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        x = torch.maximum(nn.functional.max_pool2d(x, 3, 1, 1), x)
        return self.last(torch.cat([x, x + x.amax((2, 3), keepdim=True)[:, :, :, :1]], 1)[:, :, :3])


def test_a_maximum_without_a_layer_hides_nothing():
    inputs = torch.zeros(1, 1, 6, 7)
    assert measured_field(Maxima(), inputs, "conv", (2, 2)) == (range(2, 3), range(2, 3))
    assert measured_field(Maxima(), inputs, "last", (1, 1)) == (range(6), range(7))
    network = nn.Sequential(nn.AdaptiveMaxPool2d((3, 1)))
    assert measured_field(network, inputs, "0", (1, 0)) == (range(2, 4), range(7))


class Sometimes(nn.Module):
    """Calls a layer in training only."""

    def __init__(self) -> None:
        super().__init__()
        self.always, self.training_only = nn.Conv1d(1, 1, 1), nn.Conv1d(1, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.training_only(self.always(x)) if self.training else self.always(x)


def test_a_layer_that_is_not_there_or_not_called():
    with pytest.raises(NetworkError, match=r"no layer 'alway'.*Did you mean always\?"):
        measured_field(Sometimes(), torch.zeros(1, 1, 3), "alway")
    with pytest.raises(NetworkError, match="does not call 'training_only' in evaluation mode"):
        measured_field(Sometimes(), torch.zeros(1, 1, 3), "training_only")
