"""The gradient of a convolution's weights as products: by hand, against torch's, and where it must not be used."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional
from trained_within import trained

from neocog.architectures import create
from neocog.nn import weight_gradient as module
from neocog.nn.weight_gradient import by_products, weight_gradient

LAST = torch.channels_last


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Has every size take the way of products, and counts the calls by the shape of the weights."""
    taken: list[tuple[int, ...]] = []

    def counted(x: Tensor, dy: Tensor, *rest: tuple[int, ...]) -> Tensor:
        made = weight_gradient(x, dy, *rest)  # type: ignore[arg-type]
        taken.append(tuple(made.shape))
        return made

    for name, value in {"CHANNELS": (1, 1), "CHANNELS_OF_LARGE": (1, 1), "WORK": 0}.items():
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(module, "weight_gradient", counted)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    return taken


def test_by_hand() -> None:
    x = torch.tensor([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]]])
    dy = torch.tensor([[[[1.0, 0.0], [0.0, 10.0]]]])
    found = weight_gradient(x, dy, (2, 2), (1, 1), (0, 0))
    assert found.tolist() == [[[[51.0, 62.0], [84.0, 95.0]]]]


@given(
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    size=st.tuples(st.integers(4, 9), st.integers(4, 9)),
    counts=st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(1, 4)),
    band=st.sampled_from([1, 300, 2000, 2**21]),
)
def test_it_is_the_gradient_that_torch_finds(
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    size: tuple[int, int],
    counts: tuple[int, int, int],
    band: int,
) -> None:
    batch, inputs, outputs = counts
    chance = torch.Generator().manual_seed(0)
    x = torch.randn(batch, inputs, *size, generator=chance, dtype=torch.float64)
    weight = torch.randn(outputs, inputs, *kernel, generator=chance, dtype=torch.float64, requires_grad=True)
    y = functional.conv2d(x, weight, None, stride, padding)
    dy = torch.randn(y.shape, generator=chance, dtype=torch.float64)
    (wanted,) = torch.autograd.grad(y, weight, dy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BAND", band)
        found = weight_gradient(x, dy, kernel, stride, padding)
    torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("name", "size"), [("nin_cifar10", 32), ("squeezenet1_1", 64), ("resnet18", 96)])
def test_networks_learn_as_before(small: list[tuple[int, ...]], name: str, size: int) -> None:
    torch.manual_seed(0)
    network = create(name, classes=3).to(memory_format=LAST)
    inputs = torch.randn(2, 3, size, size).contiguous(memory_format=LAST)
    (plain, wanted), (outputs, found) = (trained(network, inputs), trained(network, inputs, by_products))
    assert torch.equal(plain, outputs)
    assert small
    assert found.keys() == wanted.keys()
    assert all(gradient is not None for gradient in wanted.values())
    largest = max(gradient.abs().max() for gradient in wanted.values())
    for key, gradient in wanted.items():
        torch.testing.assert_close(found[key], gradient, rtol=1e-3, atol=1e-5 * float(largest), msg=key)


def test_the_gradient_lies_in_memory_as_the_weight_does(small: list[tuple[int, ...]]) -> None:
    layer = nn.Conv2d(3, 4, 3).to(memory_format=LAST)
    with by_products(layer):
        layer(torch.randn(2, 3, 6, 6).contiguous(memory_format=LAST)).sum().backward()
    assert small == [(4, 3, 3, 3)]
    assert layer.weight.grad is not None
    assert layer.weight.grad.stride() == layer.weight.stride()


OTHERS = {
    "grouped": nn.Conv2d(4, 4, 3, groups=2),
    "dilated": nn.Conv2d(4, 4, 3, dilation=2),
    "circular": nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular"),
    "same": nn.Conv2d(4, 4, 3, padding="same"),
    "pointwise": nn.Conv2d(4, 4, 1),
    "frozen": nn.Conv2d(4, 4, 3).requires_grad_(False),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_convolutions_are_left_alone(small: list[tuple[int, ...]], kind: str) -> None:
    layer = copy.deepcopy(OTHERS[kind])
    x = torch.randn(2, 4, 7, 7).contiguous(memory_format=LAST).requires_grad_()
    wanted = layer(x)
    with by_products(layer):
        found = layer(x)
        found.sum().backward()
    assert torch.equal(found, wanted)
    assert not small


@pytest.mark.parametrize("kind", ["contiguous", "bfloat16", "autocast", "no gradient", "empty"])
def test_other_inputs_are_left_alone(small: list[tuple[int, ...]], kind: str) -> None:
    layer, x = nn.Conv2d(3, 4, 3), torch.randn(2, 3, 6, 6)
    if kind != "contiguous":
        layer, x = layer.to(memory_format=LAST), x.contiguous(memory_format=LAST)
    if kind == "bfloat16":
        layer, x = layer.bfloat16(), x.bfloat16()
    with by_products(layer), torch.autocast("cpu", torch.bfloat16, enabled=kind == "autocast"):
        if kind == "no gradient":
            with torch.no_grad():
                assert not layer(x).requires_grad
        else:
            layer(x[:0] if kind == "empty" else x).float().sum().backward()
    assert not small


def test_another_kind_of_processor_keeps_torchs_way(
    small: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    layer = nn.Conv2d(3, 4, 3).to(memory_format=LAST)
    with by_products(layer):
        assert "forward" not in vars(layer)
        layer(torch.randn(2, 3, 6, 6).contiguous(memory_format=LAST)).sum().backward()
    assert not small


def test_gradients_of_gradients_are_torchs(small: list[tuple[int, ...]]) -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(3, 4, 3, padding=1).to(memory_format=LAST)
    x = torch.randn(2, 3, 5, 5).contiguous(memory_format=LAST).requires_grad_()

    def penalty() -> Tensor:
        (slope,) = torch.autograd.grad(layer(x).tanh().sum(), x, create_graph=True)
        return torch.autograd.grad(slope.square().sum(), layer.weight)[0]

    wanted = penalty()
    with by_products(layer):
        torch.testing.assert_close(penalty(), wanted)


def test_hooks_run_and_everything_is_as_it_was_after_an_error(small: list[tuple[int, ...]]) -> None:
    layer, seen = nn.Conv2d(3, 4, 3).to(memory_format=LAST), []
    layer.register_forward_hook(lambda *_: seen.append(True))
    with pytest.raises(RuntimeError), by_products(layer):
        layer(torch.randn(1, 3, 6, 6).contiguous(memory_format=LAST))
        layer(torch.randn(1, 5, 6, 6).contiguous(memory_format=LAST))
    assert seen == [True]
    assert "forward" not in vars(layer)


def test_small_products_are_torchs() -> None:
    layer = nn.Conv2d(64, 96, 3).to(memory_format=LAST)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
        patch.setattr(module, "weight_gradient", lambda *_: pytest.fail("a product of 64 pixels"))
        with by_products(layer):
            layer(torch.randn(1, 64, 6, 6).contiguous(memory_format=LAST)).sum().backward()
