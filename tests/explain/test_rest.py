"""A network that is explained comes back as it was."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from neocog.core.errors import NetworkError
from neocog.explain import gradient
from neocog.explain.rest import at_rest


class Restless(nn.Module):
    """A network that counts its passes, renews a buffer and draws numbers, in evaluation mode too."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(2, 2)
        self.register_buffer("passes", torch.tensor([0.0, float("nan")]))
        self.register_buffer("last", torch.zeros(2))

    def forward(self, x: Tensor) -> Tensor:
        self.passes += 1
        self.last = x.detach().sum(0)
        return self.dense(x) * torch.rand(1)


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_everything_comes_back(error: type[BaseException] | None) -> None:
    network = Restless()
    network.dense.weight.requires_grad_(False)
    network.dense.eval()
    passes, last, state = network.passes, network.last, torch.get_rng_state()
    try:
        with at_rest(network):
            assert not network.training
            assert not network.dense.bias.requires_grad
            network(torch.ones(1, 2))
            if error is not None:
                raise error
    except (ValueError, KeyboardInterrupt):
        pass
    assert network.training
    assert not network.dense.training
    assert network.dense.bias.requires_grad
    assert not network.dense.weight.requires_grad
    assert network.passes is passes
    assert network.last is last
    assert torch.equal(passes.nan_to_num(-1), torch.tensor([0.0, -1.0]))
    assert torch.equal(last, torch.zeros(2))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_gradients_are_on_whatever_the_caller_has(context: type) -> None:
    network = nn.Linear(2, 1)
    with context():
        inputs = torch.ones(1, 2)
        found = gradient(network, inputs)
        assert torch.equal(found, network.weight)
        assert not torch.is_grad_enabled()
    assert network.weight.grad is None
    assert inputs.grad is None


def test_a_network_made_in_inference_mode_is_refused() -> None:
    with torch.inference_mode():
        network = nn.Linear(2, 1)
    with pytest.raises(NetworkError, match=r"weight was made under torch\.inference_mode"):
        gradient(network, torch.ones(1, 2))


def test_an_exported_program_is_refused() -> None:
    exported = torch.export.export(nn.Sequential(nn.Linear(2, 1)).eval(), (torch.ones(1, 2),)).module()
    with pytest.raises(NetworkError, match="exported program"):
        gradient(exported, torch.ones(1, 2))


def test_compiled_networks_are_explained_as_they_were_written() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    inputs = torch.tensor([[1.0, 2.0]])
    plain = gradient(network, inputs)
    assert torch.equal(gradient(torch.compile(network, backend="eager"), inputs), plain)
