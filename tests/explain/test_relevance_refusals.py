"""Layer-wise relevance: what it refuses, and settings that cannot be."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from twins import pictures, settled

from neocog.core.errors import NetworkError, UsageError
from neocog.explain import gradient_times_input, relevance

X = torch.tensor([[2.0, 1.0, 3.0]])
ONE = nn.Linear(3, 1, bias=False)


class Own(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        return x * 2

    @staticmethod
    def backward(ctx: object, slope: Tensor) -> Tensor:
        return slope * 2


LSTM = nn.LSTM(4, 4).requires_grad_(False)


class Odd(nn.Module):
    def __init__(self, what: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.dense, self.what, self.head = nn.Linear(4, 4), what, nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.what(self.dense(x)))


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (lambda x: x * torch.sigmoid(x), "multiplies two activations"),
        (lambda x: x / x.norm(), "norm|two activations"),
        (lambda x: x * x, "multiplies two activations"),
        (lambda x: x @ x.T @ x, "multiplies two activations"),
        (lambda x: F.linear(x, x.T @ torch.ones(len(x), 4)), "multiplies two activations"),
        (lambda x: F.softmax(x, 1), "uses softmax.*without its softmax"),
        (lambda x: 1 / x, "uses rdiv"),
        (lambda x: torch.einsum("bi,ij->bj", x, torch.eye(4)), "uses einsum"),
        (lambda x: LSTM(x)[0], "uses lstm"),
        (lambda x: F.batch_norm(x, None, None, training=True), "batch norm without"),
        (Own.apply, "cannot tell where an input"),
    ],
)
def test_what_has_no_rule_is_refused(what: Callable[[Tensor], Tensor], said: str) -> None:
    with pytest.raises(NetworkError, match=said):
        relevance(Odd(what), pictures(2, 4))


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_torch_jit_is_refused() -> None:
    compiled = torch.jit.trace(nn.Sequential(nn.Linear(4, 4), nn.Tanh()), pictures(1, 4), check_trace=False)
    with pytest.raises(NetworkError, match=r"torch\.jit"):
        relevance(nn.Sequential(compiled, nn.Linear(4, 2)), pictures(2, 4))
    with pytest.raises(NetworkError, match=r"torch\.jit"):
        relevance(compiled, pictures(2, 4))


def test_weights_that_no_module_holds() -> None:
    free = [nn.Linear(4, 4)]
    network = settled(Odd(lambda x: torch.relu(free[0](x))))
    inputs = pictures(2, 4)
    found = relevance(network, inputs, rule="epsilon", epsilon=0.0)
    assert torch.allclose(found, gradient_times_input(network, inputs), atol=1e-6)
    assert free[0].weight.grad is None


def test_parts_of_a_tensor_may_be_assigned() -> None:
    def assigned(x: Tensor) -> Tensor:
        y = x.new_zeros(x.shape)
        y[:, :2], y[:, 2:] = x[:, 2:], x[:, :2]
        return y

    inputs = pictures(2, 4)
    first, second = settled(Odd(assigned)), settled(Odd(lambda x: x.roll(2, 1)))
    assert torch.allclose(relevance(first, inputs), relevance(second, inputs))


@pytest.mark.parametrize(
    "settings",
    [
        {"rule": "zplus"},
        {"epsilon": -1.0},
        {"gamma": float("nan")},
        {"bounds": (0.0, 0.5)},
        {"bounds": (torch.zeros(7), 1.0)},
    ],
)
def test_settings_that_cannot_be(settings: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=r"rule|epsilon|bounds"):
        relevance(ONE, X, **settings)  # type: ignore[arg-type]


def test_bounds_of_inputs_that_are_changed_first() -> None:
    class Shifted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = ONE

        def forward(self, x: Tensor) -> Tensor:
            return self.one(x - 0.5)

    with pytest.raises(UsageError, match="changes it before"):
        relevance(Shifted(), X, bounds=(0.0, 4.0))
