"""The memory that a batch takes, against sums made by hand and against what autograd itself says it keeps."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from neocog.architectures import create
from neocog.core.memory import memory


def chain() -> nn.Module:
    return nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 5))


def test_a_chain_of_layers_by_hand() -> None:
    found = memory(chain(), (10,), batch=4)
    assert found is not None
    weights = 4 * (10 * 20 + 20 + 20 * 5 + 5)
    assert (found.parameters, found.gradients, found.optimiser) == (weights, weights, 2 * weights)
    # The inputs for the first layer's gradient, the ReLU's output for its own and the second layer's, and the outputs.
    # What lies before the ReLU is not needed by anyone.
    assert found.saved == 4 * 4 * (10 + 20 + 5)
    # Before and after the ReLU at once, with the inputs; when the outputs are made, one of the two is gone.
    assert found.live == 4 * 4 * (10 + 20 + 20)
    assert found.training == 4 * weights + found.saved
    assert found.inference == weights + found.live


@pytest.mark.parametrize("name", ["lenet5", "keras_cifar", "mobilenet_v2"])
def test_what_autograd_keeps_is_what_it_says_it_saves(name: str) -> None:
    network = create(name).train()
    size = 64 if name == "mobilenet_v2" else 32
    inputs = torch.randn(2, network.get_parameter(next(iter(dict(network.named_parameters())))).shape[1], size, size)
    own = {tensor.untyped_storage().data_ptr() for tensor in (*network.parameters(), *network.buffers())}
    kept: dict[int, torch.UntypedStorage] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        outputs = network(inputs)
    for held in (inputs, outputs):
        note(held)
    found = memory(network, tuple(inputs.shape[1:]), batch=2)
    assert found is not None
    assert found.saved == pytest.approx(sum(storage.nbytes() for storage in kept.values()), rel=0.02)


def test_twice_the_batch_keeps_twice_as_much() -> None:
    one, two = (memory(create("lenet5_modern"), (1, 32, 32), batch=batch) for batch in (8, 16))
    assert one is not None and two is not None
    assert (two.saved, two.live) == (2 * one.saved, 2 * one.live)


def test_half_precision_keeps_less_and_its_weights_stay() -> None:
    full, half = (memory(create("keras_cifar"), (3, 32, 32), precision=precision) for precision in ("fp32", "bf16"))
    assert full is not None and half is not None
    assert half.saved < 0.75 * full.saved
    assert half.parameters == full.parameters
    assert memory(create("keras_cifar"), (3, 32, 32), precision="fp16") is not None


def test_weights_and_statistics_are_left_as_they_are() -> None:
    network = create("resnet18").eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    assert memory(network, (3, 64, 64), batch=2) is not None
    assert not network.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_a_network_that_needs_numbers_cannot_be_told() -> None:
    class Choosy(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x if float(x.sum()) > 0 else -x

    assert memory(Choosy(), (3, 8, 8)) is None


def test_a_network_that_looks_at_its_tokens_runs_on_tokens_that_all_differ() -> None:
    network = create("kim_cnn")
    found = memory(network, (18765, 64), batch=32)
    assert found is not None
    assert found.parameters == 4 * 5_990_702
    # Filters of 3 + 4 + 5 columns of 300 numbers, 100 maps each, and the vectors of all different words.
    kept = 4 * (300 * 12 * 100 + 32 * 64 * 300)
    assert kept < found.saved < 1.1 * kept
    assert memory(network, (18765, 64), batch=2**20) is None
