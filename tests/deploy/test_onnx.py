"""A network of each family as ONNX gives what it gives in torch, at another batch size than it was traced with."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from neocog.architectures import create, networks, record
from neocog.core.errors import NetworkError, ResourceError
from neocog.core.randomness import generator, seed_everything
from neocog.deploy import onnx
from neocog.deploy.onnx import to_onnx

# The quickest of each family to export, and for some a smaller picture than the published one.
FAMILIES = {
    "lenet1989": None,
    "lenet5": None,
    "lenet_caffe": None,
    "keras_cifar": None,
    "alexnet_torchvision": 64,
    "zfnet": 64,
    "vgg11": 32,
    "nin_cifar10": None,
    "all_cnn_c": None,
    "googlenet": 64,
    "bn_inception": 64,
    "xception": 71,
    "resnet18": 64,
    "resnet20": None,
    "resnet50_v2": 64,
    "highway_mnist": None,
    "densenet40_k12_cifar10": None,
    "mobilenet_v1_025": 64,
    "mobilenet_v2_050": 64,
    "shufflenet_v1_g8": 64,
    "shufflenet_v2_x0_5": 64,
    "squeezenet1_1": 64,
    "se_resnet18": 64,
    "efficientnet_lite0": 64,
    "spatial_transformer_mnist": None,
}

# ONNX Runtime 1.31 merges zeros put around a picture into the max pooling that follows, which then ignores them.
WRONG_OPTIMISERS = ["Pad_Fusion"]


def disturb(network: nn.Module) -> nn.Module:
    """Gives every batch norm statistics and scales as training would: fresh ones hide a mistake."""
    numbers = generator(0, "norms")
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            with torch.no_grad():
                module.weight.uniform_(0.5, 1.5, generator=numbers)
                module.bias.uniform_(-0.2, 0.2, generator=numbers)
                module.running_mean.uniform_(-0.1, 0.1, generator=numbers)
                module.running_var.uniform_(0.5, 1.5, generator=numbers)
    return network


@pytest.mark.parametrize("name", [name for name in FAMILIES if name in networks()])
def test_onnx_gives_what_torch_gives(name):
    seed_everything(0, name)
    entry = record(name)
    side = FAMILIES[name] or entry.input[-1]
    network = disturb(create(name, size=side)).eval()
    model = to_onnx(network, (entry.input[0], side, side))
    session = onnxruntime.InferenceSession(model, disabled_optimizers=WRONG_OPTIMISERS)
    inputs = torch.randn(3, entry.input[0], side, side)
    (found,) = session.run(["logits"], {"input": inputs.numpy()})
    with torch.inference_mode():
        expected = network(inputs).numpy()
    assert np.abs(found - expected).max() <= 2e-5 * np.abs(expected).max()


def test_modes_are_as_they_were():
    network = create("lenet5_modern").train()
    network.c1.eval()
    to_onnx(network, (1, 32, 32))
    assert network.training
    assert not network.c1.training


def test_an_impossible_input_is_refused():
    with pytest.raises(NetworkError, match="channels=1, got 3"):
        to_onnx(create("lenet5_modern"), (3, 32, 32))


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setattr(onnx, "find_spec", lambda _name: None)
    with pytest.raises(ResourceError, match=r"onnx, onnxscript.*pip install 'neocog\[deploy\]'"):
        to_onnx(create("lenet5_modern"), (1, 32, 32))
