"""Another rule at the rectifiers: each way to write one is found, and what may hide one is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neocog.core.errors import NetworkError
from neocog.explain import deconvnet, guided_backpropagation

RECTIFIERS: dict[str, Callable[[Tensor], Tensor]] = {
    "torch.relu": torch.relu,
    "F.relu": F.relu,
    "F.relu_": lambda x: F.relu_(x.clone()),
    "method": lambda x: x.relu(),
    "method in place": lambda x: x.clone().relu_(),
    "nn.ReLU": nn.ReLU(),
    "nn.ReLU in place": nn.ReLU(inplace=True),
    "nn.ReLU6": nn.ReLU6(),
    "hardtanh": lambda x: F.hardtanh(x, 0, 9),
    "clamp": lambda x: x.clamp(min=0),
    "clamp both": lambda x: torch.clamp(x, 0, 9),
    "clip": lambda x: x.clip(0),
    "clamp_min": lambda x: x.clamp_min(0),
    "clamp_": lambda x: x.clone().clamp_(0),
    "threshold": nn.Threshold(0, 0),
}


class Hand(nn.Module):
    """score = 2 r(x1 - x2) - 3 r(x1 + x2) + r(-x1) for a rectifier r."""

    def __init__(self, rectify: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.dense, self.head = nn.Linear(2, 3, bias=False), nn.Linear(3, 1, bias=False)
        with torch.no_grad():
            self.dense.weight.copy_(torch.tensor([[1.0, -1.0], [1.0, 1.0], [-1.0, 0.0]]))
            self.head.weight.copy_(torch.tensor([[2.0, -3.0, 1.0]]))
        self.rectify = rectify

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rectify(self.dense(x)))


X = torch.tensor([[2.0, 1.0]])  # -> 1, 3, -2: the third is cut off on the way up, the second on the way down


@pytest.mark.parametrize("name", RECTIFIERS)
def test_every_way_to_write_a_rectifier(name: str) -> None:
    network = Hand(RECTIFIERS[name])
    assert guided_backpropagation(network, X).tolist() == [[2.0, -2.0]]
    # The deconvnet begins with the score 2 - 9 = -7, which the head turns into -14, 21, -7: only 21 passes.
    assert deconvnet(network, X, layer="head", unit=0).tolist() == [[21.0, 21.0]]


class Own(torch.autograd.Function):
    """A rectifier with a derivative of its own."""

    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: object, slope: Tensor) -> Tensor:
        return slope


def part(x: Tensor) -> Tensor:
    x = x.clone()
    x[:, :2].relu_()
    return x


def assigned(x: Tensor) -> Tensor:
    x = x.clone()
    x[x < 0] = 0
    return x


HIDDEN: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "maximum": (lambda x: torch.maximum(x, torch.zeros(1)), r"torch\.maximum"),
    "max": (lambda x: torch.max(x, torch.zeros_like(x)), r"torch\.maximum"),
    "where": (lambda x: torch.where(x > 0, x, 0), r"torch\.where"),
    "mask": (lambda x: x * (x > 0), "a product with a mask"),
    "float mask": (lambda x: (x > 0).float() * x, "a product with a mask"),
    "masked_fill": (lambda x: x.masked_fill(x < 0, 0), "masked_fill"),
    "assignment": (assigned, "assignment"),
    "part": (part, "in place of a part"),
    "clamp with a tensor": (lambda x: x.clamp(min=torch.zeros(1)), "clamp with tensors"),
    "autograd.Function": (Own.apply, "cannot look into Own"),
    "tanh": (torch.tanh, "other activations"),
    "silu": (F.silu, "other activations"),
    "sigmoid": (torch.sigmoid, "other activations"),
    "hardtanh": (F.hardtanh, "other activations"),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_what_may_hide_a_rectifier_is_refused(name: str) -> None:
    rectify, said = HIDDEN[name]
    with pytest.raises(NetworkError, match=said):
        guided_backpropagation(Hand(rectify), X)
    with pytest.raises(NetworkError, match=said):
        deconvnet(Hand(rectify), X, layer="head")


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_torch_jit_is_right_or_refused() -> None:
    network = Hand(F.relu)
    compiled = torch.jit.trace(network, X, check_trace=False)
    for _ in range(4):  # after some runs it fuses its graph into one node
        try:
            assert guided_backpropagation(compiled, X).tolist() == [[2.0, -2.0]]
        except NetworkError as error:
            assert "torch.jit" in str(error)


def test_a_products_learned_scale_is_no_mask() -> None:
    class Scaled(Hand):
        def forward(self, x: Tensor) -> Tensor:
            return self.head(torch.ones(3) * torch.relu(self.dense(x)))

    assert guided_backpropagation(Scaled(F.relu), X).tolist() == [[2.0, -2.0]]


def test_users_own_backward_hooks_are_no_hindrance() -> None:
    network = Hand(F.relu)
    seen: list[Tensor] = []
    network.dense.register_full_backward_hook(lambda _m, _i, outer: seen.append(outer[0]))
    assert guided_backpropagation(network, X).tolist() == [[2.0, -2.0]]
    assert len(seen) == 1
    assert len(network.dense._backward_hooks) == 1
