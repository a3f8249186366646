"""Named activations: what a layer made, whatever came after, and nothing left behind."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neocog.core.errors import NetworkError, UsageError
from neocog.core.trace import caught, find_layer


class Overwriting(nn.Module):
    """A dense layer, used twice, whose outputs are overwritten in place."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(2, 2, bias=False)
        with torch.no_grad():
            self.dense.weight.copy_(torch.tensor([[1.0, -2.0], [-1.0, 1.0]]))
        self.unused = nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu_(self.dense(F.relu_(self.dense(x)))).sum(1)


X = torch.tensor([[3.0, 1.0]])  # -> (1, -2) -> (1, 0) -> (1, -1) -> (1, 0)


def test_each_call_is_caught_as_it_left_the_layer() -> None:
    network = Overwriting()
    with caught(network, ["dense"]) as seen:
        network(X)
    assert seen.activation("dense@1").tolist() == [[1.0, -2.0]]
    assert seen.activation("dense@2").tolist() == [[1.0, -1.0]]


def test_gradients_are_those_at_the_layers_own_output() -> None:
    network = Overwriting()
    with caught(network, ["dense"]) as seen:
        network(X).sum().backward()
    assert seen.gradient("dense@2").tolist() == [[1.0, 0.0]]  # before relu_, not after
    assert seen.gradient("dense@1").tolist() == [[1.0, 0.0]]  # (1, -2), and its second is cut off
    assert not seen.gradient("dense@1").requires_grad


def test_a_gradient_that_never_came_is_zero() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    with caught(network, ["0"]) as seen:
        network(X)
    assert torch.equal(seen.gradient("0"), torch.zeros(1, 2))


@pytest.mark.parametrize(
    ("layer", "said"),
    [("dense", "runs 2 times.*dense@1 to dense@2"), ("dense@3", "there is no 'dense@3'"), ("unused", "does not run")],
)
def test_what_cannot_be_told_is_said(layer: str, said: str) -> None:
    network = Overwriting()
    with caught(network, [layer]) as seen:
        network(X)
    with pytest.raises(NetworkError, match=said):
        seen.activation(layer)


def test_names() -> None:
    with pytest.raises(NetworkError, match=r"no layer 'dens'.*dense"):
        find_layer(Overwriting(), "dens")
    with pytest.raises(NetworkError, match="no layer ''"):
        find_layer(Overwriting(), "")
    network = Overwriting()
    with caught(network, ["dense@first"]) as seen, pytest.raises(UsageError, match="dense@2"):
        network(X)
        seen.activation("dense@first")


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_layers_inside_torch_jit_are_refused() -> None:
    compiled = torch.jit.trace(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), X, check_trace=False)
    with pytest.raises(NetworkError, match=r"torch\.jit"), caught(compiled, ["0"]):
        pass


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_no_hook_stays_behind(error: type[BaseException]) -> None:
    network = Overwriting()
    with pytest.raises(error), caught(network, ["dense"]):
        raise error
    with pytest.raises(NetworkError), caught(network, ["dense", "none"]):
        pass
    assert not network.dense._forward_hooks


def test_activations_are_freed_with_the_last_use() -> None:
    network = Overwriting()
    gc.collect()
    gc.disable()
    try:
        with caught(network, ["dense"]) as seen:
            network(X.clone().requires_grad_()).sum().backward()
        kept = weakref.ref(seen.activation("dense@1"))
        del seen
        assert kept() is None
    finally:
        gc.enable()


def test_the_network_computes_what_it_computes_otherwise() -> None:
    network = Overwriting()
    plain = network(X)
    with caught(network, ["dense"]):
        assert torch.equal(network(X), plain)
