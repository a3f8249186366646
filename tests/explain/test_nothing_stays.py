"""What shows layers leaves the network, its inputs and torch as they were, whatever happens."""

import pytest
import torch
from torch import nn
from twins import InPlace, settled

from neocog.explain import (
    feature_maps,
    features,
    filters,
    grad_cam,
    grad_cam_plus_plus,
    occlusion,
    receptive_field,
    score_cam,
    strongest_activations,
)

METHODS = {
    "grad_cam": grad_cam,
    "grad_cam_plus_plus": lambda network, x: grad_cam_plus_plus(network, x, layer="conv2"),
    "score_cam": score_cam,
    "occlusion": occlusion,
    "feature_maps": lambda network, x: feature_maps(network, x, layer="conv1"),
    "filters": lambda network, x: filters(network),
    "receptive_field": lambda network, x: receptive_field(network, x, layer="conv2"),
    "strongest_activations": lambda network, x: strongest_activations(network, [x], layer="conv2", units=0),
    "features": lambda network, x: features(network, [x]),
}


class Stopping(InPlace):
    """Raises what it is told to at the pass that it is told."""

    def __init__(self, error=None, at=1):
        super().__init__()
        self.error, self.left = error, at

    def forward(self, x):
        made = super().forward(x)
        self.left -= 1
        if self.error is not None and self.left == 0:
            raise self.error
        return made


def state_of(network):
    modes = [each.training for each in network.modules()]
    flags = [each.requires_grad for each in network.parameters()]
    grads = [each.grad is not None for each in network.parameters()]
    hooks = [
        len(found)
        for each in network.modules()
        for found in (each._forward_hooks, each._forward_pre_hooks, each._backward_hooks)
    ]
    tensors = {name: value.clone() for name, value in network.state_dict().items()}
    return modes, flags, grads, hooks, tensors


def assert_same(before, after):
    assert before[:4] == after[:4]
    assert all(torch.equal(before[4][name], after[4][name]) for name in before[4])


CASES = [(name, error) for name in METHODS for error in (None, ValueError("no"), KeyboardInterrupt())]


@pytest.mark.parametrize(("method", "error"), [case for case in CASES if case[0] != "filters" or case[1] is None])
def test_all_is_as_it_was(method, error):
    network = settled(Stopping(error)).train()
    network.conv2.eval()
    network.conv1.weight.requires_grad_(False)
    before, random = state_of(network), torch.get_rng_state()
    x = torch.rand(2, 3, 11, 9, generator=torch.Generator().manual_seed(1))
    kept = x.clone()
    if error is None:
        METHODS[method](network, x)
    else:
        with pytest.raises(type(error)):
            METHODS[method](network, x)
    assert_same(before, state_of(network))
    assert torch.equal(x, kept)
    assert torch.equal(random, torch.get_rng_state())
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("method", METHODS)
def test_callers_without_gradients_and_of_inference(method):
    network = settled(InPlace())
    x = torch.rand(2, 3, 11, 9, generator=torch.Generator().manual_seed(1))
    expected = METHODS[method](network, x)
    with torch.no_grad():
        same(METHODS[method](network, x), expected)
    with torch.inference_mode():
        same(METHODS[method](network, x.clone()), expected)
    for each in network.parameters():
        assert each.grad is None


def same(found, expected):
    if isinstance(expected, torch.Tensor):
        assert not found.requires_grad
        torch.testing.assert_close(found, expected)
    else:
        assert found == expected


def test_compiled_networks_have_the_names_that_their_user_knows():
    network = settled(InPlace())
    compiled = torch.compile(network, backend="eager")
    x = torch.rand(1, 3, 11, 9)
    assert isinstance(compiled, nn.Module)
    for method in (grad_cam, METHODS["filters"], METHODS["features"], METHODS["strongest_activations"]):
        same(method(compiled, x), method(network, x))
